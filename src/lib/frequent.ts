/**
 * Which values come most often, in bounded memory, however many different ones come: Misra and Gries (1982), with eviction in batches
 * as in Anderson et al., "A High-Performance Algorithm for Identifying Frequent Items in Data Streams" (2017). Counting costs the
 * same, taken over many, whatever came before. Reads no clock.
 */

/** What is known of one value. A count never says too much; `missed` is how many more it may have been. */
export interface Frequency {
  count: number;
  missed: number;
  /** Milliseconds since the epoch. */
  firstSeen: number;
  lastSeen: number;
  /** What was said about more than half of them, if anything was: Boyer and Moore's majority vote (1981), with its lead. */
  about: string;
  lead: number;
}

export interface Frequent {
  /** Twice as many values are held before the rarer half goes. Up to that, all counts are exact. */
  readonly limit: number;
  readonly values: Map<string, Frequency>;
  /** How often a value may have come that is not among them, at most. */
  missed: number;
  /** Makes the text that is kept of a value. */
  readonly own: (value: string) => string;
}

/** `own`: such as `lib/own-text.ts`, where values are parts of larger texts that must not be kept with them. */
export const createFrequent = (limit: number, own = (value: string): string => value): Frequent => ({
  limit,
  values: new Map(),
  missed: 0,
  own,
});

/** `about`: what is voted on, such as why it came. `times`: how often it came at once. */
export function countValue(frequent: Frequent, value: string, about: string, now: number, times = 1): void {
  const known = frequent.values.get(value);
  if (known === undefined) {
    const { missed } = frequent;
    const own = frequent.own(value);
    // Such as a text that UTF-8 cannot write.
    if (own !== value) return countValue(frequent, own, about, now, times);
    frequent.values.set(own, { count: times, missed, firstSeen: now, lastSeen: now, about, lead: times });
    if (frequent.values.size >= 2 * frequent.limit) dropRarest(frequent);
    return undefined;
  }
  known.count += times;
  known.lastSeen = now;
  return vote(known, about, times);
}

function vote(known: Frequency, about: string, times: number): void {
  if (known.about === about) known.lead += times;
  else if (known.lead >= times) known.lead -= times;
  else {
    known.about = about;
    known.lead = times - known.lead;
  }
}

/** What is left of a count by the algorithm: what has been taken from all alike is taken from it too. */
const creditOf = ({ count, missed }: Frequency, frequent: Frequent): number => count + missed - frequent.missed;

/** At least `limit` values pay for each eviction, so that what is missed stays below the number of all by `limit`. */
function dropRarest(frequent: Frequent): void {
  const { values, limit } = frequent;
  const credits = [...values.values()].map((value) => creditOf(value, frequent)).sort((a, b) => b - a);
  frequent.missed += credits[limit] ?? 0;
  for (const [value, frequency] of values) if (creditOf(frequency, frequent) <= 0) values.delete(value);
}

/** Adds what the other one counted. The result holds `limit` values at most, or those of both where that is fewer. */
export function mergeFrequent(into: Frequent, from: Frequent): void {
  if (from.missed > 0)
    for (const [value, known] of into.values) if (!from.values.has(value)) known.missed += from.missed;
  for (const [value, frequency] of from.values) {
    const known = into.values.get(value);
    if (known === undefined) into.values.set(value, { ...frequency, missed: frequency.missed + into.missed });
    else join(known, frequency);
  }
  into.missed += from.missed;
  if (into.values.size > into.limit) dropRarest(into);
}

function join(known: Frequency, other: Frequency): void {
  known.count += other.count;
  known.missed += other.missed;
  known.firstSeen = Math.min(known.firstSeen, other.firstSeen);
  known.lastSeen = Math.max(known.lastSeen, other.lastSeen);
  vote(known, other.about, other.lead);
}

/** The values with the highest counts, the highest first. */
export function mostFrequent(frequent: Frequent, most: number): readonly (readonly [value: string, Frequency])[] {
  return [...frequent.values]
    .sort(([a, one], [b, other]) => other.count - one.count || (a < b ? -1 : 1))
    .slice(0, most);
}

/** What was surely said about more than half of them; null: nothing. */
export const majorityOf = ({ count, about, lead }: Frequency): string | null => (2 * lead > count ? about : null);
