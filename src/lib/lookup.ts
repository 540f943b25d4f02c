/**
 * Finds the addresses of a host name: the hosts file, then the name servers, asked over sockets of its own. Never holds one of
 * the few threads that getaddrinfo(3) shares with all files and compression of the process, so that a name server that
 * hangs harms nobody but those who wait for this name.
 */
import { lookup as systemLookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import {
  candidatesOf,
  createFileReader,
  parseHosts,
  parseResolver,
  SYSTEM_FILES,
  type ResolverFiles,
  type ResolverSettings,
} from './resolver-files.ts';

/** Resolves with at least one address. @throws LookupFailure */
export type Lookup = (host: string) => Promise<readonly string[]>;

/** `ENOTFOUND`: there is no such name. `EAI_AGAIN`: the name servers gave no answer. */
export class LookupFailure extends Error {
  override readonly name = 'LookupFailure';
  readonly code: 'ENOTFOUND' | 'EAI_AGAIN';
  constructor(code: 'ENOTFOUND' | 'EAI_AGAIN', host: string, why: string) {
    super(`lookup ${code} ${host}${why}`);
    this.code = code;
  }
}

export interface LookupOptions {
  readonly files?: ResolverFiles;
  /** Of the name servers. */
  readonly port?: number;
}

/**
 * How long one name server is waited for before another one is asked beside it, or the same one again: the 5 s of the C
 * library are longer than most wait for a connection. A late answer still counts.
 */
const ASK_AGAIN_MS = 500;
/** How often a name server that says nothing is asked, at least: packets are lost. */
const MIN_ATTEMPTS = 4;
/** The longest that one question may be waited for. */
const MAX_QUESTION_MS = 10_000;
/** How long one family of addresses is waited for when the other is there (RFC 8305 3). */
const OTHER_FAMILY_MS = 50;
const DNS_PORT = 53;

/** Makes a lookup with name server sockets of its own. Callers who ask for one name at the same time share one question. */
export function createLookup({ files = SYSTEM_FILES, port = DNS_PORT }: LookupOptions = {}): Lookup {
  const hosts = createFileReader(files.hosts, parseHosts);
  const nameServers = createFileReader(files.resolver, (text) => openNameServers(parseResolver(text), port));
  const underWay = new Map<string, Promise<readonly string[]>>();

  const find = async (host: string): Promise<readonly string[]> => {
    const name = host.toLowerCase().replace(/\.$/, '');
    const known = hosts().get(name) ?? LOCAL_NAMES.get(name);
    if (known !== undefined) return known;
    const servers = nameServers();
    const answer = await askAll(servers, candidatesOf(host.toLowerCase(), servers.settings));
    if (answer.kind === 'addresses') return answer.addresses;
    // There may be a source of names that only the C library knows (nsswitch.conf(5)), unless name servers are the trouble.
    if (answer.kind === 'absent' || answer.code === 'ECONNREFUSED') return askSystem(host);
    throw new LookupFailure('EAI_AGAIN', host, `: ${answer.code}`);
  };

  return (host) => {
    if (isIP(host) !== 0) return Promise.resolve([host]);
    const shared = underWay.get(host);
    if (shared !== undefined) return shared;
    const started = find(host).finally(() => underWay.delete(host));
    underWay.set(host, started);
    return started;
  };
}

/** RFC 6761 6.3. */
const LOCAL_NAMES: ReadonlyMap<string, readonly string[]> = new Map([['localhost', ['127.0.0.1', '::1']]]);

interface NameServers {
  readonly settings: ResolverSettings;
  /** One question. A question that has no answer yet is not asked again. */
  readonly ask: (name: string, family: 4 | 6) => Promise<DnsAnswer>;
}

function openNameServers(settings: ResolverSettings, port: number): NameServers {
  // One resolver a server: a resolver with several would give up all questions when one server is silent.
  const resolvers = settings.servers.map((server) => {
    const resolver = new Resolver({ timeout: Math.min(settings.timeoutMs, MAX_QUESTION_MS), tries: 1 });
    resolver.setServers([server.includes(':') ? `[${server}]:${port}` : `${server}:${port}`]);
    return resolver;
  });
  const asking = new Map<string, Promise<DnsAnswer>>();
  let preferred = 0;
  return {
    settings,
    ask: (name, family) => {
      const question = `${family} ${name}`;
      const before = asking.get(question);
      if (before !== undefined) return before;
      const askOne = async (number: number): Promise<DnsAnswer> => {
        const server = (preferred + number) % resolvers.length;
        const resolver = resolvers[server] as Resolver;
        const answer = await answerOf(family === 4 ? resolver.resolve4(name) : resolver.resolve6(name));
        if (answer.kind !== 'failed') preferred = server;
        return answer;
      };
      const answer = askInTurn(askOne, resolvers.length, Math.max(settings.attempts, MIN_ATTEMPTS) * resolvers.length);
      asking.set(question, answer);
      return answer.finally(() => asking.delete(question));
    },
  };
}

/** The first answer that is one; the last failure when every server that was asked has failed. */
function askInTurn(ask: (number: number) => Promise<DnsAnswer>, servers: number, attempts: number): Promise<DnsAnswer> {
  return new Promise((resolve) => {
    let sent = 0;
    let unanswered = 0;
    let again: NodeJS.Timeout | undefined;
    const settle = (answer: DnsAnswer): void => {
      sent = attempts;
      clearTimeout(again);
      resolve(answer);
    };
    const send = async (): Promise<void> => {
      clearTimeout(again);
      if (sent === attempts) return;
      unanswered += 1;
      const answered = ask(sent++);
      if (sent < attempts) again = setTimeout(send, ASK_AGAIN_MS);
      const answer = await answered;
      unanswered -= 1;
      if (answer.kind !== 'failed') settle(answer);
      else if (sent < servers) void send();
      else if (unanswered === 0) settle(answer);
    };
    void send();
  });
}

type DnsAnswer =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly code: string };

const ABSENT: DnsAnswer = { kind: 'absent' };

/** One name after the other: the next is asked for when this one is absent or its server is broken, not when it is silent. */
async function askAll(servers: NameServers, names: readonly string[]): Promise<DnsAnswer> {
  let last: DnsAnswer = ABSENT;
  for (const name of names) {
    const answer = await askBothFamilies(servers, name);
    if (answer.kind === 'addresses') return answer;
    if (answer.kind === 'failed') last = answer;
    if (answer.kind === 'failed' && SILENCE.has(answer.code)) break;
  }
  return last;
}

/** Failures that another name would meet as well. */
const SILENCE = new Set(['ETIMEOUT', 'ECONNREFUSED']);

async function askBothFamilies(servers: NameServers, name: string): Promise<DnsAnswer> {
  const families = [servers.ask(name, 4), servers.ask(name, 6)] as const;
  const first = await Promise.race(families);
  const enough = first.kind === 'addresses' ? soon() : null;
  const [four, six] = await Promise.all(
    families.map((family) => (enough === null ? family : Promise.race([family, enough]))),
  );
  const addresses = interleaved(addressesOf(four), addressesOf(six));
  if (addresses.length > 0) return { kind: 'addresses', addresses };
  return four?.kind === 'failed' ? four : (six ?? ABSENT);
}

async function answerOf(query: Promise<string[]>): Promise<DnsAnswer> {
  try {
    const addresses = await query;
    return addresses.length > 0 ? { kind: 'addresses', addresses } : ABSENT;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return code === 'ENOTFOUND' || code === 'ENODATA' ? ABSENT : { kind: 'failed', code };
  }
}

const soon = (): Promise<DnsAnswer> =>
  new Promise((resolve) => void setTimeout(resolve, OTHER_FAMILY_MS, ABSENT).unref());

const addressesOf = (answer: DnsAnswer | undefined): readonly string[] =>
  answer?.kind === 'addresses' ? answer.addresses : [];

/** By turns, so that a family that cannot be reached does not delay the other (RFC 8305 4). */
function interleaved(four: readonly string[], six: readonly string[]): readonly string[] {
  const all: string[] = [];
  for (let i = 0; i < Math.max(four.length, six.length); i += 1)
    for (const address of [four[i], six[i]]) if (address !== undefined) all.push(address);
  return all;
}

/** How many of the process's four threads, which files and compression need too, may wait for names. */
const MAX_SYSTEM_LOOKUPS = 2;
let systemLookups = 0;

async function askSystem(host: string): Promise<readonly string[]> {
  if (systemLookups >= MAX_SYSTEM_LOOKUPS)
    throw new LookupFailure('EAI_AGAIN', host, ': other names wait for the system');
  systemLookups += 1;
  try {
    const found = await systemLookup(host, { all: true });
    return found.map(({ address }) => address);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new LookupFailure(code === 'EAI_AGAIN' ? code : 'ENOTFOUND', host, '');
  } finally {
    systemLookups -= 1;
  }
}
