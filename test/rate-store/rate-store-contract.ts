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
    const under = await make();
    const verdicts = await inTime(under, 1000, async (key) => {
      const { store, now } = under;
      const given = [];
      for (let i = 0; i < 6; i += 1) given.push(await store.take(key, limit, now()));
      return [...given, await store.take(key, { requests: 5, windowSeconds: 60 }, now())];
    });
    t.same(verdicts, [
      ...[4, 3, 2, 1, 0].map((remaining) => ({ allowed: true, remaining, resetSeconds: 1 })),
      { allowed: false, retryAfterSeconds: 1 },
      { allowed: false, retryAfterSeconds: 60 },
    ]);
  });

  t.test('says how much is left, and when the next of what was counted leaves the window', async (t) => {
    const under = await make();
    const long = { requests: 3, windowSeconds: 60 };
    const verdicts = await inTime(under, 2000, async (key) => {
      const { store, now, advance } = under;
      const first = await store.take(key, long, now());
      await advance(1100);
      return [first, await store.take(key, long, now()), await store.take(`${key}-other`, long, now())];
    });
    t.same(verdicts, [
      { allowed: true, remaining: 2, resetSeconds: 60 },
      { allowed: true, remaining: 1, resetSeconds: 59 },
      // Each key has its own.
      { allowed: true, remaining: 2, resetSeconds: 60 },
    ]);
  });

  t.test('counts each key for itself', async (t) => {
    const { store, now } = await make();
    t.ok((await store.take('a', { requests: 1, windowSeconds: 60 }, now())).allowed);
    t.ok((await store.take('b', { requests: 1, windowSeconds: 60 }, now())).allowed);
    t.notOk((await store.take('a', { requests: 1, windowSeconds: 60 }, now())).allowed);
  });

  t.test('admits again after the window, and a refused request cost nothing', async (t) => {
    const under = await make();
    const { store, now, advance } = under;
    for (let i = 0; i < 20; i += 1) await store.take('a', limit, now());
    const admitted = await inTime(under, 2000, async () => {
      await advance(1001);
      let count = 0;
      for (let i = 0; i < 20; i += 1) if ((await store.take('a', limit, now())).allowed) count += 1;
      return count;
    });
    t.equal(admitted, 5);
  });

  t.test('no window boundary admits twice the limit', async (t) => {
    const under = await make();
    const verdicts = await inTime(under, 1700, async (key) => {
      const { store, now, advance } = under;
      const given = [(await store.take(key, limit, now())).allowed];
      await advance(700);
      for (let i = 0; i < 4; i += 1) given.push((await store.take(key, limit, now())).allowed);
      await advance(400);
      for (let i = 0; i < 5; i += 1) given.push((await store.take(key, limit, now())).allowed);
      return given;
    });
    t.same(verdicts.slice(0, 5), [true, true, true, true, true]);
    t.same(verdicts.slice(5), [true, false, false, false, false], 'only the first has left the window');
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

/**
 * What came of the first attempt that took less than this by the store's clock: on a busy machine more of the window is over by the
 * end than was meant. Attempts have keys of their own.
 */
async function inTime<T>(
  { now }: Pick<StoreUnderTest, 'now'>,
  ms: number,
  attempt: (key: string) => Promise<T>,
): Promise<T> {
  for (let n = 1; ; n += 1) {
    const begunAt = now();
    const result = await attempt(`attempt-${n}`);
    if (n === 10 || now() - begunAt < ms) return result;
  }
}
