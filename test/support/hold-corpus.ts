/**
 * Whole requests that cost the most at the default limits, sent to a running Postern: for how long does each hold its event loop,
 * and for how long harmless bytes in the same place?
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { gzipSync } from 'node:zlib';
import { startBackend } from './backend.ts';
import { COSTLY_BODIES, ORDINARY_BODY } from './costly-bodies.ts';
import { spawnPostern, portsOf } from './process.ts';

export interface Hold {
  readonly name: string;
  /** Milliseconds. */
  readonly worst: number;
  readonly harmless: number;
}

interface Case {
  readonly name: string;
  readonly worst: Buffer;
  readonly harmless: Buffer;
}

const EVENTS_SECRET = 'secret-of-a-key-limited-to-events';
const SERVER_SECRET = 'secret-of-a-key-that-may-do-all';
const BODY_BYTES = 1024 * 1024 - 1;
const HEADER_BYTES = 15_500;

const fill = (size: number, unit: string): string => unit.repeat(Math.floor(size / unit.length));

interface Written {
  readonly target?: string;
  readonly method?: string;
  readonly fields?: readonly string[];
  readonly body?: Buffer;
}

function written({ target = '/event/ingest', method = 'POST', fields = [], body = Buffer.alloc(0) }: Written): Buffer {
  const framed = fields.some((field) => field.startsWith('Transfer-Encoding'));
  const length = framed || method === 'GET' || method === 'OPTIONS' ? [] : [`Content-Length: ${body.length}`];
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: api.test', 'Connection: close', ...fields, ...length];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

const KEYED = [`Authorization: Bearer ${EVENTS_SECRET}`, 'Content-Type: application/json'];
const OPEN = [`Authorization: Bearer ${SERVER_SECRET}`];

function bodyCases(): Case[] {
  const of = (fields: readonly string[], form: 'single' | 'batch', body: Buffer): Buffer =>
    written({ target: form === 'single' ? '/event/ingest' : '/event/ingest/batch', fields, body });
  return COSTLY_BODIES.flatMap(({ name, form, make }) => {
    const worst = make(BODY_BYTES);
    const harmless = ORDINARY_BODY.make(BODY_BYTES);
    const gzip = (body: Buffer): Buffer => gzipSync(body, { level: 1 });
    const coded = [...KEYED, 'Content-Encoding: gzip'];
    return [
      {
        name: `${name}, without a key`,
        worst: of(KEYED.slice(1), form, worst),
        harmless: of(KEYED.slice(1), 'batch', harmless),
      },
      { name, worst: of(KEYED, form, worst), harmless: of(KEYED, 'batch', harmless) },
      { name: `${name}, in gzip`, worst: of(coded, form, gzip(worst)), harmless: of(coded, 'batch', gzip(harmless)) },
    ];
  });
}

const target = (name: string, text: string): Case => ({
  name,
  worst: written({ target: text, fields: OPEN }),
  harmless: written({ target: `/${'a'.repeat(text.length - 1)}`, fields: OPEN }),
});

/** Field lines against as many bytes of one plain field. */
const fieldLines = (name: string, lines: readonly string[], request: Written = {}): Case => ({
  name,
  worst: written({ ...request, fields: [...(request.fields ?? []), ...lines] }),
  harmless: written({ ...request, fields: [...(request.fields ?? []), `X: ${'a'.repeat(lines.join('\r\n').length)}`] }),
});

const CHUNKED = { fields: ['Transfer-Encoding: chunked'], body: Buffer.from('0\r\n\r\n') };
const TOKEN = { target: '/metrics/auth/token', fields: [] };

function headCases(): Case[] {
  const encoded = encodeURIComponent;
  return [
    target('a path of marks', `/${fill(HEADER_BYTES, encoded('\u0315\u0301\u0316'))}`),
    target('a path of segments with accents', `/${fill(HEADER_BYTES, `${encoded('é')}/`)}`),
    target('a path of escaped spaces', `/${fill(HEADER_BYTES, '%20a')}`),
    target('a path of long characters', `/${fill(HEADER_BYTES, encoded('\ufdfa'))}`),
    target('a query of names', `/a?${fill(HEADER_BYTES, 'a&')}`),
    target('a query of broken escapes', `/a?${fill(HEADER_BYTES, '%zz&')}`),
    target('a query of escapes that are no UTF-8', `/a?${fill(HEADER_BYTES, '%ff&')}`),
    fieldLines('a field of spaces and a chunked body', [`X: a${fill(HEADER_BYTES, ' ')}b`], CHUNKED),
    fieldLines(
      'fields and a chunked body',
      Array.from({ length: 990 }, () => 'a: b'),
      CHUNKED,
    ),
    fieldLines(
      'very many fields',
      Array.from({ length: 990 }, (_, i) => `x-${i}: a`),
      { fields: OPEN },
    ),
    fieldLines(
      'fields that Connection names',
      Array.from({ length: 900 }, (_, i) => (i < 450 ? `x-${i}: a` : `Connection: x-${i - 450}`)),
      { fields: OPEN },
    ),
    fieldLines('X-Forwarded-For of trusted addresses', [`X-Forwarded-For: ${fill(HEADER_BYTES, '127.0.0.1, ')}`], {
      fields: OPEN,
    }),
    fieldLines('X-Forwarded-For of spaces', [`X-Forwarded-For: a${fill(HEADER_BYTES, ' ')}a`], { fields: OPEN }),
    fieldLines('a cookie of semicolons', [`Cookie: ${fill(HEADER_BYTES, ';')}postern_session`], { fields: OPEN }),
    fieldLines('Basic and spaces', [`Authorization: Basic ${fill(HEADER_BYTES, ' ')}=`]),
    fieldLines('Bearer and spaces', [`Authorization: Bearer ${fill(HEADER_BYTES, ' ')}!`]),
    fieldLines('a content type with spaces', [`Content-Type: application/json;${fill(HEADER_BYTES, ' ')}x`]),
    fieldLines('a preflight of names', [`Access-Control-Request-Headers: ${fill(HEADER_BYTES, 'a,')}`], {
      method: 'OPTIONS',
      fields: ['Origin: https://www.example.com', 'Access-Control-Request-Method: POST'],
    }),
    fieldLines(
      'a content type with spaces at the token endpoint',
      [`Content-Type: application/json;${fill(HEADER_BYTES, ' ')}x`],
      TOKEN,
    ),
    fieldLines(
      'a form with spaces at the token endpoint',
      [`Content-Type: application/x-www-form-urlencoded;${fill(HEADER_BYTES, ' ')}x`],
      TOKEN,
    ),
    fieldLines('a token of dots', [`Authorization: Bearer ${fill(2000, '.')}`], { target: '/metrics/query' }),
    {
      name: 'a token request of names',
      worst: written({
        ...TOKEN,
        fields: ['Content-Type: application/x-www-form-urlencoded'],
        body: Buffer.from(fill(16_000, '%61&')),
      }),
      harmless: written({
        ...TOKEN,
        fields: ['Content-Type: application/x-www-form-urlencoded'],
        body: Buffer.from(`a=${fill(16_000, 'a')}`),
      }),
    },
    {
      name: 'a body in chunks of one byte',
      worst: written({
        fields: [...KEYED, 'Transfer-Encoding: chunked'],
        body: Buffer.from(`${fill(1_000_000, '1\r\n \r\n')}0\r\n\r\n`),
      }),
      harmless: written({ fields: KEYED, body: Buffer.alloc(1_000_000, ' ') }),
    },
  ];
}

/** Measures every request, the least of `repeats` each. `t` ends what is started. */
export async function measureHolds(
  t: { readonly teardown: (dispose: () => unknown) => void },
  repeats = 3,
): Promise<readonly Hold[]> {
  const backend = await startBackend(t);
  const postern = spawnPostern(t, {
    config: {
      listen: { host: '127.0.0.1', port: 0, trustedProxies: ['127.0.0.1/32'] },
      apis: {
        integration: {
          upstream: backend.url,
          credential: ['bearer', 'basic-username', 'query:api_key', 'body:api_key'],
        },
        metrics: { upstream: backend.url },
      },
    },
    keys: [
      { id: 'web', type: 'write-only', secret: EVENTS_SECRET, allowedEvents: ['login', 'view'] },
      { id: 'server', type: 'read-write', secret: SERVER_SECRET },
      {
        id: 'dashboard',
        type: 'metrics',
        secret: 'client-secret-of-the-dashboard',
        apiKey: 'api-key-of-the-dashboard',
      },
    ],
    node: ['--import=./.build/test/support/hold-recorder.js'],
  });
  const { data } = await portsOf(postern);
  const holdOf = async (bytes: Buffer): Promise<number> => {
    let least = Infinity;
    for (let i = 0; i < repeats; i++) {
      await askHold(postern.child);
      await exchange(data, bytes);
      least = Math.min(least, await askHold(postern.child));
    }
    return least;
  };
  const holds: Hold[] = [];
  for (const { name, worst, harmless } of [...headCases(), ...bodyCases()])
    holds.push({ name, harmless: await holdOf(harmless), worst: await holdOf(worst) });
  return holds;
}

async function askHold(child: ChildProcess): Promise<number> {
  child.send('read');
  const [hold] = (await once(child, 'message')) as [number];
  return hold;
}

/** Sends a request, and waits for its answer and the end of the connection. */
function exchange(port: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setTimeout(20_000, () => socket.destroy());
    socket.resume();
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
}
