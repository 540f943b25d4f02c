/**
 * What came in each minute of the last hour, and in each ten minutes of the last day: requests, what was refused of them and what report
 * mode would have refused, upstream errors, events cut out. A request is counted once, in the running minute; minutes are added up
 * when they end. Bounded, and lost with the process; the time is handed in.
 */
import type { Mode } from '../keys/key.ts';
import { majorityOf, mostFrequent, type Frequent } from '../lib/frequent.ts';
import { isoTime } from './iso-time.ts';
import type { Outcome, Rejection, UpstreamErrorKind } from './outcome.ts';
import { countOutcome, createTally, mergeTally, type Dimension, type Refused, type Tally } from './tally.ts';

const MINUTE_MS = 60_000;
export const MINUTES_OF_HOUR = 60;
export const MINUTES_OF_DAY = 1440;
/** Of a step, where more than an hour is asked for. */
const MINUTES_OF_STEP = 10;
const STEPS_OF_DAY = MINUTES_OF_DAY / MINUTES_OF_STEP;
/** Of each but the reasons, which are listed all. */
const LISTED = 10;

export interface Counts {
  readonly total: number;
  readonly byReason: Readonly<Record<string, number>>;
  /** The key "" stands for callers that no key recognised. */
  readonly byKey: Readonly<Record<string, number>>;
}

export interface StepCounts {
  /** When the step began, RFC 3339. */
  readonly time: string;
  readonly requests: number;
  readonly enforce: Counts;
  readonly report: Counts;
  readonly upstreamErrors: Readonly<Partial<Record<UpstreamErrorKind, number>>>;
  readonly removedEvents: number;
}

/** One of the most refused. */
export interface Listed {
  readonly value: string;
  /** So many at least. */
  readonly count: number;
  /** So many more at most: it was not counted while too many others came. */
  readonly missed: number;
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** The reason of more than half of them, if there surely is one. */
  readonly mainReason: string | null;
}

export type TopLists = Readonly<Record<Dimension, readonly Listed[]>>;

export interface SummaryOfRange {
  /** Since when this process counts. */
  readonly since: string;
  /** When it was read, by the clock of the server. */
  readonly now: string;
  readonly stepMinutes: number;
  /** The oldest first, the running one last; quiet ones are there with zeros. */
  readonly minutes: readonly StepCounts[];
  readonly requests: { readonly total: number; readonly byKey: Readonly<Record<string, number>> };
  readonly top: Readonly<Record<Mode, TopLists>>;
  readonly upstreamErrors: Readonly<Partial<Record<UpstreamErrorKind, number>>>;
  readonly removedEvents: Readonly<Record<string, number>>;
}

export interface Summary {
  /** Counts one request; `rejection`: what is listed of it if it was refused, or would have been. */
  readonly record: (outcome: Outcome, rejection: Rejection | null) => void;
  /** The last so many minutes, up to 1,440; above 60 in steps of ten. `now` in milliseconds since the epoch. */
  readonly read: (now: number, minutes?: number) => SummaryOfRange;
  /** Another one whenever `read` would say something else. */
  readonly version: (now: number) => string;
}

interface Bucket {
  /** Minutes since the epoch, or tens of them. */
  readonly at: number;
  readonly tally: Tally;
}

const bucketAt = (at: number): Bucket => ({ at, tally: createTally() });

/** `start`: when the process began to count, in milliseconds since the epoch. */
export function createSummary(start: number): Summary {
  const minutes: Bucket[] = [];
  const steps: Bucket[] = [];
  let running = bucketAt(minuteOf(start));
  let recorded = 0;
  /** What has ended is added up once a minute, however often it is read. */
  const ended = new Map<number, Ended>();

  /** A clock that was set back counts into the minute it finds there, rather than losing what came after it. */
  const turn = (now: number): void => {
    const minute = minuteOf(now);
    if (minute <= running.at) return;
    ended.clear();
    minutes[running.at % MINUTES_OF_HOUR] = running;
    const at = stepOf(running.at);
    const slot = at % STEPS_OF_DAY;
    let step = steps[slot];
    if (step === undefined || step.at < at) step = steps[slot] = bucketAt(at);
    mergeTally(step.tally, running.tally);
    running = bucketAt(minute);
  };

  const minuteAt = (at: number): readonly Tally[] =>
    at === running.at ? [running.tally] : keptAt(minutes, MINUTES_OF_HOUR, at);
  const stepAt = (at: number): readonly Tally[] => [
    ...keptAt(steps, STEPS_OF_DAY, at),
    ...(at === stepOf(running.at) ? [running.tally] : []),
  ];

  return {
    record(outcome, rejection) {
      turn(outcome.now);
      recorded++;
      countOutcome(running.tally, outcome, rejection);
    },
    read(now, asked = MINUTES_OF_HOUR) {
      turn(now);
      const long = asked > MINUTES_OF_HOUR;
      const stepMinutes = long ? MINUTES_OF_STEP : 1;
      const last = long ? stepOf(running.at) : running.at;
      const count = Math.ceil(Math.min(asked, MINUTES_OF_DAY) / stepMinutes);
      const stepsAt = (from: number, to: number): readonly Bucket[] =>
        Array.from({ length: to - from }, (_, i) => ({
          at: from + i,
          tally: summed((long ? stepAt : minuteAt)(from + i)),
        }));
      let before = ended.get(asked);
      if (before === undefined) {
        if (ended.size >= MOST_ENDED) ended.clear();
        ended.set(asked, (before = endedOf(stepsAt(last - count + 1, last), stepMinutes)));
      }
      return rangeOf(before, stepsAt(last, last + 1), { start, now, stepMinutes });
    },
    version: (now) => `${minuteOf(now)}-${recorded}`,
  };
}

const minuteOf = (ms: number): number => Math.floor(ms / MINUTE_MS);
const stepOf = (minute: number): number => Math.floor(minute / MINUTES_OF_STEP);

function keptAt(ring: readonly Bucket[], size: number, at: number): readonly Tally[] {
  const bucket = ring[at % size];
  return bucket?.at === at ? [bucket.tally] : [];
}

function summed(parts: readonly Tally[]): Tally {
  const [first, ...others] = parts;
  if (first !== undefined && others.length === 0) return first;
  const sum = createTally();
  for (const part of parts) mergeTally(sum, part);
  return sum;
}

/** Steps to which nothing is added any more. */
interface Ended {
  readonly steps: readonly StepCounts[];
  readonly whole: Tally;
}

/** Of ranges that are asked for at once. */
const MOST_ENDED = 4;

const endedOf = (buckets: readonly Bucket[], stepMinutes: number): Ended => ({
  steps: buckets.map((bucket) => stepCounts(bucket, stepMinutes)),
  whole: summed(buckets.map(({ tally }) => tally)),
});

const stepCounts = ({ at, tally }: Bucket, stepMinutes: number): StepCounts => ({
  time: isoTime(at * stepMinutes * MINUTE_MS),
  requests: tally.requests,
  enforce: countsOf(tally.enforce),
  report: countsOf(tally.report),
  upstreamErrors: Object.fromEntries(tally.upstreamErrors),
  removedEvents: sumOf(tally.removedEvents),
});

interface Range {
  readonly start: number;
  readonly now: number;
  readonly stepMinutes: number;
}

function rangeOf(before: Ended, last: readonly Bucket[], { start, now, stepMinutes }: Range): SummaryOfRange {
  const whole = summed([before.whole, ...last.map(({ tally }) => tally)]);
  return {
    since: isoTime(start),
    now: isoTime(now),
    stepMinutes,
    minutes: [...before.steps, ...last.map((bucket) => stepCounts(bucket, stepMinutes))],
    requests: { total: whole.requests, byKey: byName(whole.requestsByKey) },
    top: { enforce: topOf(whole.enforce), report: topOf(whole.report) },
    upstreamErrors: Object.fromEntries(whole.upstreamErrors),
    removedEvents: byName(whole.removedEvents),
  };
}

const countsOf = ({ total, reasons, keys }: Refused): Counts => ({
  total,
  byReason: byName(reasons),
  byKey: byName(keys),
});

const byName = ({ values }: Frequent): Record<string, number> =>
  Object.fromEntries([...values].map(([name, { count }]) => [name, count]));

const sumOf = ({ values }: Frequent): number => [...values.values()].reduce((sum, { count }) => sum + count, 0);

const topOf = ({ reasons, keys, addresses, paths, events }: Refused): TopLists => ({
  reasons: listed(reasons, Infinity),
  keys: listed(keys, LISTED),
  addresses: listed(addresses, LISTED),
  paths: listed(paths, LISTED),
  events: listed(events, LISTED),
});

const listed = (frequent: Frequent, most: number): Listed[] =>
  mostFrequent(frequent, most).map(([value, known]) => ({
    value,
    count: known.count,
    missed: known.missed,
    firstSeen: isoTime(known.firstSeen),
    lastSeen: isoTime(known.lastSeen),
    mainReason: majorityOf(known) || null,
  }));
