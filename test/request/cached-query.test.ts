/** What a cache is asked of a request, and how its answer reaches the client. What is kept is tested in test/cache. */
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { createMemoryStore } from '../../src/cache/memory-store.ts';
import type { Answer } from '../../src/cache/store.ts';
import { createResponseCache } from '../../src/cache/response-cache.ts';
import type { Key } from '../../src/keys/key.ts';
import { compileRoutes } from '../../src/policy/route.ts';
import { readHeaders } from '../../src/policy/header-facts.ts';
import { CachedQuery } from '../../src/request/cached-query.ts';
import { shapeOf } from '../../src/request/cache-shape.ts';
import type { Exchange } from '../../src/request/exchange.ts';
import type { Routed } from '../../src/request/passage.ts';
import type { Upstream } from '../../src/upstream/pool.ts';
import { exchangeWith, serveGateway, type GatewayGiven } from '../support/exchanges.ts';
import { apiRules, bearer, factsOf, judged, key, rulesOf } from '../support/passages.ts';
import { sendRaw } from '../support/raw-http.ts';
import { RawClient } from '../support/upstream.ts';

const ROUTES = compileRoutes([
  { method: 'GET', path: '/users/:id', cacheMinutes: 5 },
  { method: 'POST', path: '/query', cacheMinutes: 5 },
  { method: 'GET', path: '/open', cacheMinutes: 1, public: true },
]);
const UPSTREAM = { host: 'backend.test', preserveHost: false } as Upstream;
const BODY = Buffer.from('{"a":1}');

function queryOf(
  method: string,
  target: string,
  {
    fields = [],
    holder = {},
    upstream = UPSTREAM,
    settle = () => {},
  }: { fields?: string[]; holder?: Partial<Key>; upstream?: Upstream; settle?: () => void } = {},
): { readonly query: CachedQuery; readonly exchange: Routed<Exchange> } {
  const rules = rulesOf([key('k', { type: 'read-write', ...holder })], { integration: apiRules({ router: ROUTES }) });
  const rawHeaders = ['Host', 'api.test', ...bearer('k'), ...fields];
  const exchange = exchangeWith(factsOf({ method, target, rawHeaders, headers: readHeaders(rawHeaders) }), rules);
  judged(exchange);
  const routed = exchange as Routed<Exchange>;
  const world = { ending: { settle } as never, now: () => 0 };
  return { exchange: routed, query: new CachedQuery({ exchange: routed, body: BODY, upstream, world }) };
}

t.test('the query says everything that shapes an answer', (t) => {
  const { query, exchange } = queryOf('POST', '/query?a=%zz', {
    fields: ['Content-Type', 'a/b', 'Content-Encoding', 'gzip', 'Cache-Control', 'no-cache', 'Range', 'bytes=0-1'],
  });
  t.match(query, {
    holder: exchange.identity?.key,
    ttlMs: 300_000,
    isHead: false,
    isConditional: true,
    isShared: false,
    method: 'POST',
    target: '/query?a=%zz',
    contentType: 'a/b',
    contentEncoding: 'gzip',
    cacheControl: 'no-cache',
  });
  t.equal(query.host, undefined, 'the backend gets a Host of its own');
  t.equal(query.body, BODY);
  t.equal(query.shape, shapeOf(exchange));
  const read = queryOf('GET', '/users/1').query;
  t.same([read.method, read.isHead, read.isConditional, read.contentType], ['GET', false, false, undefined]);
  const head = queryOf('HEAD', '/users/1').query;
  t.same([head.method, head.isHead], ['GET', true], 'from the entry of GET');
  t.end();
});

t.test('the Host is a part of it where the backend gets it, or strangers share the answer', (t) => {
  const preserving = { ...UPSTREAM, preserveHost: true };
  t.equal(queryOf('GET', '/users/1', { upstream: preserving }).query.host, 'api.test');
  const open = queryOf('GET', '/open').query;
  t.same([open.host, open.isShared, open.holder.id], ['api.test', true, '']);
  const ofPage = queryOf('GET', '/users/1', { holder: { allowBrowsers: true } }).query;
  t.same([ofPage.host, ofPage.isShared, ofPage.holder.id], ['api.test', true, 'k']);
  t.end();
});

t.test('the request to the backend is made once, when it is needed', (t) => {
  const { query } = queryOf('GET', '/users/1');
  t.equal(query.request(), query.request());
  t.equal(query.headers(), query.request().headers);
  t.equal(query.request().target, '/users/1');
  t.end();
});

/** A gateway with a cache and a clock that goes on by half a second more each time it is asked. */
async function caching(t: Test, respond: NonNullable<GatewayGiven['respond']>, staleIfErrorMs = 0) {
  let now = 0;
  const store = createMemoryStore({ maxBytes: 100_000, now: () => now });
  const cache = createResponseCache({
    settings: { scope: 's', maxEntryBytes: 1000, staleIfErrorMs },
    store,
    now: () => now,
  });
  let ticks = 0;
  let asked = 0;
  const rules = rulesOf([key('k', { type: 'read-write' })], { integration: apiRules({ router: ROUTES }) });
  const served = await serveGateway(t, {
    rules: () => rules,
    respond,
    world: { cacheOf: () => cache, now: () => (ticks += 500 * ++asked) },
  });
  const ask = (method: string, target: string, body = '') =>
    sendRaw(
      served.port,
      `${method} ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${bearer('k').join(': ')}\r\n` +
        `${body === '' ? '' : `Content-Length: ${body.length}\r\n`}\r\n${body}`,
      { untilClose: true },
    );
  return { ...served, ask, wait: (ms: number) => void (now += ms) };
}

t.test('the second answer is the kept one, with an id of its own, and HEAD gets its head alone', async (t) => {
  const { ask, backend, outcomes } = await caching(
    t,
    (req, res) => void res.setHeader('X-A', 'b').end(`of ${req.url}`),
  );
  const first = await ask('GET', '/users/1');
  const second = await ask('GET', '/users/1');
  const head = await ask('HEAD', '/users/1');
  t.same([first.body, second.body, head.body], ['of /users/1', 'of /users/1', '']);
  t.same([second.headers['x-a'], head.headers['x-a']], ['b', 'b']);
  t.same([second.headers['content-length'], head.headers['content-length']], ['11', '11']);
  t.not(first.headers['x-request-id'], second.headers['x-request-id']);
  t.match(first.headers['cache-status'], /stored/);
  t.match(second.headers['cache-status'], /hit/);
  t.equal(backend.requests.length, 1);
  t.same(
    outcomes.map(({ cache, upstreamSeconds, status }) => [cache, upstreamSeconds, status]),
    [
      ['miss', 2.5, 200],
      ['hit', null, 200],
      ['hit', null, 200],
    ],
  );
});

t.test('a body is a part of the question, and reaches the backend', async (t) => {
  const { ask, backend } = await caching(t, (req, res) => void res.end(req.body));
  t.equal((await ask('POST', '/query', '{"a":1}')).body, '{"a":1}');
  t.equal((await ask('POST', '/query', '{"a":2}')).body, '{"a":2}');
  t.equal((await ask('POST', '/query', '{"a":1}')).body, '{"a":1}');
  t.equal(backend.requests.length, 2);
});

t.test('an answer that is not kept streams on with its trailers', async (t) => {
  const { ask, outcomes } = await caching(t, (_req, res) => {
    res.writeHead(200, { Trailer: 'X-T', 'Cache-Control': 'no-store' });
    res.write('a');
    res.addTrailers({ 'X-T': 'end' });
    res.end('b');
  });
  const { text } = await ask('GET', '/users/1');
  t.match(text, /X-T: end/);
  t.same(
    outcomes.map(({ upstreamSeconds }) => upstreamSeconds),
    [2.5],
    'counted from when the backend was asked',
  );
});

t.test('how the backend failed is noted, also where an expired answer stands in', async (t) => {
  let fails = false;
  const respond: NonNullable<GatewayGiven['respond']> = (_req, res) => void (fails ? res.destroy() : res.end('kept'));
  const without = await caching(t, respond);
  const within = await caching(t, respond, 600_000);
  await within.ask('GET', '/users/1');
  fails = true;
  const refused = await without.ask('GET', '/users/1');
  t.equal(refused.status, 502);
  t.match(refused.headers['cache-status'], /^postern; fwd=miss$/);
  t.match(without.outcomes[0], { refusal: { code: 'upstream_unreachable' }, upstreamSeconds: null });
  t.not(without.outcomes[0]?.upstreamFailure, null);
  within.wait(300_001);
  t.equal((await within.ask('GET', '/users/1')).body, 'kept');
  t.equal(within.outcomes[1]?.cache, 'stale');
  t.not(within.outcomes[1]?.upstreamFailure, null);
});

t.test('who leaves while the backend is asked ends alone, and is recorded as gone', async (t) => {
  const answers: (() => void)[] = [];
  const { port, server, backend, outcomes, ask } = await caching(
    t,
    (_req, res) => void answers.push(() => res.end('late')),
  );
  const leaving = new RawClient(t, port);
  leaving.write(`GET /users/1 HTTP/1.1\r\nHost: a\r\n${bearer('k').join(': ')}\r\n\r\n`);
  await backend.next();
  const asked = once(server, 'request');
  const waiting = ask('GET', '/users/1');
  await asked;
  leaving.socket.destroy();
  await once(leaving.socket, 'close');
  while (outcomes.length === 0) await new Promise(setImmediate);
  answers[0]?.();
  t.equal((await waiting).body, 'late');
  t.match(outcomes, [{ status: 499 }, { status: 200, cache: 'coalesced' }]);
  t.equal(backend.requests.length, 1);
});

t.test('whose client has left by the end of the turn, or who was answered, is sent nothing more', async (t) => {
  const kept: Answer = { status: 200, statusText: 'OK', headers: ['X-A', 'b'], body: Buffer.from('kept') };
  const answered = async (destroyed: boolean, settled: boolean) => {
    const told: string[] = [];
    const { query, exchange } = queryOf('GET', '/users/1', { settle: () => void told.push('settled') });
    const res = {
      destroyed: false,
      socket: null,
      writableLength: 0,
      writeHead: () => void told.push('head'),
      end: () => void told.push('end'),
    };
    Object.assign(exchange, { res, settled, abort: () => told.push('stopped') });
    query.onAnswer(kept);
    res.destroyed = destroyed;
    await new Promise(setImmediate);
    return told;
  };
  t.same(await answered(false, false), ['head', 'stopped', 'settled', 'end']);
  t.same(await answered(true, false), ['head', 'stopped', 'settled']);
  t.same(await answered(false, true), []);
});
