/**
 * Observations in the memory of this process alone: they end with it.
 */
import type { DayCounts } from './day-counts.ts';
import { dayOf, type Observations, type Subject } from './observations.ts';
import { daysFrom, inSlices, repeat, unboundedCounts, type ObservationStore } from './store.ts';

/** How often days that are over are packed, in milliseconds. */
const PACK_MS = 10_000;

/** `now`: milliseconds since the epoch. */
export function createMemoryStore(observations: Observations, now: () => number): ObservationStore {
  const pack = async (): Promise<void> => inSlices(observations.freeze(), () => undefined);
  const packing = repeat(PACK_MS, pack);
  const join = async (subject: Subject, since: number): Promise<DayCounts> => {
    const joined = unboundedCounts();
    await inSlices(daysFrom(since, dayOf(now())), (day) => {
      const counts = observations.read(subject, day);
      if (counts !== null) joined.add(counts);
    });
    return joined;
  };
  /** One after the other: what many ask for at once would all be in memory, and their slices would follow each other without a pause. */
  let before: Promise<unknown> = Promise.resolve();
  return {
    read(subject, since) {
      const reading = before.then(() => join(subject, since));
      before = reading.then(
        () => undefined,
        () => undefined,
      );
      return reading;
    },
    flush: pack,
    shared: () => null,
    close: async () => packing.stop(),
  };
}
