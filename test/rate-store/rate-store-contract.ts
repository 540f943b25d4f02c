/**
 * What every RateStore must do, whatever it counts with. The clock is the suite's own where a store lets it be; a store with
 * a server's clock passes an `advance` that really waits.
 */
import type { Test } from 'tap';
import type { RateStore } from '../../src/rate-store/rate-store.ts';

export interface StoreUnderTest {
  readonly store: RateStore;
  /** Milliseconds since the epoch, as the caller would hand them in. */
  readonly now: () => number;
  /** Lets time pass. */
  readonly advance: (ms: number) => Promise<void>;
}

export function rateStoreContract(t: Test, make: () => Promise<StoreUnderTest> | StoreUnderTest): void {
  const limit = { requests: 5, windowSeconds: 1 };

  t.test('admits exactly the limit, then says when to come back', async (t) => {
    const { store, now } = await make();
    for (const remaining of [4, 3, 2, 1, 0])
      t.same(await store.take('a', limit, now()), { allowed: true, remaining, resetSeconds: 1 });
    t.same(await store.take('a', limit, now()), { allowed: false, retryAfterSeconds: 1 });
    t.same(await store.take('a', { requests: 5, windowSeconds: 60 }, now()), { allowed: false, retryAfterSeconds: 60 });
  });

  t.test('says how much is left, and when the next of what was counted leaves the window', async (t) => {
    const { store, now, advance } = await make();
    const long = { requests: 3, windowSeconds: 60 };
    t.same(await store.take('a', long, now()), { allowed: true, remaining: 2, resetSeconds: 60 });
    await advance(1100);
    t.same(await store.take('a', long, now()), { allowed: true, remaining: 1, resetSeconds: 59 });
    t.same(
      await store.take('b', long, now()),
      { allowed: true, remaining: 2, resetSeconds: 60 },
      'each key has its own',
    );
  });

  t.test('counts each key for itself', async (t) => {
    const { store, now } = await make();
    t.ok((await store.take('a', { requests: 1, windowSeconds: 60 }, now())).allowed);
    t.ok((await store.take('b', { requests: 1, windowSeconds: 60 }, now())).allowed);
    t.notOk((await store.take('a', { requests: 1, windowSeconds: 60 }, now())).allowed);
  });

  t.test('admits again after the window, and a refused request cost nothing', async (t) => {
    const { store, now, advance } = await make();
    for (let i = 0; i < 20; i += 1) await store.take('a', limit, now());
    await advance(1001);
    let admitted = 0;
    for (let i = 0; i < 20; i += 1) if ((await store.take('a', limit, now())).allowed) admitted += 1;
    t.equal(admitted, 5);
  });

  t.test('no window boundary admits twice the limit', async (t) => {
    const { store, now, advance } = await make();
    t.ok((await store.take('a', limit, now())).allowed);
    await advance(700);
    for (let i = 0; i < 4; i += 1) t.ok((await store.take('a', limit, now())).allowed);
    await advance(400);
    const verdicts = [];
    for (let i = 0; i < 5; i += 1) verdicts.push((await store.take('a', limit, now())).allowed);
    t.same(verdicts, [true, false, false, false, false], 'only the first has left the window');
  });

  t.test('a changed limit applies at once to what was already counted', async (t) => {
    const { store, now } = await make();
    for (let i = 0; i < 5; i += 1) await store.take('a', { requests: 5, windowSeconds: 60 }, now());
    t.ok((await store.take('a', { requests: 6, windowSeconds: 60 }, now())).allowed);
    t.notOk((await store.take('a', { requests: 2, windowSeconds: 60 }, now())).allowed);
  });

  t.test('requests at the same moment are admitted once each', async (t) => {
    const { store, now } = await make();
    const verdicts = await Promise.all(
      Array.from({ length: 50 }, () => store.take('a', { requests: 7, windowSeconds: 60 }, now())),
    );
    t.equal(verdicts.filter((verdict) => verdict.allowed).length, 7);
  });

  t.test('a limit of many thousands is kept too', async (t) => {
    const { store, now } = await make();
    const large = { requests: 2500, windowSeconds: 60 };
    let admitted = 0;
    for (let batch = 0; batch < 30; batch += 1) {
      const verdicts = await Promise.all(Array.from({ length: 100 }, () => store.take('a', large, now())));
      admitted += verdicts.filter((verdict) => verdict.allowed).length;
    }
    t.equal(admitted, 2500);
  });
}
