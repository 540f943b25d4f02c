import t from 'tap';
import { createMemoryStore } from '../../src/observe/memory-store.ts';
import { DAY_MS, dayOf, Observations } from '../../src/observe/observations.ts';
import { eventually } from '../support/eventually.ts';
import { seenAt, WEB } from '../support/observed.ts';
import { catchTimers } from '../support/timers.ts';
import { observationStoreContract } from './store-contract.ts';

t.test('contract', async (t) => {
  await observationStoreContract(t, {
    lasts: false,
    open: async ({ days, now }) => {
      const observations = new Observations({ days });
      return { observations, store: createMemoryStore(observations, now) };
    },
  });
});

t.test('callers are read one after the other, and one that fails holds up no other', async (t) => {
  const days: string[] = [];
  const observations = {
    // Each day takes longer than a slice, after which others have their turn.
    read({ name }: { readonly name: string }) {
      days.push(name);
      const began = performance.now();
      while (performance.now() - began < 11);
      if (name === 'broken') throw new Error('it cannot be read');
      return null;
    },
  } as unknown as Observations;
  const store = createMemoryStore(observations, () => DAY_MS);
  const reading = ['web', 'broken', 'app'].map((name) => store.read({ kind: 'key', name }, 0));
  t.same(
    (await Promise.allSettled(reading)).map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  t.same(days, ['web', 'web', 'broken', 'app', 'app']);
  await store.close();
});

t.test('days that are over are packed every ten seconds', async (t) => {
  const noon = Date.UTC(2030, 0, 1, 12);
  const observations = new Observations({ days: 3 });
  let store: ReturnType<typeof createMemoryStore> | undefined;
  const timers = catchTimers(() => (store = createMemoryStore(observations, () => noon + DAY_MS)));
  t.same(
    timers.map(({ ms }) => ms),
    [10_000],
  );
  for (let i = 0; i < 100; i++) observations.count('key', 'web', seenAt(noon, { event: `event-${i}` }));
  observations.count('key', 'web', seenAt(noon + DAY_MS));
  const before = observations.bytes;
  timers[0]?.run();
  await eventually(() => observations.bytes < before / 2, 'yesterday is packed');
  t.equal((await store?.read(WEB, dayOf(noon)))?.requests, 101);
  t.equal(store?.shared(), null);
  await store?.close();
});
