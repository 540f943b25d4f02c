/**
 * What the machine says about names: the addresses in its hosts file, and the name servers and search domains in its
 * resolver file, as the C library reads them. Reads a file again when it has changed; asks no name server.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { lookAt } from './files.ts';

export interface ResolverFiles {
  readonly hosts: string;
  readonly resolver: string;
}

/** hosts(5) and resolv.conf(5). */
export const SYSTEM_FILES: ResolverFiles = { hosts: '/etc/hosts', resolver: '/etc/resolv.conf' };

/** Addresses by lower-case name, in the order of the file. */
export type Hosts = ReadonlyMap<string, readonly string[]>;

export interface ResolverSettings {
  readonly servers: readonly string[];
  /** Domains that are put behind a name that has none of its own, in order. */
  readonly search: readonly string[];
  /** A name with at least so many dots is first asked for as it stands. */
  readonly ndots: number;
  /** How long one name server is waited for before the next is asked. */
  readonly timeoutMs: number;
  /** How often each name server is asked. */
  readonly attempts: number;
}

/** Makes a reader of one file that reads and parses it again only when it changed. A file that is not there is empty. */
export function createFileReader<T>(path: string, parse: (text: string) => T): () => T {
  let stamp = 'not read';
  let parsed: T | undefined;
  return () => {
    const now = stampOf(path);
    if (now !== stamp || parsed === undefined) {
      parsed = parse(textOf(path));
      stamp = now;
    }
    return parsed;
  };
}

/** Reads a hosts file: an address, then its names; `#` begins a comment. */
export function parseHosts(text: string): Hosts {
  const hosts = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = wordsOf(line.replace(/#.*/, ''));
    if (isIP(address) === 0) continue;
    for (const name of names) {
      const key = name.toLowerCase().replace(/\.$/, '');
      const known = hosts.get(key);
      if (known === undefined) hosts.set(key, [address]);
      else if (!known.includes(address)) known.push(address);
    }
  }
  return hosts;
}

/** The C library's own limits (resolv.conf(5)). */
const MAX_NDOTS = 15;
const MAX_TIMEOUT_SECONDS = 30;
const MAX_ATTEMPTS = 5;
const MAX_SERVERS = 3;

/** Reads a resolver file. Without a name server it is the one on this machine; without `search`, the domain of its name. */
export function parseResolver(text: string, machine: string = hostname()): ResolverSettings {
  const servers: string[] = [];
  const own = machine.includes('.') ? machine.slice(machine.indexOf('.') + 1) : '';
  let search: readonly string[] = own === '' ? [] : [own];
  const options = new Map<string, number>();
  for (const line of text.split('\n')) {
    // That of a comment begins with a mark.
    const [keyword = '', ...values] = wordsOf(line);
    if (keyword === 'nameserver' && isIP(values[0] ?? '') !== 0) servers.push(values[0] as string);
    // The last of them counts.
    else if (keyword === 'search') search = values;
    else if (keyword === 'domain') search = values.slice(0, 1);
    else if (keyword === 'options') for (const value of values) readOption(value, options);
  }
  return {
    servers: servers.length === 0 ? ['127.0.0.1'] : servers.slice(0, MAX_SERVERS),
    search: search.map((domain) => domain.replace(/\.$/, '')).filter((domain) => domain !== ''),
    ndots: Math.min(options.get('ndots') ?? 1, MAX_NDOTS),
    timeoutMs: 1000 * Math.min(Math.max(options.get('timeout') ?? 5, 1), MAX_TIMEOUT_SECONDS),
    attempts: Math.min(Math.max(options.get('attempts') ?? 2, 1), MAX_ATTEMPTS),
  };
}

/** The names to ask for, in order, as res_search(3) does. A final dot says that the name is whole. */
export function candidatesOf(host: string, { search, ndots }: ResolverSettings): readonly string[] {
  if (host.endsWith('.')) return [host.slice(0, -1)];
  const dots = host.split('.').length - 1;
  const completed = search.map((domain) => `${host}.${domain}`);
  return dots >= ndots ? [host, ...completed] : [...completed, host];
}

function readOption(text: string, into: Map<string, number>): void {
  const [, name, value] = /^(ndots|timeout|attempts):(\d{1,6})$/.exec(text) ?? [];
  if (name !== undefined) into.set(name, Number(value));
}

const wordsOf = (line: string): string[] => line.split(/[ \t\r]+/).filter((word) => word !== '');

function stampOf(path: string): string {
  const found = lookAt(path);
  return typeof found === 'string' ? found : `${found.mtimeNs} ${found.ino} ${found.size}`;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
