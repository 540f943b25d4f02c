import { fail } from 'node:assert';
import t from 'tap';
import { createSingleFlight } from '../../src/lib/single-flight.ts';
import { cacheKey, cacheKeysOf, variantKey } from '../../src/cache/cache-key.ts';
import { CacheLookup, type LookupContext } from '../../src/cache/lookup.ts';
import type { CacheQuery } from '../../src/cache/query.ts';
import { createMemoryStore } from '../../src/cache/memory-store.ts';
import { answerEntry } from './store-contract.ts';
import { Client, fakeUpstream, settled, type UpstreamCall } from '../support/cached-upstream.ts';
import { metricsKey, NOW } from '../support/metrics-keys.ts';

const [FRESH_MS, STALE_MS] = [300_000, 60_000];
const QUERY = {
  holder: metricsKey(),
  ttlMs: FRESH_MS,
  method: 'POST',
  target: '/metrics/query',
  body: Buffer.from('{}'),
  contentType: undefined,
  contentEncoding: undefined,
  host: 'api.test',
  shape: 'http',
  isHead: false,
  isConditional: false,
  isShared: false,
  cacheControl: undefined,
  headers: () => ['Accept', 'a'],
};
const BASE_KEY = cacheKey('scope', QUERY);
const VARIANT_KEY = variantKey(BASE_KEY, ['accept'], ['Accept', 'a']);

function setUp() {
  const upstream = fakeUpstream();
  const store = createMemoryStore({ maxBytes: 100_000, now: () => NOW });
  const asked: string[] = [];
  let answersLater = false;
  const context: LookupContext = {
    settings: { scope: 'scope', maxEntryBytes: 1000, staleIfErrorMs: STALE_MS },
    store: {
      ...store,
      get: (key) => {
        asked.push(key);
        return answersLater ? Promise.resolve(store.get(key)) : store.get(key);
      },
    },
    now: () => NOW,
    flights: createSingleFlight(),
    keyOf: cacheKeysOf('scope'),
  };
  const ask = (change: Partial<CacheQuery> = {}, client = new Client()) => {
    const lookup = new CacheLookup(context, { ...QUERY, send: upstream.send, ...change }, client);
    lookup.begin();
    return Object.assign(client, { flight: lookup });
  };
  /** An answer that is in the store since so many milliseconds. */
  const keep = (ageMs: number, initialAge = 0) =>
    store.set(BASE_KEY, answerEntry({ storedAt: NOW - ageMs, freshMs: FRESH_MS, initialAge }), Infinity);
  const later = () => void (answersLater = true);
  return { ask, keep, later, store, asked, call: (n: number) => upstream.calls[n] as UpstreamCall };
}

t.test(
  'a query that may leave no trace, or asks under a condition, neither looks at the store nor waits for a call of others',
  async (t) => {
    for (const change of [{ cacheControl: 'No-Store' }, { ttlMs: null }, { isConditional: true }]) {
      const { ask, asked, call } = setUp();
      ask();
      const client = ask(change);
      call(1).answer('alone');
      t.same([client.body, client.result, asked.length], ['alone', 'uncacheable', 1]);
    }
  },
);

t.test('an answer is given while no older than the client admits, and not from a clock far ahead', async (t) => {
  for (const [ageMs, age] of Object.entries({ 1999: '101', 2000: undefined, [-5000]: '100', [-5001]: undefined })) {
    const { ask, keep } = setUp();
    keep(Number(ageMs), 100);
    t.equal(ask({ cacheControl: 'max-age=101' }).header('age'), age, ageMs);
  }
});

t.test('an expired answer stands in for a failure until its last millisecond, one from the future never', async (t) => {
  const cases = { [FRESH_MS]: -1, [FRESH_MS + STALE_MS - 1]: -60, [FRESH_MS + STALE_MS]: null, [-3_600_000]: null };
  for (const [ageMs, ttl] of Object.entries(cases)) {
    const { ask, keep, call } = setUp();
    keep(Number(ageMs));
    const client = ask();
    call(0).fail();
    await settled();
    t.match(client.cacheStatus, ttl === null ? 'fwd=miss' : `hit; ttl=${ttl};`, ageMs);
    t.equal(client.endings, 1);
  }
});

t.test('a client that admits no such age gets no expired answer either', async (t) => {
  const { ask, keep, call } = setUp();
  keep(FRESH_MS + 10_000);
  const client = ask({ cacheControl: 'max-age=0' });
  call(0).fail();
  await settled();
  t.same([client.body, client.failure?.kind, client.result], ['', 'connect', 'refresh']);
});

t.test('a mistake with what a store brings later is a failure of that query, told once', async (t) => {
  const { ask, keep, later } = setUp();
  keep(0);
  later();
  const broken = Object.assign(new Client(), { onAnswer: () => fail() });
  ask({}, broken);
  await settled();
  t.same([broken.failure?.kind, broken.endings], ['unknown', 1]);
});

t.test('names to vary by that lead to more names lead to the backend, not in a circle', async (t) => {
  const { ask, asked, store, call } = setUp();
  for (const key of [BASE_KEY, VARIANT_KEY]) store.set(key, { kind: 'vary', names: ['accept'] }, 1000);
  const client = ask();
  t.same(asked, [BASE_KEY, VARIANT_KEY]);
  call(0).answer('new', { headers: ['Vary', 'Accept'] });
  await settled();
  t.same([client.body, ask().result], ['new', 'hit']);
});

t.test('an expired answer for all is not given to one who turns out to need an answer of its own', async (t) => {
  const { ask, keep, call } = setUp();
  keep(FRESH_MS);
  ask();
  const other = ask({ headers: () => ['Accept', 'b'] });
  call(0).answer('for a', { headers: ['Vary', 'Accept'] });
  await settled();
  call(1).fail();
  await settled();
  t.same([other.body, other.failure?.kind], ['', 'connect']);
});

t.test('a mistake while the answer is shared is a failure for each who waits, told once', async (t) => {
  const { ask, call } = setUp();
  const clients = [ask({ headers: () => fail() }), ask()];
  call(0).answer('a', { headers: ['Vary', 'Accept'] });
  await settled();
  for (const client of clients)
    t.same([client.failure?.kind, client.endings, client.verdicts.length], ['unknown', 1, 1]);
});

t.test('an answer that one client cannot be sent fails for that client alone', async (t) => {
  const { ask, call } = setUp();
  const broken = Object.assign(new Client(), { onAnswer: () => fail() });
  ask({}, broken);
  const other = ask();
  call(0).answer('a');
  await settled();
  t.same([broken.failure?.kind, broken.endings, broken.verdicts.length], ['unknown', 1, 1]);
  t.equal(other.body, 'a');
});

t.test('a client that leaves in the midst of an answer hears nothing of how that ends', async (t) => {
  const { ask, call } = setUp();
  const client = ask({ cacheControl: 'no-store' });
  call(0).sink.onResponse(200, [], 'OK');
  client.flight?.abort();
  call(0).fail('aborted');
  t.same([call(0).aborted, client.status, client.endings], [true, 200, 0]);
});

t.test('one who asks alone is told the verdict once, however its call ends', async (t) => {
  const { ask, call } = setUp();
  const never = ask({ ttlMs: null });
  call(0).fail();
  const broken = ask({ ttlMs: null });
  call(1).sink.onResponse(200, ['X-A', '1'], 'OK');
  call(1).fail('truncated');
  for (const client of [never, broken]) t.same([client.result, client.endings], ['uncacheable', 1]);
  t.same(broken.headers, ['X-A', '1', 'Cache-Status', 'postern; fwd=miss']);
});

t.test('a failure too large to keep is passed on, unless an expired answer stands in for it', async (t) => {
  for (const isKept of [false, true]) {
    const { ask, keep, call } = setUp();
    if (isKept) keep(FRESH_MS);
    const client = ask();
    call(0).answer('x'.repeat(2000), { status: 500 });
    await settled();
    t.same(
      [client.status, client.body.length, client.endings],
      isKept ? [200, answerEntry().body.length, 1] : [500, 2000, 1],
    );
    t.equal(client.result, isKept ? 'stale' : 'uncacheable');
  }
});

t.test('a refresh that another overtook is not called stored', async (t) => {
  const { ask, call } = setUp();
  const [first, second] = [ask({ cacheControl: 'no-cache' }), ask({ cacheControl: 'no-cache' })];
  call(1).answer('second');
  call(0).answer('first');
  await settled();
  t.same([first.body, first.cacheStatus], ['first', 'postern; fwd=request']);
  t.same([second.body, second.cacheStatus], ['second', 'postern; fwd=request; stored']);
  t.equal(ask().body, 'second');
});
