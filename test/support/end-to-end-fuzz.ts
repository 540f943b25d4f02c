/**
 * Sends generated bodies through a running Postern with a restricted key, and holds what its backend receives: whatever reader
 * the backend has, it sees no event that the key may not send.
 */
import net from 'node:net';
import { parseSelector } from '../../src/config/selector.ts';
import { startBackend } from './backend.ts';
import { eventCaseFrom } from './event-bodies.ts';
import { namesSeen, READERS } from './event-oracle.ts';
import type { ForeignParser } from './foreign-parsers.ts';
import { readTree } from './json-entries.ts';
import { startPostern } from './postern.ts';

export interface EndToEndResult {
  readonly sent: number;
  readonly received: number;
  /** By status. */
  readonly answers: ReadonlyMap<number, number>;
  /** The foreign parsers that read every received body, by name. */
  readonly parsers: readonly string[];
}

const SECRET = 'secret-of-a-key-limited-to-events';
const PATHS: ReadonlyMap<string, string> = new Map([
  ['events[].name', '/event/ingest/batch'],
  ['name', '/event/ingest'],
]);

/** Throws at the first body that a reader could take for another. `t` ends what is started. */
export async function runEndToEndFuzz(
  t: { readonly teardown: (dispose: () => unknown) => void },
  { cases, seed, foreign = [] }: { cases: number; seed: number; foreign?: readonly ForeignParser[] },
): Promise<EndToEndResult> {
  const rules = new Map([...PATHS].map(([text, path]) => [JSON.stringify([[parseSelector(text)], null]), path]));
  const random = xorshift(seed);
  const tape = new Uint8Array(256);
  const next = () => {
    for (;;) {
      for (let at = 0; at < tape.length; at++) tape[at] = random() >>> 24;
      const { rule, body } = eventCaseFrom(tape.subarray(0, 16 + ((random() >>> 0) % 240)));
      const path = rules.get(JSON.stringify([rule.selectors, rule.when]));
      if (path !== undefined) return { rule: { ...rule, unnamed: 'disallow' as const }, body, path };
    }
  };
  const first = next();
  const allowed = [...first.rule.allowed].filter((name) => name !== '' && !/\p{Cs}/u.test(name));
  const backend = await startBackend(t);
  const postern = await startPostern(t, {
    config: { apis: { integration: { upstream: backend.url } } },
    keys: [{ id: 'web', type: 'write-only', secret: SECRET, allowedEvents: allowed }],
  });
  const connection = await connect(postern.port);
  t.teardown(connection.close);
  const answers = new Map<number, number>();
  const received: Buffer[] = [];
  for (let i = 0; i < cases; i++) {
    const { rule, body, path } = i === 0 ? first : next();
    const status = await connection.send(path, body);
    answers.set(status, (answers.get(status) ?? 0) + 1);
    const [request, ...others] = backend.requests.splice(0);
    if (others.length > 0 || (request !== undefined) !== (status === 204))
      throw new Error(`case ${i} of seed ${seed}: answered ${status}, and the backend received ${others.length + 1}`);
    if (request === undefined) continue;
    received.push(request.body);
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(request.body));
    const tree = readTree(request.body);
    for (const reader of READERS)
      for (const name of namesSeen(tree, rule, reader))
        if (name === null || !allowed.includes(name))
          throw new Error(
            `case ${i} of seed ${seed}: a reader (${reader.label}) sees ${name} in ${request.body.toString()}`,
          );
  }
  return {
    sent: cases,
    received: received.length,
    answers,
    parsers: foreign.map((parser) => readBy(parser, received, allowed)),
  };
}

function readBy(
  { name: parser, namesIn }: ForeignParser,
  bodies: readonly Buffer[],
  allowed: readonly string[],
): string {
  namesIn(bodies).forEach((names, i) => {
    const seen = names?.find((name) => name === null || !allowed.includes(name));
    if (seen !== undefined) throw new Error(`${parser} sees ${seen} in ${bodies[i]?.toString()}`);
  });
  return parser;
}

interface Connection {
  /** Resolves to the status of the answer. */
  readonly send: (path: string, body: Buffer) => Promise<number>;
  readonly close: () => void;
}

/** One connection for very many requests, opened anew when Postern closed it. */
async function connect(port: number): Promise<Connection> {
  let socket: net.Socket | null = null;
  const send = (path: string, body: Buffer): Promise<number> =>
    new Promise((resolve, reject) => {
      socket ??= net.connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
      const used = socket;
      let text = '';
      const onData = (data: string): void => {
        text += data;
        const end = text.indexOf('\r\n\r\n');
        if (end === -1 || text.length < end + 4 + Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0)) return;
        used.off('data', onData).off('error', reject).off('close', onClose);
        if (/^connection: close/im.test(text)) {
          used.destroy();
          socket = null;
        }
        resolve(Number(text.slice(9, 12)));
      };
      const onClose = (): void => reject(new Error('the connection was closed without an answer'));
      used.on('data', onData).on('error', reject).on('close', onClose);
      const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${SECRET}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
      used.write(Buffer.concat([Buffer.from(head), body]));
    });
  return { send, close: () => socket?.destroy() };
}

function xorshift(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
}
