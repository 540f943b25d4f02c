import type { ServerResponse } from 'node:http';
import t from 'tap';
import type { RecordedRequest } from '../support/backend.ts';
import { cacheStatus, startMetrics } from '../support/metrics-api.ts';
import { sendRaw } from '../support/raw-http.ts';

interface Pair {
  readonly name: string;
  readonly first: Asked;
  readonly second: Asked;
  /** Whether the second may be answered with the first's answer. */
  readonly shares: boolean;
  readonly respond?: (req: RecordedRequest, res: ServerResponse) => void;
}

interface Asked {
  readonly path?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

const PAIRS: readonly Pair[] = [
  { name: 'the same twice', first: {}, second: {}, shares: true },
  { name: 'another body', first: { body: '{"a":1}' }, second: { body: '{"a":2}' }, shares: false },
  { name: 'a body with other spaces', first: { body: '{"a":1}' }, second: { body: '{"a": 1}' }, shares: false },
  { name: 'a body that is empty', first: { body: '{}' }, second: { body: '' }, shares: false },
  {
    name: 'bytes moved from the query to the body',
    first: { path: '/metrics/query?a', body: '{}' },
    second: { path: '/metrics/query?', body: 'a{}' },
    shares: false,
  },
  {
    name: 'bytes moved from the path to the query',
    first: { path: '/metrics/query/a' },
    second: { path: '/metrics/query?/a' },
    shares: false,
  },
  {
    name: 'another path',
    first: { path: '/metrics/query/one' },
    second: { path: '/metrics/query/other' },
    shares: false,
  },
  {
    name: 'a path in other letters',
    first: { path: '/metrics/query/letters' },
    second: { path: '/metrics/query/LETTERS' },
    shares: false,
  },
  {
    name: 'a path in an escape of the same letter',
    first: { path: '/metrics/query/ab' },
    second: { path: '/metrics/query/%61b' },
    shares: true,
  },
  {
    name: 'another query string',
    first: { path: '/metrics/query?a=1' },
    second: { path: '/metrics/query?a=2' },
    shares: false,
  },
  {
    name: 'a query string in another order',
    first: { path: '/metrics/query?a=1&b=2' },
    second: { path: '/metrics/query?b=2&a=1' },
    shares: false,
  },
  { name: 'another content type', first: {}, second: { headers: { 'content-type': 'text/plain' } }, shares: false },
  { name: 'another content coding', first: {}, second: { headers: { 'content-encoding': 'gzip' } }, shares: false },
  { name: 'no-store', first: {}, second: { headers: { 'cache-control': 'no-store' } }, shares: false },
  { name: 'no-cache', first: {}, second: { headers: { 'cache-control': 'no-cache' } }, shares: false },
  { name: 'max-age=0', first: {}, second: { headers: { 'cache-control': 'max-age=0, x=1' } }, shares: true },
  ...[
    'set-cookie: a=1',
    'cache-control: no-store',
    'cache-control: private, No-Store',
    'vary: *',
    'vary: accept, *',
    'vary: a b',
  ].map((line): Pair => ({
    name: `an answer with ${line}`,
    first: {},
    second: {},
    shares: false,
    respond: (_req, res) => void res.setHeader(line.split(': ')[0] as string, line.split(': ')[1] as string).end('{}'),
  })),
  ...[201, 203, 204, 206, 301, 304, 400, 401, 404, 500, 503].map((status): Pair => ({
    name: `an answer ${status}`,
    first: {},
    second: {},
    shares: false,
    respond: (_req, res) => void res.writeHead(status).end(),
  })),
  ...['accept-language', 'x-tenant', 'cookie', 'user-agent'].map((name): Pair => ({
    name: `Vary: ${name}, with another value`,
    first: { headers: { [name]: 'a' } },
    second: { headers: { [name]: 'b' } },
    shares: false,
    respond: (req, res) => void res.setHeader('vary', name.toUpperCase()).end(req.headers[name]),
  })),
  ...['X-Forwarded-User', 'Remote-User', 'X-Auth-Request-Email'].map((name): Pair => ({
    name: `${name}, with another user`,
    first: { headers: { [name]: 'a' } },
    second: { headers: { [name]: 'b' } },
    shares: false,
  })),
  {
    name: 'Vary with the same value',
    first: { headers: { 'x-tenant': 'a' } },
    second: { headers: { 'x-tenant': 'a' } },
    shares: true,
    respond: (_req, res) => void res.setHeader('vary', 'X-Tenant').end('{}'),
  },
  {
    name: 'Vary with values that join alike',
    first: { headers: { 'x-a': '1', 'x-b': '23' } },
    second: { headers: { 'x-a': '12', 'x-b': '3' } },
    shares: false,
    respond: (_req, res) => void res.setHeader('vary', 'x-a, x-b').end('{}'),
  },
  {
    name: 'an answer of another coding',
    first: { headers: { 'accept-encoding': 'gzip' } },
    second: { headers: { 'accept-encoding': 'identity' } },
    shares: false,
    respond: (req, res) =>
      void (req.headers['accept-encoding'] === 'gzip' ? res.setHeader('content-encoding', 'x-test') : res).end('{}'),
  },
  {
    name: 'a conditional request',
    first: { headers: { 'if-none-match': '"a"' } },
    second: {},
    shares: false,
    respond: (req, res) => void res.writeHead(req.headers['if-none-match'] === undefined ? 200 : 304).end(),
  },
  {
    name: 'a part',
    first: { headers: { range: 'bytes=0-1' } },
    second: {},
    shares: false,
    respond: (req, res) => void res.writeHead(req.headers.range === undefined ? 200 : 206).end('{}'),
  },
];

t.test('an answer is shared by those alone who asked exactly for it', async (t) => {
  let respond: Pair['respond'];
  const { backend, obtainToken, query } = await startMetrics(t, {
    respond: (req, res) => (respond === undefined ? void res.end('{}') : respond(req, res)),
  });
  const token = await obtainToken();
  for (const [i, pair] of PAIRS.entries()) {
    respond = pair.respond;
    const before = backend.requests.length;
    // A path of its own keeps the pairs from meeting.
    const own = ({ path = '/metrics/query', ...rest }: Asked): Asked => ({
      ...rest,
      path: `${path}${path.includes('?') ? '&' : '?'}case=${i}`,
    });
    const plain = (asked: Asked): Asked => (asked.path === undefined ? own(asked) : asked);
    for (const asked of [pair.first, pair.second]) await (await query(token, plain(asked))).arrayBuffer();
    t.equal(backend.requests.length - before, pair.shares ? 1 : 2, pair.name);
  }
});

t.test('nothing comes from the cache before access is decided', async (t) => {
  const { backend, postern, obtainToken, query } = await startMetrics(t);
  const token = await obtainToken();
  t.equal(cacheStatus(await query(token, { body: '{}' })), 'postern; fwd=miss; stored');
  for (const [headers, status] of [
    [{ authorization: 'Bearer x' }, 401],
    [{ origin: 'https://app.example' }, 403],
    [{ 'sec-fetch-site': 'none' }, 403],
  ] as const) {
    const answer = await query(token, { body: '{}', headers });
    t.same([answer.status, cacheStatus(answer)], [status, null]);
  }
  postern.writeKeys([]);
  await postern.sidecar.reload();
  t.equal((await query(token, { body: '{}' })).status, 401, 'not even for a token that was good');
  t.equal(backend.requests.length, 1);
});

t.test('answers of one key are never served to the next one', async (t) => {
  const { backend, postern, query } = await startMetrics(t);
  const definition = (id: string) => ({
    id,
    type: 'metrics',
    apiKey: `api-key-of-${id}`,
    secrets: [{ value: `client-secret-of-${id}` }],
  });
  const use = async (id: string): Promise<string | null> => {
    postern.writeKeys([definition(id)]);
    await postern.sidecar.reload();
    const pair = { clientSecret: `client-secret-of-${id}`, environmentApiKey: `api-key-of-${id}` };
    const answer = await fetch(`${postern.url}/metrics/auth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(pair),
    });
    const { accessToken } = (await answer.json()) as { accessToken: string };
    return cacheStatus(await query(accessToken, { body: '{}' }));
  };
  t.match(await use('first'), /stored/);
  t.match(await use('second'), /stored/);
  t.match(await use('first'), /hit/);
  t.equal(backend.requests.length, 2);
});

t.test('a backend that gets the client\u2019s Host answers each Host for itself', async (t) => {
  const { postern, obtainToken } = await startMetrics(t, {
    api: { preserveHost: true },
    respond: ({ headers }, res) => void res.end(`for ${headers.host}`),
  });
  const token = await obtainToken();
  const ask = async (host: string): Promise<string> => {
    const fields = [`Host: ${host}`, `Authorization: Bearer ${token}`, 'Content-Type: application/json'];
    const bytes = `POST /metrics/query HTTP/1.1\r\n${fields.join('\r\n')}\r\nContent-Length: 2\r\n\r\n{}`;
    const { body, headers } = await sendRaw(postern.port, bytes);
    return `${body}, ${/hit|miss/.exec(headers['cache-status'] ?? '')?.[0]}`;
  };
  t.equal(await ask('evil.test'), 'for evil.test, miss');
  t.equal(await ask('good.test'), 'for good.test, miss');
  t.equal(await ask('good.test'), 'for good.test, hit');
});
