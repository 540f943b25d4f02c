/** A small name server on loopback, and a resolver file that names it: for names that really are looked up. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLookup, type Lookup } from '../../src/lib/lookup.ts';

export type Family = 'A' | 'AAAA';

/** Addresses, or a response code, or silence. An empty list: the name is there, without such an address. */
export type Reply = readonly string[] | 'NXDOMAIN' | 'SERVFAIL' | 'silence';

export interface NameServer {
  readonly port: number;
  /** What was asked so far, as `A name`. */
  readonly questions: readonly string[];
  readonly lookup: Lookup;
  readonly writeResolver: (text: string) => void;
  readonly writeHosts: (text: string) => void;
}

interface Disposer {
  readonly teardown: (dispose: () => unknown) => void;
}

export type Answerer = (name: string, family: Family) => Reply | Promise<Reply>;

/** Starts it; it ends with the test. `place`: on another address of loopback, at the port of another one. */
export async function startNameServer(
  t: Disposer,
  answer: Answerer,
  place: { readonly host: string; readonly port: number } = { host: '127.0.0.1', port: 0 },
): Promise<NameServer> {
  const questions: string[] = [];
  const socket = dgram.createSocket(place.host.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (query, { port, address }) => void reply(query, (bytes) => socket.send(bytes, port, address)));
  socket.bind(place.port, place.host);
  await once(socket, 'listening');
  const folder = mkdtempSync(join(tmpdir(), 'names-'));
  const files = { hosts: join(folder, 'hosts'), resolver: join(folder, 'resolv.conf') };
  let closed = false;
  t.teardown(() => {
    closed = true;
    socket.close();
    rmSync(folder, { recursive: true, force: true });
  });
  async function reply(query: Buffer, send: (bytes: Buffer) => void): Promise<void> {
    const { name, family, end } = questionOf(query);
    questions.push(`${family} ${name}`);
    const given = await answer(name, family);
    if (given !== 'silence' && !closed) send(responseTo(query, end, family, given));
  }
  const { port } = socket.address();
  writeFileSync(files.resolver, `nameserver ${place.host}\nsearch\n`);
  return {
    port,
    questions,
    lookup: createLookup({ files, port }),
    writeResolver: (text) => writeFileSync(files.resolver, text),
    writeHosts: (text) => writeFileSync(files.hosts, text),
  };
}

const AAAA = 28;

function questionOf(query: Buffer): { name: string; family: Family; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.'), family: query.readUInt16BE(at + 1) === AAAA ? 'AAAA' : 'A', end: at + 5 };
}

function responseTo(query: Buffer, end: number, family: Family, reply: Exclude<Reply, 'silence'>): Buffer {
  const addresses = typeof reply === 'string' ? [] : reply;
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8180 | (reply === 'NXDOMAIN' ? 3 : reply === 'SERVFAIL' ? 2 : 0), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((address) => {
    const data = family === 'A' ? Buffer.from(address.split('.').map(Number)) : bytesOfIPv6(address);
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(family === 'A' ? 1 : AAAA, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt16BE(data.length, 10);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([head, query.subarray(12, end), ...records]);
}

function bytesOfIPv6(address: string): Buffer {
  const [left = '', right = ''] = address.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const missing = 8 - groups(left).length - groups(right).length;
  const all = [...groups(left), ...(address.includes('::') ? Array<string>(missing).fill('0') : []), ...groups(right)];
  const bytes = Buffer.alloc(16);
  all.forEach((group, i) => bytes.writeUInt16BE(Number.parseInt(group, 16), i * 2));
  return bytes;
}
