/** One key, one address or one API may use up its own share; all others are served meanwhile. */
import { once } from 'node:events';
import http from 'node:http';
import { gzipSync } from 'node:zlib';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { KEPT } from '../support/backend.ts';
import { startPostern, type Postern } from '../support/postern.ts';
import { eventually } from '../support/eventually.ts';
import { RawClient } from '../support/upstream.ts';

const KEYS = [
  { id: 'greedy', type: 'write-only', secret: 'secret-of-greedy' },
  { id: 'greedy-too', type: 'write-only', secret: 'secret-of-greedy-too' },
  { id: 'limited', type: 'write-only', secret: 'secret-of-limited', allowedEvents: ['a'] },
  { id: 'other', type: 'read-write', secret: 'secret-of-other' },
  { id: 'dashboard', type: 'metrics', apiKey: 'api-key', secret: 'client-secret-of-dashboard' },
];

/** A backend that answers each request once it has come whole. `begun`: requests whose header section came. */
async function startSlowBackend(t: Test): Promise<{ readonly url: string; readonly begun: () => number }> {
  let begun = 0;
  const server = http.createServer(KEPT, (req, res) => {
    begun += 1;
    req.resume().once('end', () => res.writeHead(204).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, begun: () => begun };
}

async function start(t: Test, api: Record<string, unknown> = {}, listen: Record<string, unknown> = {}) {
  const backend = await startSlowBackend(t);
  const config = (more: Record<string, unknown> = {}) => ({
    listen,
    log: { level: 'debug' },
    apis: {
      integration: { upstream: backend.url, ...api, ...more },
      metrics: { upstream: backend.url, token: { secret: 't'.repeat(32) } },
    },
  });
  const postern = await startPostern(t, { config: config(), keys: KEYS });
  return { backend, postern, config };
}

interface Upload {
  readonly secret?: string | null;
  readonly fields?: readonly string[];
}

/** Begins an upload, and leaves it unfinished. It was admitted, or refused, when this resolves. */
async function beginUpload(t: Test, { port }: Postern, { secret = 'secret-of-greedy', fields = [] }: Upload = {}) {
  const client = new RawClient(t, port);
  const lines = ['POST /event/ingest HTTP/1.1', 'Host: a', 'Content-Type: application/json', 'Content-Length: 100'];
  if (secret !== null) lines.push(`Authorization: Bearer ${secret}`);
  client.write([...lines, ...fields, 'Expect: 100-continue', '', '{"name":'].join('\r\n'));
  await client.until('HTTP/1.1 ');
  return client;
}

const beginMany = (t: Test, postern: Postern, count: number, upload: Upload = {}): Promise<RawClient[]> =>
  Promise.all(Array.from({ length: count }, () => beginUpload(t, postern, upload)));

const statusOf = async ({ url }: Postern, secret = 'secret-of-other', path = '/profile'): Promise<number> =>
  (await fetch(url + path, { headers: { authorization: `Bearer ${secret}` } })).status;

const refused = (clients: readonly RawClient[]): readonly RawClient[] =>
  clients.filter(({ text }) => text.includes('HTTP/1.1 503 '));

/** The first line about a request that was turned away, with that which says why. */
function whyOverloaded({ lines }: Postern): Record<string, unknown> {
  const line = lines.find(({ reason }) => reason === 'overloaded');
  return {
    ...line,
    why: lines.find(({ msg, requestId }) => msg === 'why' && requestId === line?.['requestId'])?.['why'],
  };
}

t.test('unfinished uploads of one key leave the other keys their connections', async (t) => {
  const { postern, backend } = await start(t);
  const uploads = await beginMany(t, postern, 128);
  await eventually(() => backend.begun() === 64, 'half of the connections to be taken');
  t.equal(await statusOf(postern), 204);
  t.equal(backend.begun(), 65);
  t.ok(
    uploads.every(({ text }) => text === 'HTTP/1.1 100 Continue\r\n\r\n'),
    'and none of these has ended',
  );
  for (const upload of uploads) upload.write(`"a"}${' '.repeat(88)}`);
  for (const upload of uploads) await upload.until('HTTP/1.1 204 ');
  t.equal(await postern.metric('postern_requests_in_flight{api="integration"}'), 0);
});

t.test('one key fills its own part of the line, and is told why', async (t) => {
  const { postern, backend } = await start(t, { maxConnections: 4 });
  const uploads = await beginMany(t, postern, 2 + 2 * 8 + 3);
  await eventually(() => uploads.filter(({ text }) => text.includes(' 503 ')).length === 3, 'three to be turned away');
  await eventually(() => backend.begun() === 2, 'its share to be taken');
  t.equal(await statusOf(postern), 204);
  const rejected = 'postern_rejections_total{api="integration",key="greedy",reason="overloaded",mode="enforce"}';
  t.equal(await postern.metric(rejected), 3);
  t.match(whyOverloaded(postern), { keyId: 'greedy', status: 503, why: /share .*\(maxConnectionsPerKey\)/ });
});

t.test('callers without a known key have one share together', async (t) => {
  const { postern, backend } = await start(t, { enforcement: 'report', maxConnections: 4 });
  await beginMany(t, postern, 3, { secret: 'nobody knows it' });
  await beginMany(t, postern, 3, { secret: null });
  await eventually(() => backend.begun() === 2, 'their share to be taken');
  t.equal(await statusOf(postern), 204);
  t.equal(backend.begun(), 3);
});

t.test('a share that is made smaller holds for what comes then', async (t) => {
  const { postern, backend, config } = await start(t, { maxConnections: 8, maxConnectionsPerKey: 8 });
  const first = await beginMany(t, postern, 6);
  await eventually(() => backend.begun() === 6, 'all of them to go');
  postern.writeConfig(config({ maxConnectionsPerKey: 1 }));
  await postern.sidecar.reload();
  const second = await beginMany(t, postern, 2);
  await eventually(() => backend.begun() === 7, 'one of them to go');
  t.equal(await statusOf(postern), 204);
  t.equal(backend.begun(), 8);
  for (const upload of [...first, ...second]) upload.write(`"a"}${' '.repeat(88)}`);
  for (const upload of [...first, ...second]) await upload.until('HTTP/1.1 204 ');
  t.equal(backend.begun(), 9);
});

t.test('bodies that are waited for leave the other keys room under maxRequestsInFlight', async (t) => {
  const { postern } = await start(t, {}, { maxRequestsInFlight: 40 });
  const uploads = await beginMany(t, postern, 25, { secret: 'secret-of-limited' });
  t.equal(refused(uploads).length, 5);
  t.equal(await statusOf(postern), 204);
  t.match(whyOverloaded(postern), { keyId: 'limited', why: /^20 requests of key limited are under way/ });
});

t.test('bodies in memory leave the other keys room under maxBodyBytesInFlight, and it comes back', async (t) => {
  const { postern } = await start(t, {}, { maxBodyBytesInFlight: 200_000 });
  /** A body that is valid in the end, of which all but its last byte comes. */
  const upload = async (secret: string, fields: readonly string[] = []) => {
    const client = new RawClient(t, postern.port);
    const body = `{"name":"a"}${' '.repeat(60_000)}`;
    const lines = [
      'POST /event/ingest HTTP/1.1',
      'Host: a',
      'Content-Type: application/json',
      `Authorization: Bearer ${secret}`,
    ];
    client.write([...lines, ...fields, `Content-Length: ${body.length}`, '', body.slice(0, -1)].join('\r\n'));
    return client;
  };
  const first = await upload('secret-of-limited');
  const key = 'postern_requests_in_flight{api="integration"}';
  await eventually(async () => (await postern.metric(key)) === 1, 'it to be under way');
  const second = await upload('secret-of-limited');
  await second.until('HTTP/1.1 503 ');
  t.match(whyOverloaded(postern), {
    keyId: 'limited',
    why: /^\d+ bytes of the bodies of requests of key limited are in memory/,
  });
  t.equal(await statusOf(postern), 204);
  first.write(' ');
  await first.until('HTTP/1.1 204 ');
  const third = await upload('secret-of-limited');
  third.write(' ');
  await third.until('HTTP/1.1 204 ');
});

t.test('what a compressed body becomes is counted, too; a quarter of the memory is for bodies', async (t) => {
  t.intercept(process, 'constrainedMemory', { value: () => 800_000 });
  const { postern } = await start(t);
  const send = async (bytes: number): Promise<Response> =>
    fetch(`${postern.url}/event/ingest`, {
      method: 'POST',
      headers: {
        authorization: 'Bearer secret-of-limited',
        'content-type': 'application/json',
        'content-encoding': 'gzip',
      },
      body: gzipSync(`{"name":"a"}${' '.repeat(bytes)}`),
    });
  const held = new RawClient(t, postern.port);
  held.write(
    `POST /event/ingest HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer secret-of-limited\r\nContent-Length: 60000\r\n\r\n${' '.repeat(50_000)}`,
  );
  await eventually(
    async () => (await postern.metric('postern_requests_in_flight{api="integration"}')) === 1,
    'it to be under way',
  );
  t.equal((await send(10_000)).status, 204);
  t.equal((await send(80_000)).status, 503);
});

t.test('strangers who never end their bodies leave room for keys, and one address for other addresses', async (t) => {
  const { postern } = await start(
    t,
    { credential: ['bearer', 'body:api_key'] },
    { maxRequestsInFlight: 80, trustedProxies: ['127.0.0.1'] },
  );
  const from = (address: string) => ({ secret: null, fields: [`X-Forwarded-For: ${address}`] });
  t.equal(refused(await beginMany(t, postern, 25, from('192.0.2.1'))).length, 5);
  t.equal(refused(await beginMany(t, postern, 20, from('192.0.2.2'))).length, 0, 'another address has its part');
  t.equal(refused(await beginMany(t, postern, 1, from('192.0.2.3'))).length, 1, 'of what all strangers have');
  t.equal(await statusOf(postern), 204);
  t.equal(refused(await beginMany(t, postern, 10, { secret: 'secret-of-limited' })).length, 0);
});

t.test('one API whose backend hangs leaves room for the other', async (t) => {
  const { postern } = await start(t, {}, { maxRequestsInFlight: 80 });
  for (const secret of ['secret-of-limited', 'secret-of-greedy', 'secret-of-greedy-too'])
    await beginMany(t, postern, 30, { secret });
  t.equal(await postern.metric('postern_requests_in_flight{api="integration"}'), 60);
  const pair = { clientSecret: 'client-secret-of-dashboard', environmentApiKey: 'api-key' };
  const answer = await fetch(`${postern.url}/metrics/auth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(pair),
  });
  const { accessToken } = (await answer.json()) as { accessToken: string };
  t.equal(await statusOf(postern, accessToken, '/metrics/query'), 204);
});
