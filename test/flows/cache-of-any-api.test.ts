import t from 'tap';
import { startBackend, type RecordedRequest } from '../support/backend.ts';
import { written } from '../support/flow.ts';
import { startPostern } from '../support/postern.ts';
import { sendRaw } from '../support/raw-http.ts';
import type { ServerResponse } from 'node:http';

const READER = 'secret-of-the-reader-key';
const OTHER = 'secret-of-the-other-key';
const PAGE = 'secret-of-the-page-key';

/** Two APIs in front of one backend that numbers its answers, and says what it is told to. */
async function start(t: Parameters<typeof startPostern>[0], api: object = {}) {
  const told: { headers: Record<string, string>; status: number } = { headers: {}, status: 200 };
  let answered = 0;
  const backend = await startBackend(t, (_req: RecordedRequest, res: ServerResponse) => {
    res.writeHead(told.status, told.headers).end(`answer ${++answered}`);
  });
  const routes = [
    { method: 'GET', path: '/items/:id', cacheMinutes: 5 },
    { method: 'POST', path: '/search', cacheMinutes: 1 },
    { method: 'GET', path: '/public/:file', cacheMinutes: 5, public: true },
    { method: 'GET', path: '/plain/:id' },
  ];
  const prefixed = (prefix: string) => routes.map((route) => ({ ...route, path: prefix + route.path }));
  const postern = await startPostern(t, {
    config: {
      apis: {
        orders: { upstream: backend.url, paths: ['/a'], routes: prefixed('/a'), ...api },
        billing: {
          upstream: backend.url,
          paths: ['/b'],
          routes: prefixed('/b').map((route) => ({ ...route, rewrite: route.path.replace('/b', '/a') })),
        },
      },
    },
    keys: [
      { id: 'reader', type: 'read-write', secret: READER },
      { id: 'other', type: 'read-write', secret: OTHER },
      {
        id: 'page',
        type: 'read-only',
        secret: PAGE,
        allowBrowsers: true,
        allowedOrigins: ['https://a.test', 'https://b.test'],
      },
    ],
  });
  const ask = async (
    path: string,
    { method = 'GET', secret = READER as string | null, headers = {}, body = undefined as string | undefined } = {},
  ) => {
    const answer = await fetch(postern.url + path, {
      method,
      headers: { ...(secret === null ? {} : { authorization: `Bearer ${secret}` }), ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    return { text, status: answer.headers.get('cache-status'), headers: answer.headers, code: answer.status };
  };
  const say = (headers: Record<string, string>, status = 200) => Object.assign(told, { headers, status });
  return { backend, postern, ask, say };
}

t.test('a route that says so is kept for each key by itself, and no other is', async (t) => {
  const { backend, ask } = await start(t);
  const first = await ask('/a/items/1');
  t.equal(first.status, 'postern; fwd=miss; stored');
  const again = await ask('/a/items/1');
  t.same([again.text, again.code], [first.text, 200]);
  t.match(again.status, /^postern; hit; ttl=\d+$/);
  t.match(again.headers.get('age'), /^\d+$/);
  for (const [path, asked] of [
    ['/a/items/1', { secret: OTHER }],
    ['/a/items/1?x', {}],
    ['/b/items/1', {}],
    ['/a/items/1', { headers: { cookie: 'session=1' } }],
    ['/a/search', { method: 'POST', body: 'one' }],
    ['/a/search', { method: 'POST', body: 'two' }],
  ] as const) {
    const [own, kept] = [await ask(path, asked), await ask(path, asked)];
    t.not(own.text, first.text, `${path} ${JSON.stringify(asked)}`);
    t.match([own.status, kept.status, kept.text], [/stored/, /hit/, own.text]);
  }
  t.same([(await ask('/a/plain/1')).status, (await ask('/a/plain/1')).status], [null, null]);
  t.equal(backend.requests.length, 9);
});

t.test('HEAD is answered from the entry of GET, and makes none', async (t) => {
  const { backend, ask, say } = await start(t);
  say({ 'content-length': '8', 'x-kind': 'json' });
  t.equal((await ask('/a/items/1', { method: 'HEAD' })).status, 'postern; fwd=miss');
  t.equal((await ask('/a/items/1')).status, 'postern; fwd=miss; stored');
  const head = await ask('/a/items/1', { method: 'HEAD' });
  t.match(
    [head.text, head.status, head.headers.get('x-kind'), head.headers.get('content-length')],
    ['', /hit/, 'json', '8'],
  );
  t.equal(
    (await ask('/a/items/1', { method: 'HEAD', headers: { 'cache-control': 'no-cache' } })).status,
    'postern; fwd=request',
  );
  t.match((await ask('/a/items/1')).status, /hit/);
  t.equal(backend.requests.length, 3);
});

t.test('a part of an answer, or an answer under a condition, is the backend\u2019s to give', async (t) => {
  const { ask } = await start(t);
  await ask('/a/items/1');
  for (const [name, value] of [
    ['range', 'bytes=0-1'],
    ['if-none-match', '"a"'],
    ['if-match', '"a"'],
    ['if-modified-since', 'Thu, 01 Jan 2026 00:00:00 GMT'],
    ['if-unmodified-since', 'Thu, 01 Jan 2026 00:00:00 GMT'],
  ] as const)
    t.equal((await ask('/a/items/1', { headers: { [name]: value } })).status, 'postern; fwd=request', name);
  t.equal((await ask('/a/items/1')).text, 'answer 1', 'nothing of it was kept');
});

t.test('an end user who is passed on is one of his own', async (t) => {
  const { backend, ask } = await start(t, { authorization: 'pass', credential: ['header:x-api-key'] });
  const user = (name: string) => ask('/a/items/1', { secret: name, headers: { 'x-api-key': READER } });
  const [alice, bob, again] = [await user('alice'), await user('bob'), await user('alice')];
  t.match([bob.status, again.status, again.text], ['postern; fwd=miss; stored', /hit/, alice.text]);
  t.equal(backend.requests.length, 2);
});

t.test('a credential in the query goes neither to the backend nor into the entry', async (t) => {
  const { backend, ask } = await start(t, { credential: ['query:key'] });
  const first = await ask(`/a/items/1?key=${READER}&x=1`, { secret: null });
  const second = await ask(`/a/items/1?x=1&key=${READER}`, { secret: null });
  t.match([second.text, second.status], [first.text, /hit/]);
  t.equal(backend.requests[0]?.url, '/a/items/1?x=1');
});

t.test('what needs no key is shared by all, but not what one of them could have had made', async (t) => {
  const { ask, say } = await start(t);
  const first = await ask('/a/public/f', { secret: null });
  const other = await ask('/a/public/f', { secret: 'nobody-knows-it', headers: { 'user-agent': 'another' } });
  t.match([other.text, other.status], [first.text, /hit/]);
  for (const headers of [
    { 'x-host': 'evil.test' },
    { 'x-forwarded-server': 'evil.test' },
    { cookie: 'a=1' },
    { accept: 'text/html' },
  ])
    t.match((await ask('/a/public/f', { secret: null, headers })).status, /stored/, JSON.stringify(headers));
  t.equal((await ask('/a/public/f', { secret: null })).text, first.text);
  say({ 'cache-control': 'private, max-age=60' });
  for (let n = 0; n < 2; n++) t.equal((await ask('/a/public/g', { secret: null })).status, 'postern; fwd=miss');
  t.match(
    [(await ask('/a/items/2')).status, (await ask('/a/items/2')).status],
    [/stored/, /hit/],
    'one key is one holder',
  );
});

t.test('a kept answer carries the CORS fields of the page that asks', async (t) => {
  const { ask, say } = await start(t);
  say({ 'access-control-allow-origin': '*', 'x-kind': 'json' });
  for (const origin of ['https://a.test', 'https://b.test', 'https://a.test']) {
    const answer = await ask('/a/items/3', { secret: PAGE, headers: { origin } });
    t.same([answer.headers.get('access-control-allow-origin'), answer.headers.get('x-kind')], [origin, 'json']);
  }
  t.match((await ask('/a/items/3', { secret: PAGE, headers: { origin: 'https://b.test' } })).status, /hit/);
});

t.test('an API that fails is answered for by what was kept, if it says so', async (t) => {
  const { ask, say } = await start(t, { cache: { maxBytes: 0, maxEntryBytes: 0 } });
  t.equal((await ask('/a/items/1')).status, 'postern; fwd=miss', 'no room');
  say({}, 500);
  const failed = await ask('/b/items/1');
  t.same([failed.code, failed.status], [500, 'postern; fwd=miss']);
});

t.test('the name that was asked is one question for strangers, and no matter to a single holder', async (t) => {
  const { postern } = await start(t);
  const asked = async (target: string, host: string) => {
    const bytes = written({ method: 'GET', target, secret: READER })
      .toString()
      .replace('Host: api.test', `Host: ${host}`);
    return (await sendRaw(postern.port, bytes)).headers['cache-status'];
  };
  t.match([await asked('/a/items/9', 'one.test'), await asked('/a/items/9', 'two.test')], [/stored/, /hit/]);
  t.match([await asked('/a/public/p', 'one.test'), await asked('/a/public/p', 'evil.test')], [/stored/, /stored/]);
  t.match(await asked('/a/public/p', 'one.test'), /hit/);
});

t.test('what the backend gets in place of a credential is never shared by those who show another', async (t) => {
  let answered = 0;
  const answer = (name: string) => (_req: RecordedRequest, res: ServerResponse) =>
    void res.writeHead(200).end(`${name} ${++answered}`);
  const backend = await startBackend(t, answer('main'));
  const files = await startBackend(t, answer('files'));
  const routes = (prefix: string) => [
    { method: 'GET', path: `${prefix}/public`, cacheMinutes: 5, public: true },
    { method: 'GET', path: `${prefix}/one`, rewrite: '/both', cacheMinutes: 5 },
    { method: 'GET', path: `${prefix}/two`, rewrite: '/both', cacheMinutes: 5, upstream: files.url },
  ];
  const credential = ['bearer', 'basic-username', 'header:x-api-key'];
  const api = (prefix: string, authorization: unknown) => ({
    upstream: backend.url,
    paths: [prefix],
    credential,
    authorization,
    routes: routes(prefix),
  });
  const postern = await startPostern(t, {
    config: {
      apis: {
        passing: api('/pass', 'pass'),
        naming: api('/name', { 'basic-username': 'Basic Yjo=', 'header:x-api-key': 'upstream-key', bearer: 'strip' }),
        plain: { upstream: backend.url, paths: ['/plain'], routes: routes('/plain') },
      },
    },
    keys: [{ id: 'reader', type: 'read-write', secret: READER }],
  });
  const ask = async (path: string, headers: Record<string, string> = {}): Promise<string> => {
    const got = await fetch(postern.url + path, { headers });
    return `${(await got.text()).split(' ')[0]} ${(got.headers.get('cache-status') ?? '').includes('hit') ? 'hit' : 'miss'}`;
  };
  const shown = [
    {},
    { 'x-api-key': 'alice' },
    { 'x-api-key': 'bob' },
    { authorization: 'Bearer alice' },
    { authorization: 'Basic Ym9iOg==' },
    { 'sec-key': 'alice' },
  ];
  for (const headers of shown) t.equal(await ask('/pass/public', headers), 'main miss');
  for (const headers of shown) t.equal(await ask('/pass/public', headers), 'main hit');
  // What it gets is what counts: the same text for everybody who shows one in that place.
  t.equal(await ask('/name/public'), 'main miss');
  t.equal(await ask('/name/public', { 'x-api-key': 'alice' }), 'main miss');
  t.equal(await ask('/name/public', { 'x-api-key': 'bob' }), 'main hit');
  t.equal(await ask('/name/public', { authorization: 'Basic Ym9iOg==' }), 'main miss');
  t.equal(await ask('/name/public', { authorization: 'Bearer alice' }), 'main hit');
  const reader = { authorization: `Bearer ${READER}` };
  for (const prefix of ['/plain', '/name']) {
    t.equal(await ask(`${prefix}/one`, reader), 'main miss');
    t.equal(await ask(`${prefix}/two`, reader), 'files miss');
    t.equal(await ask(`${prefix}/two`, reader), 'files hit');
  }
});
