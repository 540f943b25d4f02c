/**
 * How many requests were refused in each minute of the last hour, by reason and by key, report mode apart. Bounded by the hour and by
 * the keys that exist; the time is handed in.
 */
import type { Mode } from '../keys/key.ts';
import type { Rejection } from './outcome.ts';

const MINUTE_MS = 60_000;
const MINUTES = 60;

export interface Counts {
  readonly total: number;
  readonly byReason: Readonly<Record<string, number>>;
  /** The key "" stands for callers that no key recognised. */
  readonly byKey: Readonly<Record<string, number>>;
}

export interface MinuteCounts {
  /** When the minute began, RFC 3339. */
  readonly time: string;
  readonly enforce: Counts;
  readonly report: Counts;
}

export interface Summary {
  /** `now` in milliseconds since the epoch. */
  readonly add: (rejection: Rejection, now: number) => void;
  /** Sixty minutes, the oldest first, the running one last; quiet minutes are there with zeros. */
  readonly read: (now: number) => readonly MinuteCounts[];
}

export function createSummary(): Summary {
  const buckets: Bucket[] = [];
  return {
    add(rejection, now) {
      const minute = Math.floor(now / MINUTE_MS);
      const slot = minute % MINUTES;
      let bucket = buckets[slot];
      // A clock that was set back counts into the minute it finds there, rather than losing what came after it.
      if (bucket === undefined || bucket.minute < minute) bucket = buckets[slot] = createBucket(minute);
      count(bucket[rejection.mode], rejection);
    },
    read(now) {
      const current = Math.floor(now / MINUTE_MS);
      return Array.from({ length: MINUTES }, (_, i) => {
        const minute = current - MINUTES + 1 + i;
        const bucket = buckets[minute % MINUTES];
        const counted = bucket?.minute === minute ? bucket : createBucket(minute);
        const time = new Date(minute * MINUTE_MS).toISOString();
        return { time, enforce: shown(counted.enforce), report: shown(counted.report) };
      });
    },
  };
}

interface Tally {
  total: number;
  readonly byReason: Map<string, number>;
  readonly byKey: Map<string, number>;
}

type Bucket = { readonly minute: number } & Readonly<Record<Mode, Tally>>;

const createTally = (): Tally => ({ total: 0, byReason: new Map(), byKey: new Map() });
const createBucket = (minute: number): Bucket => ({ minute, enforce: createTally(), report: createTally() });

function count(tally: Tally, { reason, keyId }: Rejection): void {
  tally.total++;
  tally.byReason.set(reason, (tally.byReason.get(reason) ?? 0) + 1);
  tally.byKey.set(keyId, (tally.byKey.get(keyId) ?? 0) + 1);
}

const shown = (tally: Tally): Counts => ({
  total: tally.total,
  byReason: Object.fromEntries(tally.byReason),
  byKey: Object.fromEntries(tally.byKey),
});
