/**
 * Sends the exact bytes of an attack and holds everything that comes of it: each answer on the connection, whether it is
 * closed, and each request that reaches the backend.
 */
import net from 'node:net';
import type { Test } from 'tap';
import type { Backend, RecordedRequest } from './backend.ts';

export interface Attack {
  readonly name: string;
  /** One character a byte. */
  readonly bytes: string;
  /** The status of every answer on the connection, in order. */
  readonly answers: readonly number[];
  /** Whether the connection is closed afterwards; without it either will do. */
  readonly closes?: boolean;
  /** What the backend receives, as `METHOD target body`; without it nothing. */
  readonly forwarded?: readonly string[];
  /** For what else must hold of the one forwarded request. */
  readonly check?: (t: Test, request: RecordedRequest) => void;
}

export interface Target {
  readonly port: number;
  readonly backend: Backend;
}

/** Runs the attacks one after another and checks, at the end too, that nothing else reached the backend. */
export async function runAttacks(t: Test, { port, backend }: Target, attacks: readonly Attack[]): Promise<void> {
  const names = attacks.map(({ name }) => name);
  t.equal(new Set(names).size, names.length, 'every attack has a name of its own');
  let seen = backend.requests.length;
  for (const attack of attacks) {
    const { answers, closed } = await attackOver(port, attack);
    const arrived = backend.requests.slice(seen);
    seen += arrived.length;
    t.same(answers, attack.answers, `${attack.name}: answers`);
    if (attack.closes !== undefined) t.equal(closed, attack.closes, `${attack.name}: connection`);
    t.same(arrived.map(summary), attack.forwarded ?? [], `${attack.name}: forwarded`);
    const [request] = arrived;
    if (attack.check !== undefined && request !== undefined) attack.check(t, request);
  }
  await lastWord(port);
  t.equal(backend.requests.length, seen, 'nothing reached the backend later');
}

const summary = ({ method, url, body }: RecordedRequest): string =>
  `${method} ${url} ${body.toString('latin1')}`.trimEnd();

/** Reads until all expected answers are there, and on until the connection closes or another one has been served. */
function attackOver(port: number, attack: Attack): Promise<{ answers: number[]; closed: boolean }> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(Buffer.from(attack.bytes, 'latin1')));
    const isHead = attack.bytes.startsWith('HEAD ');
    let text = '';
    let waiting = false;
    const finish = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ answers: statusesIn(text, isHead).statuses, closed });
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`${attack.name}: no end in sight after ${JSON.stringify(text)}`));
    }, 10_000);
    socket.setEncoding('latin1');
    socket.on('error', () => undefined);
    socket.on('close', () => finish(true));
    socket.on('data', (data: string) => {
      text += data;
      const { statuses, rest } = statusesIn(text, isHead);
      if (attack.closes === true || waiting || rest !== '' || statuses.length < attack.answers.length) return;
      waiting = true;
      // Whatever the attack still sets off has happened by then: one more answer would be seen.
      void lastWord(port).then(() => finish(false));
    });
  });
}

/** A whole exchange on another connection. */
function lastWord(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () =>
      socket.write('GET /last-word HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
    );
    socket.resume();
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
}

/** Takes whole answers with a length (or without content, as to HEAD) off the text. */
function statusesIn(text: string, isHead: boolean): { statuses: number[]; rest: string } {
  const statuses: number[] = [];
  let rest = text;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) return { statuses, rest };
    const head = rest.slice(0, end);
    const status = Number(head.split(' ')[1]);
    const length = isHead ? 0 : Number(/^content-length: *(\d+)\r?$/im.exec(head)?.[1] ?? 0);
    if (rest.length < end + 4 + length) return { statuses, rest };
    if (status !== 100) statuses.push(status);
    rest = rest.slice(end + 4 + length);
  }
}

/** A request of these lines and this body, its length declared unless the lines frame it themselves. */
export function request(line: string, fields: readonly string[] = [], body?: string): string {
  const framed = fields.some((field) => /^(content-length|transfer-encoding)\s*:/i.test(field));
  const length = body === undefined || framed ? [] : [`Content-Length: ${body.length}`];
  return [line, ...fields, ...length, '', body ?? ''].join('\r\n');
}

/** The value of a field of a recorded request; the values of a repeated one are joined by a bar. */
export function field({ rawHeaders }: RecordedRequest, name: string): string | undefined {
  const values = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name.toLowerCase());
  return values.length === 0 ? undefined : values.join(' | ');
}
