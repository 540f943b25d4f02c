import t from 'tap';
import type { Key } from '../../src/keys/key.ts';
import type { CacheEntry, CacheStore } from '../../src/cache/store.ts';
import { createMemoryStore } from '../../src/cache/memory-store.ts';
import { createResponseCache } from '../../src/cache/response-cache.ts';
import { Client, fakeUpstream, settled, type UpstreamCall } from '../support/cached-upstream.ts';
import { metricsKey, NOW } from '../support/metrics-keys.ts';

interface Ask {
  readonly body?: string;
  readonly target?: string;
  readonly cacheControl?: string;
  readonly contentType?: string;
  readonly headers?: readonly string[];
  readonly key?: Key;
}

interface Options {
  readonly staleIfErrorMs?: number;
  readonly maxEntryBytes?: number;
  readonly store?: (now: () => number) => CacheStore;
}

/** A cache, its upstream, its clock, and a way to ask it. */
function setUp({ staleIfErrorMs = 0, maxEntryBytes = 1000, store }: Options = {}) {
  let now = NOW;
  const upstream = fakeUpstream();
  const clock = (): number => now;
  const kept = store === undefined ? createMemoryStore({ maxBytes: 100_000, now: clock }) : store(clock);
  const cache = createResponseCache({
    settings: { scope: 'scope', maxEntryBytes, staleIfErrorMs },
    store: kept,
    now: clock,
  });
  const ask = ({
    body = '{}',
    target = '/metrics/query',
    cacheControl,
    contentType,
    headers = [],
    key = metricsKey(),
  }: Ask = {}) => {
    const client = new Client();
    client.flight = cache.fetch(
      {
        holder: key,
        ttlMs: key.cacheTtlMs,
        host: 'api.test',
        shape: 'http',
        isHead: false,
        isConditional: false,
        isShared: false,
        method: 'POST',
        target,
        contentType,
        contentEncoding: undefined,
        cacheControl,
        body: Buffer.from(body),
        headers: () => headers,
        send: upstream.send,
      },
      client,
    );
    return client;
  };
  const call = (n: number): UpstreamCall => upstream.calls[n] as UpstreamCall;
  /** Asks, and has the upstream answer. */
  const fill = async (answer: string, asked: Ask = {}, how: Parameters<UpstreamCall['answer']>[1] = {}) => {
    const client = ask(asked);
    upstream.calls.at(-1)?.answer(answer, how);
    await settled();
    return client;
  };
  return { ask, fill, call, cache, kept, upstream, pass: (ms: number) => void (now += ms) };
}

/** A client's headers, without those that a hit adds. */
const withoutOwn = (client: Client) =>
  client.headers
    .join('\n')
    .replace(/\nAge\n\d+/, '')
    .replace(/\nCache-Status\n.*/, '');

t.test('the second to ask gets the bytes of the first, at once', async (t) => {
  const { ask, fill, pass, upstream } = setUp();
  const headers = ['Content-Type', 'application/json', 'X-Twice', '1', 'X-Twice', '2', 'ETag', '"a"'];
  const first = await fill('{"a": 1.0}\xff', {}, { headers });
  t.equal(first.cacheStatus, 'postern; fwd=miss; stored');
  t.equal(first.result, 'miss');
  pass(12_345);
  const second = ask();
  t.equal(second.endings, 1, 'before anything else happens');
  t.equal(second.cacheStatus, 'postern; hit; ttl=287');
  t.equal(second.result, 'hit');
  t.equal(second.header('age'), '12');
  t.equal(second.body, first.body);
  t.equal(second.status, 200);
  t.equal(withoutOwn(second), withoutOwn(first));
  t.equal(withoutOwn(second), [...headers, 'Content-Length', '12'].join('\n'));
  t.equal(upstream.calls.length, 1);
});

t.test('an entry is fresh for the time that the key says, and then fetched again', async (t) => {
  const { ask, fill, pass, call } = setUp();
  await fill('old');
  pass(299_999);
  t.equal(ask().cacheStatus, 'postern; hit; ttl=0');
  pass(1);
  const client = ask();
  t.equal(client.endings, 0);
  call(1).answer('new');
  await settled();
  t.equal(client.cacheStatus, 'postern; fwd=miss; stored');
  t.equal(ask().body, 'new');
});

t.test('a shorter time on the key holds for what is there already; a longer one does not', async (t) => {
  const { ask, fill, pass, call, upstream } = setUp();
  await fill('a', { key: metricsKey({ cacheTtlMs: 600_000 }) });
  pass(300_000);
  const expired = ask({ key: metricsKey({ cacheTtlMs: 300_000 }) });
  call(1).fail();
  await settled();
  t.match(expired.failure, { kind: 'connect' }, 'not as a stale answer either');
  t.equal(ask({ key: metricsKey({ cacheTtlMs: 3_600_000 }) }).cacheStatus, 'postern; hit; ttl=300');
  t.equal(upstream.calls.length, 2);
});

const DIFFERENT: Readonly<Record<string, Ask>> = {
  'another body': { body: '{"variables":{"a":1}}' },
  'another path': { target: '/metrics/query/1' },
  'another query string': { target: '/metrics/query?x' },
  'another content type': { contentType: 'text/plain' },
  'another key': { key: metricsKey({ id: 'metrics-2' }) },
  'a key of the same name for another environment': { key: metricsKey({ apiKeyDigest: 'b'.repeat(64) }) },
};
for (const [name, other] of Object.entries(DIFFERENT))
  t.test(`another question is asked anew: ${name}`, async (t) => {
    const { ask, fill, call } = setUp();
    await fill('first');
    const client = ask(other);
    call(1).answer('second');
    await settled();
    t.equal(client.body, 'second');
    t.equal(ask().body, 'first');
    t.equal(ask(other).body, 'second');
  });

t.test('200 cold requests make one call, and each gets the whole answer', async (t) => {
  const { ask, call, upstream } = setUp();
  const clients = Array.from({ length: 200 }, () => ask());
  t.equal(upstream.calls.length, 1);
  call(0).answer('answer');
  await settled();
  for (const client of clients) {
    t.equal(client.body, 'answer');
    t.equal(client.endings, 1);
  }
  t.equal(clients[0]?.cacheStatus, 'postern; fwd=miss; stored');
  t.equal(new Set(clients.slice(1).map((client) => client.cacheStatus)).size, 1);
  t.equal(clients[199]?.cacheStatus, 'postern; fwd=miss; collapsed');
  t.equal(clients[199]?.result, 'coalesced');
  t.equal(upstream.calls.length, 1);
});

t.test('whoever goes away harms nobody, the first included; the call ends with the last', async (t) => {
  const { ask, call, upstream } = setUp();
  const [first, second, third] = [ask(), ask(), ask()];
  first.flight?.abort();
  third.flight?.abort();
  t.equal(call(0).aborted, false);
  call(0).answer('answer');
  await settled();
  t.equal(second.body, 'answer');
  t.same([first.endings, third.endings], [0, 0], 'nothing is said to those who left');
  t.equal(ask().cacheStatus, 'postern; hit; ttl=300', 'and the answer is kept');

  const alone = [ask({ body: 'other' }), ask({ body: 'other' })];
  for (const client of alone) client.flight?.abort();
  t.equal(call(1).aborted, true);
  ask({ body: 'other' });
  t.equal(upstream.calls.length, 3, 'an aborted call is not waited for');
});

t.test('a failure is shared with those who waited, and not kept', async (t) => {
  const { ask, call, upstream } = setUp();
  const clients = [ask(), ask(), ask()];
  call(0).fail('header_timeout');
  await settled();
  for (const client of clients) t.match(client.failure, { code: 'upstream_timeout' });
  t.equal(clients[0]?.cacheStatus, 'postern; fwd=miss');
  t.equal(clients[1]?.cacheStatus, 'postern; fwd=miss; collapsed');
  ask();
  t.equal(upstream.calls.length, 2);
});

t.test('an answer that breaks off is a failure, and no part of it is kept or sent', async (t) => {
  const { ask, call, upstream } = setUp();
  const client = ask();
  call(0).sink.onResponse(200, ['Content-Length', '100'], 'OK');
  call(0).sink.onData(Buffer.from('half'));
  call(0).fail('truncated');
  await settled();
  t.match(client.failure, { kind: 'truncated' });
  t.equal(client.body, '');
  ask();
  t.equal(upstream.calls.length, 2);
});

t.test('a 5xx is shared and not kept', async (t) => {
  const { ask, call, upstream } = setUp();
  const clients = [ask(), ask()];
  call(0).answer('down', { status: 503 });
  await settled();
  for (const client of clients) t.same([client.status, client.body], [503, 'down']);
  t.equal(clients[0]?.cacheStatus, 'postern; fwd=miss');
  t.equal(clients[0]?.result, 'miss');
  ask();
  t.equal(upstream.calls.length, 2);
});

const UNSTORABLE: Readonly<Record<string, Parameters<UpstreamCall['answer']>[1]>> = {
  'Set-Cookie': { headers: ['Set-Cookie', 'session=1'] },
  'no-store': { headers: ['Cache-Control', 'no-store'] },
  'Vary: *': { headers: ['Vary', '*'] },
  404: { status: 404 },
  'an end that only the connection tells': { length: false },
  'a 5xx for one client': { status: 500, headers: ['Set-Cookie', 'session=1'] },
};
for (const [name, how] of Object.entries(UNSTORABLE))
  t.test(`an answer that is not to be shared goes to one, and the others fetch their own: ${name}`, async (t) => {
    const { ask, call, upstream } = setUp();
    const clients = [ask(), ask(), ask()];
    call(0).answer('mine', how);
    await settled();
    t.equal(clients[0]?.body, 'mine');
    t.equal(clients[0]?.cacheStatus, 'postern; fwd=miss');
    t.equal(upstream.calls.length, 3);
    call(1).answer('yours', how);
    call(2).answer('theirs', how);
    t.same([clients[1]?.body, clients[2]?.body], ['yours', 'theirs']);
    t.same([clients[1]?.cacheStatus, clients[1]?.result], ['postern; fwd=miss', 'uncacheable']);
    t.same(
      clients.map((client) => client.endings),
      [1, 1, 1],
    );
    ask();
    t.equal(upstream.calls.length, 4);
  });

t.test('those who waited learn with the head, not with the end, that the answer is not theirs', async (t) => {
  const { ask, call, upstream } = setUp();
  const [first, second] = [ask(), ask()];
  call(0).sink.onResponse(200, ['Cache-Control', 'no-store', 'Transfer-Encoding', 'chunked'], 'OK');
  await settled();
  t.equal(first.status, 200);
  t.equal(upstream.calls.length, 2);
  call(1).answer('yours');
  t.equal(second.body, 'yours');
});

t.test('a large answer streams through and is not kept: declared or found out', async (t) => {
  const { ask, call, upstream } = setUp({ maxEntryBytes: 10 });
  const [first, second] = [ask(), ask()];
  call(0).sink.onResponse(200, ['Transfer-Encoding', 'chunked'], 'OK');
  t.equal(call(0).sink.onData(Buffer.from('0123456789')), true);
  t.equal(first.status, 0, 'it might still be kept');
  t.equal(call(0).sink.onData(Buffer.from('x')), false, 'the backend waits until somebody takes it');
  await settled();
  t.equal(first.body, '0123456789x');
  t.equal(call(0).resumed, 1);
  first.accepts = false;
  t.equal(call(0).sink.onData(Buffer.from('yz')), false, 'a slow client slows the backend');
  first.flight?.resume();
  t.equal(call(0).resumed, 2);
  call(0).sink.onEnd(['X-Trailer', '1']);
  t.same([first.body, first.trailers, first.whole], ['0123456789xyz', ['X-Trailer', '1'], false]);
  t.equal(first.cacheStatus, 'postern; fwd=miss');
  call(1).answer('0123456789xyz');
  t.equal(second.body, '0123456789xyz');

  const declared = ask();
  call(2).sink.onResponse(200, ['Content-Length', '11'], 'OK');
  await settled();
  t.equal(declared.status, 200);
  t.equal(upstream.calls.length, 3);
});

t.test('an answer of exactly the largest size is kept', async (t) => {
  const { ask, fill } = setUp({ maxEntryBytes: 10 });
  await fill('0123456789');
  t.equal(ask().result, 'hit');
});

t.test('a stream that its taker leaves is ended, and the call of the others goes on', async (t) => {
  const { ask, call } = setUp();
  const [first] = [ask(), ask()];
  call(0).sink.onResponse(200, ['Cache-Control', 'no-store'], 'OK');
  await settled();
  first?.flight?.abort();
  t.equal(call(0).aborted, true);
  t.equal(call(1).aborted, false);
});

t.test('a stream whose leader has left goes to the next in line', async (t) => {
  const { ask, call, upstream } = setUp();
  const [first, second, third] = [ask(), ask(), ask()];
  first.flight?.abort();
  call(0).answer('mine', { headers: ['Set-Cookie', 'a=1'] });
  await settled();
  t.equal(second.body, 'mine');
  call(1).answer('yours');
  t.equal(third.body, 'yours');
  t.equal(upstream.calls.length, 2);
});

t.test('a stream that nobody is left to take is ended', async (t) => {
  const { ask, call } = setUp();
  const [first, second] = [ask(), ask()];
  call(0).sink.onResponse(200, ['Cache-Control', 'no-store'], 'OK');
  first.flight?.abort();
  second.flight?.abort();
  await settled();
  t.equal(call(0).aborted, true);
});

t.test('trailers are passed on, and what has them is not kept', async (t) => {
  const { ask, call, upstream } = setUp();
  const client = ask();
  call(0).sink.onResponse(200, ['Transfer-Encoding', 'chunked'], 'OK');
  call(0).sink.onData(Buffer.from('body'));
  call(0).sink.onEnd(['X-Checksum', '1']);
  await settled();
  t.same([client.body, client.trailers, client.cacheStatus], ['body', ['X-Checksum', '1'], 'postern; fwd=miss']);
  ask();
  t.equal(upstream.calls.length, 2);
});

t.test('no-cache fetches anew and replaces what is kept', async (t) => {
  const { ask, fill } = setUp();
  await fill('old');
  const refreshed = await fill('new', { cacheControl: 'no-cache' });
  t.same([refreshed.body, refreshed.cacheStatus, refreshed.result], ['new', 'postern; fwd=request; stored', 'refresh']);
  t.same([ask().body, ask().result], ['new', 'hit']);
});

t.test('no-cache passes on a failure, and what is kept stays', async (t) => {
  const { ask, call } = setUp({ staleIfErrorMs: 60_000 });
  const first = ask();
  call(0).answer('old');
  await settled();
  t.equal(first.body, 'old');
  const failed = ask({ cacheControl: 'no-cache' });
  call(1).answer('down', { status: 500 });
  await settled();
  t.same([failed.status, failed.cacheStatus, failed.result], [500, 'postern; fwd=request', 'refresh']);
  const unreachable = ask({ cacheControl: 'no-cache' });
  call(2).fail();
  await settled();
  t.same([unreachable.failure?.kind, unreachable.cacheStatus], ['connect', 'postern; fwd=request']);
  t.equal(ask().body, 'old');
});

t.test('no-cache does not take what was asked for before it; later requests wait for the newer call', async (t) => {
  const { ask, call, upstream } = setUp();
  const before = ask();
  const refresh = ask({ cacheControl: 'no-cache' });
  const after = ask();
  t.equal(upstream.calls.length, 2);
  call(1).answer('new');
  await settled();
  t.same([refresh.body, after.body, before.endings], ['new', 'new', 0]);
  call(0).answer('old');
  await settled();
  t.same([before.body, before.cacheStatus], ['old', 'postern; fwd=miss'], 'the older answer is not kept');
  t.equal(ask().body, 'new');
});

t.test('an older call that ends first does not hide the newer one', async (t) => {
  const { ask, call } = setUp();
  ask();
  ask({ cacheControl: 'no-cache' });
  call(0).answer('old');
  await settled();
  call(1).answer('new');
  await settled();
  t.equal(ask().body, 'new');
});

t.test('a refresh whose answer must not be kept takes the older one away', async (t) => {
  const { ask, fill, upstream } = setUp();
  await fill('old');
  await fill('new', { cacheControl: 'no-cache' }, { headers: ['Cache-Control', 'no-store'] });
  t.equal(ask().endings, 0);
  t.equal(upstream.calls.length, 3);
});

t.test('no-store leaves no trace, and takes none', async (t) => {
  const { ask, fill, upstream } = setUp();
  const client = await fill('private', { cacheControl: 'no-store' });
  t.same([client.body, client.cacheStatus, client.result], ['private', 'postern; fwd=request', 'uncacheable']);
  ask();
  t.equal(upstream.calls.length, 2);
});

t.test('max-age of the client: older entries are fetched anew', async (t) => {
  const { ask, fill, pass } = setUp();
  await fill('old');
  pass(10_000);
  t.equal(ask({ cacheControl: 'max-age=10' }).result, 'hit');
  const client = await fill('new', { cacheControl: 'max-age=9' });
  t.equal(client.cacheStatus, 'postern; fwd=request; stored');
  t.equal(ask().body, 'new');
});

t.test('Vary: each combination of values has its own answer', async (t) => {
  const { ask, fill, upstream } = setUp();
  const vary = { headers: ['Vary', 'Accept-Language'] };
  const [english, german] = [{ headers: ['Accept-Language', 'en'] }, { headers: ['accept-language', 'de'] }];
  await fill('hello', english, vary);
  await fill('hallo', german, vary);
  await fill('?', {}, vary);
  t.equal(upstream.calls.length, 3);
  t.same([ask(english).body, ask(german).body, ask().body], ['hello', 'hallo', '?']);
  t.equal(ask({ headers: ['Accept-Language', 'en', 'X-Other', '1'] }).result, 'hit');
});

t.test('Vary on a cold start: an answer is not shared with those it is not for', async (t) => {
  const { ask, call, upstream } = setUp();
  const vary = { headers: ['Vary', 'Accept-Language'] };
  const clients = ['en', 'de', 'en', 'de', 'de'].map((value) => ask({ headers: ['Accept-Language', value] }));
  t.equal(upstream.calls.length, 1);
  call(0).answer('hello', vary);
  await settled();
  t.equal(upstream.calls.length, 2, 'the others share one call among themselves');
  call(1).answer('hallo', vary);
  await settled();
  t.same(
    clients.map((client) => client.body),
    ['hello', 'hallo', 'hello', 'hallo', 'hallo'],
  );
  t.equal(clients[2]?.cacheStatus, 'postern; fwd=miss; collapsed');
});

t.test('a backend that names more headers each time is not waited for without end', async (t) => {
  const { ask, call, upstream } = setUp();
  const clients = ['en 1', 'de 1', 'de 2'].map((both) => {
    const [language, other] = both.split(' ') as [string, string];
    return ask({ headers: ['Accept-Language', language, 'X-Other', other] });
  });
  call(0).answer('hello', { headers: ['Vary', 'Accept-Language'] });
  await settled();
  call(1).answer('hallo', { headers: ['Vary', 'Accept-Language, X-Other'] });
  await settled();
  call(2).answer('hallo 2');
  t.same(
    clients.map((client) => client.body),
    ['hello', 'hallo', 'hallo 2'],
  );
  t.equal(clients[2]?.cacheStatus, 'postern; fwd=miss');
  t.equal(upstream.calls.length, 3);
});

t.test('a backend that changes its mind about Vary is believed as of its latest answer', async (t) => {
  const { ask, fill, upstream } = setUp();
  await fill('all');
  await fill(
    'en',
    { cacheControl: 'no-cache', headers: ['Accept-Language', 'en'] },
    { headers: ['Vary', 'Accept-Language'] },
  );
  t.equal(ask({ headers: ['Accept-Language', 'de'] }).endings, 0);
  t.equal(ask({ headers: ['Accept-Language', 'en'] }).body, 'en');
  t.equal(upstream.calls.length, 3);
});

t.test('stale answers only while the backend fails, only for so long, and marked', async (t) => {
  const { ask, fill, pass, call } = setUp({ staleIfErrorMs: 60_000 });
  await fill('old');
  pass(330_500);
  const clients = [ask(), ask()];
  call(1).fail('connect');
  await settled();
  for (const client of clients)
    t.same(
      [client.status, client.body, client.cacheStatus, client.result, client.header('age')],
      [200, 'old', 'postern; hit; ttl=-31; detail=stale-if-error', 'stale', '330'],
    );
  const failed = ask();
  call(2).answer('down', { status: 502 });
  await settled();
  t.same([failed.body, failed.result], ['old', 'stale']);
  const large = [ask(), ask()];
  call(3).sink.onResponse(500, ['Content-Length', '100000'], '');
  await settled();
  t.same(
    large.map((client) => client.body),
    ['old', 'old'],
  );
  t.equal(call(3).aborted, true, 'the rest of a large failure is not read');
  const refused = ask();
  call(4).answer('no', { status: 404 });
  await settled();
  t.same([refused.status, refused.cacheStatus], [404, 'postern; fwd=miss'], 'a 404 is an answer');
  pass(29_500);
  const late = ask();
  call(5).fail();
  await settled();
  t.match(late.failure, { kind: 'connect' });
});

t.test('a 404 does not take away what may still be served while the backend fails', async (t) => {
  const { ask, fill, pass, call } = setUp({ staleIfErrorMs: 60_000 });
  await fill('old');
  pass(310_000);
  await fill('no', {}, { status: 404 });
  const client = ask();
  call(2).fail();
  await settled();
  t.same([client.body, client.result], ['old', 'stale']);
});

t.test('without a time for stale answers an expired answer is never served', async (t) => {
  const { ask, fill, pass, call } = setUp();
  await fill('old');
  pass(300_000);
  const client = ask();
  call(1).fail();
  await settled();
  t.match(client.failure, { kind: 'connect' });
});

t.test('the age that a backend tells is added to ours, and told once', async (t) => {
  const { ask, fill, pass } = setUp();
  const first = await fill('a', {}, { headers: ['Age', '100', 'X-A', '1'] });
  t.equal(first.header('age'), '100');
  pass(5000);
  const second = ask();
  t.equal(second.header('age'), '105');
  t.equal(second.headers.filter((field) => field.toLowerCase() === 'age').length, 1);
});

t.test('fields of one connection or one request are not replayed', async (t) => {
  const { ask, fill } = setUp();
  const headers = [
    'Connection',
    'X-Hop',
    'X-Hop',
    '1',
    'Keep-Alive',
    'timeout=5',
    'X-Request-Id',
    'first',
    'X-Kept',
    '1',
  ];
  await fill('a', {}, { headers });
  t.same(ask().headers.slice(0, 4), ['X-Kept', '1', 'Content-Length', '1']);
});

t.test('a chunked answer is sent with its length, the first time too', async (t) => {
  const { ask, fill } = setUp();
  const first = await fill('abc', {}, { headers: ['Transfer-Encoding', 'chunked'], length: false });
  for (const client of [first, ask()]) {
    t.equal(client.header('content-length'), '3');
    t.equal(client.header('transfer-encoding'), undefined);
  }
});

t.test('a purge forgets everything, and what was asked before it is not kept either', async (t) => {
  const { ask, fill, call, cache, kept, upstream } = setUp();
  await fill('a');
  const underWay = ask({ body: 'other' });
  cache.detach();
  kept.clear();
  ask();
  t.equal(upstream.calls.length, 3);
  call(1).answer('b');
  await settled();
  t.equal(underWay.body, 'b');
  ask({ body: 'other' });
  t.equal(upstream.calls.length, 4);
});

t.test('an entry from the future is not believed: a clock went back', async (t) => {
  const { ask, fill, pass, upstream } = setUp();
  await fill('a');
  pass(-4000);
  t.equal(ask().result, 'hit', 'replicas may differ by seconds');
  pass(-3_600_000);
  ask();
  t.equal(upstream.calls.length, 2);
});

t.test('a key without a time to live is passed through', async (t) => {
  const { fill, ask, upstream } = setUp();
  const key = metricsKey({ cacheTtlMs: null });
  t.equal((await fill('a', { key })).cacheStatus, 'postern; fwd=miss');
  ask({ key });
  t.equal(upstream.calls.length, 2);
});

const later = async <T>(value: T): Promise<T> => {
  await settled();
  return value;
};

/** A store that answers later, as one behind a network does. */
function slowStore(now: () => number): CacheStore {
  const memory = createMemoryStore({ maxBytes: 100_000, now });
  return {
    get: (key) => later(memory.get(key)),
    set: (key: string, entry: CacheEntry, ttlMs: number) => later(memory.set(key, entry, ttlMs)),
    delete: (key) => later(memory.delete(key)),
    clear: () => later(memory.clear()),
    stats: memory.stats,
    shared: memory.shared,
    close: memory.close,
  };
}
const storeAnswers = async (): Promise<void> => {
  for (let n = 0; n < 4; n++) await settled();
};

t.test('a store that answers later does the same', async (t) => {
  const { ask, call, upstream } = setUp({ store: slowStore });
  const clients = [ask(), ask()];
  await storeAnswers();
  t.equal(upstream.calls.length, 1);
  call(0).answer('a', { headers: ['Vary', 'Accept'] });
  await storeAnswers();
  t.same(
    clients.map((client) => client.result),
    ['miss', 'coalesced'],
  );
  const hit = ask();
  await storeAnswers();
  t.same([hit.body, hit.result], ['a', 'hit']);
});

t.test('a client that leaves while the store is asked costs no call', async (t) => {
  const { ask, upstream } = setUp({ store: slowStore });
  ask().flight?.abort();
  await storeAnswers();
  t.equal(upstream.calls.length, 0);
});
