/**
 * Observations in the memory of this process alone: they end with it.
 */
import { dayOf, type Observations } from './observations.ts';
import { daysFrom, inSlices, repeat, unboundedCounts, type ObservationStore } from './store.ts';

/** How often days that are over are packed, in milliseconds. */
const PACK_MS = 10_000;

/** `now`: milliseconds since the epoch. */
export function createMemoryStore(observations: Observations, now: () => number): ObservationStore {
  const pack = async (): Promise<void> => inSlices(observations.freeze(), () => undefined);
  const packing = repeat(PACK_MS, pack);
  return {
    async read(subject, since) {
      const joined = unboundedCounts();
      await inSlices(daysFrom(since, dayOf(now())), (day) => {
        const counts = observations.read(subject, day);
        if (counts !== null) joined.add(counts);
      });
      return joined;
    },
    flush: pack,
    shared: () => null,
    close: async () => packing.stop(),
  };
}
