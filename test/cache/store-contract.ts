/** What every cache store must do, whatever it is made of. A store passes by running this suite in its own test file. */
import t, { type Test } from 'tap';
import type { AnswerEntry, CacheStore } from '../../src/cache/store.ts';

export interface StoreUnderTest {
  readonly store: CacheStore;
  /** Makes time pass for the store, whatever its clock is. */
  readonly pass: (ms: number) => void | Promise<void>;
  readonly close?: () => void | Promise<void>;
}

export const KEY = 'a'.repeat(64);
export const OTHER_KEY = 'b'.repeat(64);

export function answerEntry(changes: Partial<AnswerEntry> = {}): AnswerEntry {
  return {
    kind: 'answer',
    status: 200,
    statusText: 'OK',
    headers: ['Content-Type', 'application/json', 'X-Twice', 'a', 'x-twice', 'caf\u00e9'],
    body: Buffer.from([0, 1, 0xff, 0x80, 0x0d, 0x0a]),
    storedAt: 1_780_000_000_123,
    freshMs: 300_000,
    initialAge: 7,
    ...changes,
  };
}

export function cacheStoreContract(name: string, open: () => StoreUnderTest | Promise<StoreUnderTest>): void {
  const check = (what: string, run: (t: Test, under: StoreUnderTest) => Promise<void>): void =>
    void t.test(`${name}: ${what}`, async (t) => {
      const under = await open();
      t.teardown(() => under.close?.());
      await run(t, under);
    });

  check('what was never set is not there', async (t, { store }) => {
    t.equal(await store.get(KEY), undefined);
  });

  check('an answer comes back byte for byte', async (t, { store }) => {
    await store.set(KEY, answerEntry(), 60_000);
    t.same(await store.get(KEY), answerEntry());
    t.equal(await store.get(OTHER_KEY), undefined);
  });

  check('an empty body and no headers come back as they are', async (t, { store }) => {
    const entry = answerEntry({ body: Buffer.alloc(0), headers: [], statusText: '' });
    await store.set(KEY, entry, 60_000);
    t.same(await store.get(KEY), entry);
  });

  check('the names an answer varies by come back', async (t, { store }) => {
    await store.set(KEY, { kind: 'vary', names: ['accept', 'accept-language'] }, 60_000);
    t.same(await store.get(KEY), { kind: 'vary', names: ['accept', 'accept-language'] });
  });

  check('the latest of two is there', async (t, { store }) => {
    await store.set(KEY, answerEntry(), 60_000);
    await store.set(KEY, { kind: 'vary', names: [] }, 60_000);
    t.same(await store.get(KEY), { kind: 'vary', names: [] });
  });

  check('nothing is there once its time is over', async (t, { store, pass }) => {
    await store.set(KEY, answerEntry(), 1000);
    await store.set(OTHER_KEY, answerEntry(), 60_000);
    await pass(1001);
    t.equal(await store.get(KEY), undefined);
    t.ok(await store.get(OTHER_KEY));
  });

  check('delete takes one, clear takes all', async (t, { store }) => {
    for (const key of [KEY, OTHER_KEY]) await store.set(key, answerEntry(), 60_000);
    await store.delete(KEY);
    t.equal(await store.get(KEY), undefined);
    t.ok(await store.get(OTHER_KEY));
    await store.clear();
    t.equal(await store.get(OTHER_KEY), undefined);
    t.match(store.stats(), { bytes: 0, entries: 0 });
  });

  check('a body cut from a buffer that is used again stays what it was', async (t, { store }) => {
    const window = Buffer.alloc(1000, 'x').subarray(10, 20);
    await store.set(KEY, answerEntry({ body: window }), 60_000);
    window.fill('y');
    const kept = await store.get(KEY);
    t.equal(kept?.kind === 'answer' && kept.body.toString(), 'xxxxxxxxxx');
  });
}
