import t from 'tap';
import { createCaches } from '../../src/cache/caches.ts';
import { createMemoryStore, type MemoryStore } from '../../src/cache/memory-store.ts';
import type { CacheStore } from '../../src/cache/store.ts';
import { ApisSchema, type ApiConfig } from '../../src/config/apis-schema.ts';
import { Client, fakeUpstream, settled } from '../support/cached-upstream.ts';
import { metricsKey, NOW } from '../support/metrics-keys.ts';
import { answerEntry, KEY } from './store-contract.ts';

const apis = (written: Record<string, object>): Record<string, ApiConfig> =>
  ApisSchema.parse(
    Object.fromEntries(
      Object.entries(written).map(([name, api]) => [
        name,
        { upstream: 'http://127.0.0.1:9001', paths: [`/${name}`], ...api },
      ]),
    ),
  );

const entries = (written: Record<string, object>) => Object.entries(apis(written));

function setUp(shared: boolean | null = null) {
  let now = NOW;
  const stores: (MemoryStore & { closed: boolean; maxBytes: number })[] = [];
  const purgedElsewhere: (() => void)[] = [];
  const caches = createCaches({
    createStore: ({ maxBytes }, onPurged): CacheStore => {
      purgedElsewhere.push(onPurged);
      const store = { ...createMemoryStore({ maxBytes, now: () => now }), closed: false, maxBytes };
      stores.push(store);
      return { ...store, shared: () => shared, close: () => void (store.closed = true) };
    },
    now: () => now,
  });
  const pass = (ms: number): void => void (now += ms);
  const upstream = fakeUpstream();
  const query = {
    holder: metricsKey(),
    ttlMs: 60_000,
    method: 'POST',
    target: '/a',
    host: 'a.test',
    shape: '',
    contentType: undefined,
    contentEncoding: undefined,
    cacheControl: undefined,
    isHead: false,
    isConditional: false,
    isShared: false,
    body: Buffer.from('{}'),
    headers: () => [],
    send: upstream.send,
  };
  /** How often the backend is asked for the one query, with these APIs, of one of them. */
  const asked = async (written: Record<string, ApiConfig>, api: string): Promise<number> => {
    const before = upstream.calls.length;
    caches.configure(Object.entries(written)).get(api)?.fetch(query, new Client());
    upstream.calls[before]?.answer('{}');
    await settled();
    return upstream.calls.length - before;
  };
  return { caches, stores, purgedElsewhere, asked, query, upstream, pass };
}

t.test('an API that says how much has a store of its own, all others share one', async (t) => {
  const { caches, stores } = setUp();
  t.same([caches.stats(), caches.shared()], [null, null]);
  await caches.purge();
  const made = caches.configure(entries({ a: {}, b: {}, c: { cache: { maxBytes: 1000, maxEntryBytes: 10 } } }));
  t.same([...made.keys()], ['a', 'b', 'c']);
  t.same(
    stores.map(({ maxBytes }) => maxBytes),
    [67_108_864, 1000],
  );
  for (const store of stores) store.set(KEY, answerEntry(), 60_000);
  t.equal(caches.stats()?.entries, 2);
  await caches.purge();
  t.same(caches.stats(), { bytes: 0, entries: 0 });
  caches.close();
  t.ok(stores.every(({ closed }) => closed));
});

t.test('a store stays while its settings do, and ends with the last API that it is for', async (t) => {
  const { caches, stores } = setUp();
  const kept = { cache: { maxBytes: 1000, maxEntryBytes: 10 } };
  caches.configure(entries({ a: {}, b: kept }));
  caches.configure(entries({ a: { timeoutSeconds: 1 }, b: { cache: { maxBytes: 1000, maxEntryBytes: 20 } } }));
  t.equal(stores.length, 2);
  caches.configure(entries({ a: kept, b: kept }));
  t.same(
    stores.map(({ closed }) => closed),
    [true, false, false],
    'nobody shares any more',
  );
  caches.configure(entries({ b: { cache: { maxBytes: 2000, maxEntryBytes: 10 } } }));
  t.same(
    stores.map(({ closed }) => closed),
    [true, true, true, false],
  );
  caches.configure(entries({ b: { cache: { store: 'redis', maxBytes: 2000, maxEntryBytes: 10 } } }));
  t.same([stores.length, stores[3]?.closed], [5, true], 'another kind of store is another store');
});

t.test('answers of one API are none of another, though all else is equal', async (t) => {
  const { asked } = setUp();
  const both = apis({ a: {}, b: {} });
  const equal = {
    a: { ...(both['a'] as ApiConfig), paths: ['/x'] },
    b: { ...(both['b'] as ApiConfig), paths: ['/x'] },
  };
  t.same(
    [await asked(equal, 'a'), await asked(equal, 'a'), await asked(equal, 'b'), await asked(equal, 'b')],
    [1, 0, 1, 0],
  );
});

t.test('answers are shared when all that should be are', async (t) => {
  for (const shared of [true, false, null]) {
    const { caches } = setUp(shared);
    caches.configure(entries({ a: {} }));
    t.equal(caches.shared(), shared);
  }
});

for (const where of ['here', 'elsewhere'])
  t.test(`what was asked for before a purge ${where} is neither kept nor joined after it`, async (t) => {
    const { caches, purgedElsewhere, query, upstream } = setUp();
    const cache = caches.configure(entries({ a: {} })).get('a');
    const fetch = () => cache?.fetch(query, new Client());
    fetch();
    fetch();
    t.equal(upstream.calls.length, 1, 'one call for two');
    if (where === 'here') await caches.purge();
    else purgedElsewhere[0]?.();
    fetch();
    t.equal(upstream.calls.length, 2);
    upstream.calls[0]?.answer('{"old":true}');
    await settled();
    t.equal(caches.stats()?.entries, 0);
    upstream.calls[1]?.answer('{"old":false}');
    await settled();
    t.equal(caches.stats()?.entries, 1);
  });

t.test('an API\u2019s own settings hold for its answers, and what is under way goes on while they stay', async (t) => {
  const { caches, asked, query, upstream, pass } = setUp();
  const cache = { maxBytes: 10_000, maxEntryBytes: 1, staleIfErrorMinutes: 2 };
  const small = apis({ a: { cache } });
  t.same([await asked(small, 'a'), await asked(small, 'a')], [1, 1], 'a body of two bytes is too large to keep');
  const large = apis({ a: { cache: { ...cache, maxEntryBytes: 2 } } });
  t.same([await asked(large, 'a'), await asked(large, 'a')], [1, 0]);
  const kept = caches.configure(Object.entries(large)).get('a');
  t.equal(caches.configure(Object.entries(apis({ a: { cache: { ...cache, maxEntryBytes: 2 } } }))).get('a'), kept);
  t.not(caches.configure(Object.entries(apis({ a: { cache } }))).get('a'), kept);
  caches.configure(Object.entries(large));
  const failing = async (): Promise<Client> => {
    const client = new Client();
    caches.configure(Object.entries(large)).get('a')?.fetch(query, client);
    upstream.calls.at(-1)?.fail();
    await settled();
    return client;
  };
  pass(60_000 + 119_999);
  t.equal((await failing()).body, '{}', 'good enough for two minutes');
  pass(1);
  t.equal((await failing()).failure?.kind, 'connect');
});
