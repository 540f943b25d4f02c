/**
 * Plays a fixed list of requests against a Postern in front of a backend that tells what it received, and writes down what a caller
 * and the backend saw: so that two releases can be compared. Leaves out what differs from run to run.
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import { startBackend } from './backend.ts';
import { portsOf, spawnPostern } from './process.ts';

export const RELEASE_FOLDER = 'test/fixtures/release-0.1';

export interface Asked {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  /** `TOKEN` stands for the access token that was got last. */
  readonly secret: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** What the caller got, and what the backend did. */
export interface Seen {
  readonly status: number;
  readonly code: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly received: {
    readonly line: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  } | null;
}

interface Disposer {
  readonly teardown: (dispose: () => unknown) => void;
}

/** Of the answers; the others are the backend's own, or differ from run to run. */
const ANSWER_FIELDS = [
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'access-control-max-age',
  'cache-status',
  'content-type',
  'postern-removed-events',
  'vary',
  'www-authenticate',
];
const VARYING = new Set(['x-request-id', 'connection', 'keep-alive', 'date']);

/** What is changed in the configuration of 0.1; `entry` is the main file of another release. */
export interface PlayOptions {
  readonly changed?: (config: string) => string;
  readonly entry?: string | undefined;
}

/** What a release makes of the requests, one after the other. */
export async function play(
  t: Disposer,
  requests: readonly Asked[],
  { changed = (config) => config, entry }: PlayOptions = {},
): Promise<Seen[]> {
  const backend = await startBackend(
    t,
    (_req, res) => void res.writeHead(200, { 'content-type': 'text/plain' }).end('ok'),
  );
  const config = readFileSync(`${RELEASE_FOLDER}/postern.yaml`, 'utf8')
    .replaceAll('${BACKEND}', backend.url)
    .replace('${POSTERN_ADMIN_TOKEN}', 'token-of-the-admin-port')
    .replace('${TOKEN_SECRET}', 's'.repeat(32));
  const postern = spawnPostern(t, {
    config: changed(config),
    keys: readFileSync(`${RELEASE_FOLDER}/keys.yaml`, 'utf8'),
    entry,
  });
  const { data } = await portsOf(postern);
  let token = '';
  const seen: Seen[] = [];
  for (const { method, path, secret, headers, body } of requests) {
    const before = backend.requests.length;
    const credential = secret === 'TOKEN' ? token : secret;
    const req = http.request({
      host: '127.0.0.1',
      port: data,
      method,
      path,
      agent: false,
      headers: {
        host: 'api.test',
        ...headers,
        ...(credential === null ? {} : { authorization: `Bearer ${credential}` }),
        ...(body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
      },
    });
    req.end(body ?? undefined);
    const [res] = (await once(req, 'response')) as [http.IncomingMessage];
    const answer = await text(res);
    const read = answer.startsWith('{') ? (JSON.parse(answer) as Readonly<Record<string, unknown>>) : {};
    if (typeof read['accessToken'] === 'string') token = read['accessToken'];
    const received = backend.requests.slice(before).at(-1);
    seen.push({
      status: res.statusCode ?? 0,
      code: typeof read['code'] === 'string' ? read['code'] : null,
      headers: picked(res.headers, (field) => ANSWER_FIELDS.includes(field)),
      received:
        received === undefined
          ? null
          : {
              line: `${received.method} ${received.url}`,
              headers: picked(received.headers, (field) => !VARYING.has(field), backend.url.slice('http://'.length)),
              body: received.body.toString(),
            },
    });
  }
  postern.child.kill('SIGINT');
  await postern.exit;
  return seen;
}

function picked(
  headers: http.IncomingHttpHeaders,
  wanted: (field: string) => boolean,
  backend = '',
): Record<string, string> {
  const fields = Object.entries(headers).filter(([field]) => wanted(field));
  return Object.fromEntries(
    fields.map(([field, value]): [string, string] => [field, value === backend ? 'BACKEND' : String(value)]).toSorted(),
  );
}
