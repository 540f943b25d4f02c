/** What holds for observations wherever they are kept. */
import type { Test } from 'tap';
import { DAY_MS, dayOf, type Observations } from '../../src/observe/observations.ts';
import type { ObservationStore } from '../../src/observe/store.ts';
import { writeCounts, type WrittenCounts } from '../../src/observe/written-counts.ts';
import { seenAt, WEB } from '../support/observed.ts';

export interface OpenStore {
  readonly observations: Observations;
  readonly store: ObservationStore;
}

/** `open` makes a store over new observations; what was written by another one of the same test is there if `lasts`. */
export interface StoreContract {
  readonly open: (options: { readonly days: number; readonly now: () => number }) => Promise<OpenStore>;
  readonly lasts: boolean;
}

/** Noon of a day that is far from any other test's. */
const NOON = Date.UTC(2030, 5, 15, 12);

export async function observationStoreContract(t: Test, { open, lasts }: StoreContract): Promise<void> {
  let now = NOON;
  const clock = (): number => now;
  const start = (): Promise<OpenStore> => open({ days: 3, now: clock });
  const read = async ({ store }: OpenStore, since: number): Promise<WrittenCounts> =>
    writeCounts(await store.read(WEB, since));

  await t.test('gives back what was counted, before and after it was written', async (t) => {
    const kept = await start();
    kept.observations.count('key', 'web', seenAt(now, { address: '203.0.113.7', event: 'login' }));
    kept.observations.count('key', 'web', seenAt(now + 5, { good: false, reason: 'ip_not_allowed' }));
    const before = await read(kept, dayOf(now));
    await kept.store.flush();
    const after = await read(kept, dayOf(now));
    t.same(after, before);
    t.same([after.requests, after.good, after.firstSeen, after.lastSeen], [2, 1, now, now + 5]);
    t.same(after.addresses[0], ['203.0.113.7', 1, 1, now, now]);
    t.same(after.events, [['login', 1, 1, now, now]]);
    t.same(after.refused, [['ip_not_allowed', 1, 0, now + 5, now + 5]]);
    await kept.store.close();
  });

  await t.test('joins days, and leaves out those before the one asked for', async (t) => {
    const kept = await start();
    now = NOON + 10 * DAY_MS;
    kept.observations.count('key', 'web', seenAt(now));
    await kept.store.flush();
    now += DAY_MS;
    kept.observations.count('key', 'web', seenAt(now));
    await kept.store.flush();
    kept.observations.count('key', 'web', seenAt(now));
    t.equal((await read(kept, dayOf(now) - 1)).requests, 3);
    t.equal((await read(kept, dayOf(now))).requests, 2);
    await kept.store.close();
  });

  await t.test('lets go of days that are too old', async (t) => {
    const kept = await start();
    now = NOON + 20 * DAY_MS;
    kept.observations.count('key', 'web', seenAt(now));
    await kept.store.flush();
    now += 3 * DAY_MS;
    kept.observations.count('key', 'web', seenAt(now));
    await kept.store.flush();
    t.equal(kept.observations.read(WEB, dayOf(now) - 3), null);
    await kept.store.close();
  });

  await t.test('callers of one name are told apart by their kind, whatever the name', async (t) => {
    const kept = await start();
    now = NOON + 30 * DAY_MS;
    kept.observations.count('api', 'web', seenAt(now));
    kept.observations.count('key', '__proto__', seenAt(now));
    await kept.store.flush();
    t.equal((await read(kept, dayOf(now))).requests, 0);
    t.equal((await kept.store.read({ kind: 'key', name: '__proto__' }, dayOf(now))).requests, 1);
    t.equal((await kept.store.read({ kind: 'api', name: 'web' }, dayOf(now))).requests, 1);
    await kept.store.close();
  });

  await t.test('keeps a bounded number of values, and says how many found no room', async (t) => {
    const kept = await start();
    now = NOON + 40 * DAY_MS;
    for (let i = 0; i < 300; i++) {
      kept.observations.count('key', 'web', seenAt(now, { event: `event-${i}` }));
      if (i === 100) await kept.store.flush();
    }
    const counts = await read(kept, dayOf(now));
    t.equal(counts.events.length, 256);
    t.equal(counts.truncated.events, 44);
    const missed = [...kept.observations.missed()].find(({ subject }) => subject.name === 'web');
    t.equal(missed?.missed, 44);
    await kept.store.close();
  });

  await t.test(lasts ? 'is there for the next process' : 'ends with the process', async (t) => {
    now = NOON + 50 * DAY_MS;
    const first = await start();
    first.observations.count('key', 'web', seenAt(now, { event: 'login' }));
    await first.store.close();
    const second = await start();
    second.observations.count('key', 'web', seenAt(now + 1, { event: 'login' }));
    t.same((await read(second, dayOf(now))).events[0]?.slice(0, 3), lasts ? ['login', 2, 2] : ['login', 1, 1]);
    await second.store.close();
  });
}
