import t from 'tap';
import { createMemoryStore } from '../../src/cache/memory-store.ts';
import { cutFromPacket, heldAfter } from '../support/held-memory.ts';
import { answerEntry, cacheStoreContract } from './store-contract.ts';

cacheStoreContract('memory', () => {
  let now = 0;
  return { store: createMemoryStore({ maxBytes: 1_000_000, now: () => now }), pass: (ms) => void (now += ms) };
});

const key = (n: number): string => String(n).padStart(64, '0');
const body = (bytes: number) => answerEntry({ body: Buffer.alloc(bytes) });

t.test('it never holds more bytes than it may, and forgets what was used longest ago', async (t) => {
  const store = createMemoryStore({ maxBytes: 100_000, now: () => 0 });
  for (let n = 0; n < 50; n++) {
    store.set(key(n), body(9000), 1000);
    store.get(key(0));
    t.ok(store.stats().bytes <= 100_000);
  }
  t.ok(store.get(key(0)), 'in use all the time');
  t.equal(store.get(key(1)), undefined);
  t.ok(store.get(key(49)));
  t.equal(store.stats().entries, 10);
});

t.test('headers and keys count too', async (t) => {
  const store = createMemoryStore({ maxBytes: 1_000_000, now: () => 0 });
  store.set(key(1), answerEntry({ body: Buffer.alloc(0), headers: ['X-Long', 'x'.repeat(5000)] }), 1000);
  t.ok(store.stats().bytes > 5000);
});

t.test('bytes are given back when an entry is replaced, deleted or found expired', async (t) => {
  let now = 0;
  const store = createMemoryStore({ maxBytes: 1_000_000, now: () => now });
  store.set(key(1), body(1000), 1000);
  const { bytes } = store.stats();
  store.set(key(1), body(1000), 1000);
  t.equal(store.stats().bytes, bytes);
  store.set(key(1), body(2000), 1000);
  t.equal(store.stats().bytes, bytes + 1000);
  now = 1000;
  store.get(key(1));
  t.same(store.stats(), { bytes: 0, entries: 0 });
});

t.test('an entry larger than the store is not kept, and what it replaces is gone', async (t) => {
  const store = createMemoryStore({ maxBytes: 5000, now: () => 0 });
  store.set(key(1), body(1000), 1000);
  store.set(key(1), body(10_000), 1000);
  t.equal(store.get(key(1)), undefined);
  t.equal(store.stats().bytes, 0);
});

t.test('a store without room keeps nothing', async (t) => {
  const store = createMemoryStore({ maxBytes: 0, now: () => 0 });
  store.set(key(1), answerEntry(), 1000);
  t.equal(store.get(key(1)), undefined);
});

t.test('a small body does not keep the large buffer alive that it was cut from', async (t) => {
  const store = createMemoryStore({ maxBytes: 100_000, now: () => 0 });
  store.set(key(1), answerEntry({ body: Buffer.alloc(65_536).subarray(0, 100) }), 1000);
  const kept = store.get(key(1));
  t.equal(kept?.kind === 'answer' && kept.body.buffer.byteLength, 100);
});

t.test('empty answers fill it too: each costs what it takes beside its bytes', async (t) => {
  const store = createMemoryStore({ maxBytes: 100_000, now: () => 0 });
  for (let n = 0; n < 1000; n++) store.set(key(n), answerEntry({ body: Buffer.alloc(0), headers: [] }), 1000);
  const { entries, bytes } = store.stats();
  t.ok(entries < 300, `${entries} are kept`);
  t.ok(bytes <= 100_000);
  t.equal(store.get(key(0)), undefined);
  t.ok(store.get(key(999)));
});

t.test('each name and each value costs something, and so does a list of what answers vary by', async (t) => {
  const weigh = (entry: ReturnType<typeof answerEntry> | { kind: 'vary'; names: readonly string[] }) => {
    const store = createMemoryStore({ maxBytes: 1_000_000, now: () => 0 });
    store.set(key(1), entry, 1000);
    return store.stats().bytes;
  };
  const bare = weigh(answerEntry({ headers: [], body: Buffer.alloc(0), statusText: '' }));
  t.ok(bare >= 64 + 200, 'the key, and an object');
  t.ok(weigh(answerEntry({ headers: ['', ''], body: Buffer.alloc(0), statusText: '' })) >= bare + 32);
  t.equal(weigh(answerEntry({ headers: [], body: Buffer.alloc(77), statusText: '' })), bare + 77);
  t.equal(weigh(answerEntry({ headers: [], body: Buffer.alloc(0), statusText: 'x'.repeat(9) })), bare + 9);
  t.ok(weigh({ kind: 'vary', names: ['a'.repeat(500)] }) >= 64 + 500);
});

t.test('an entry is one until its time is up, not a millisecond longer', async (t) => {
  let now = 0;
  const store = createMemoryStore({ maxBytes: 1_000_000, now: () => now });
  store.set(key(1), body(1), 1000);
  now = 999;
  t.ok(store.get(key(1)));
  now = 1000;
  t.equal(store.get(key(1)), undefined);
  store.set(key(2), body(1), 1000);
  store.set(key(3), body(1), 1000);
  store.delete(key(2));
  t.equal(store.get(key(2)), undefined);
  t.equal(store.stats().entries, 1);
  store.clear();
  t.same(store.stats(), { bytes: 0, entries: 0 });
  store.set(key(3), body(1), 1000);
  store.close();
  t.equal(store.get(key(3)), undefined);
  t.equal(store.shared(), null);
});

t.test('what it holds is what it counts, whatever the texts were cut from', async (t) => {
  const store = createMemoryStore({ maxBytes: 100_000_000, now: () => 0 });
  const text = (n: number): string => cutFromPacket(`a text of ${n} in a head`);
  const held = heldAfter(() => {
    for (let n = 0; n < 2_000; n += 1) {
      store.set(
        key(n),
        answerEntry({ body: Buffer.alloc(0), statusText: text(n), headers: ['X-Text', text(n)] }),
        1000,
      );
      store.set(key(-n), { kind: 'vary', names: [text(n)] }, 1000);
    }
  });
  t.ok(held < 2 * store.stats().bytes, `${held} bytes held, ${store.stats().bytes} counted`);
});
