/**
 * The summary of some refusals alone. How many there are of one reason or one key the server has counted; all else the page counts
 * from what it has in its list, and says so.
 */
import type { Listed, Mode, Rejection, Summary, TopLists } from '../api/types.ts';
import { countValue, createFrequent, majorityOf, mostFrequent, type Frequent } from '../../../lib/frequent.ts';
import type { OverviewView } from './view.ts';

export interface Shown {
  readonly summary: Summary;
  /** Whether it is what the list holds, and not everything. */
  readonly partial: boolean;
  /** Of how many refusals the lists of the most refused tell, where that is fewer than there are; null: of all. */
  readonly listed: number | null;
}

/** `kept`: those of the list that match. */
export function shownOf(summary: Summary, { mode, filter }: OverviewView, kept: readonly Rejection[]): Shown {
  const names = Object.keys(filter);
  if (names.length === 0) return { summary, partial: false, listed: null };
  const within = kept.filter(({ time }) => time >= (summary.minutes[0]?.time ?? ''));
  const top = { ...summary.top, [mode]: topOf(within) };
  const [only] = names.length === 1 ? names : [];
  if (only === 'reason' || only === 'key') {
    const value = filter[only] as string;
    const of = only === 'reason' ? 'byReason' : 'byKey';
    const list = only === 'reason' ? 'reasons' : 'keys';
    const known = summary.top[mode][list].filter((one) => one.value === value);
    // The server lists ten keys; the page knows of others too.
    const counted = known.length > 0 ? known : top[mode][list];
    const minutes = summary.minutes.map((step) => {
      const count = step[mode][of][value] ?? 0;
      const part = count === 0 ? {} : { [value]: count };
      return { ...step, [mode]: { total: count, byReason: {}, byKey: {}, [of]: part } };
    });
    const total = minutes.reduce((sum, step) => sum + step[mode].total, 0);
    return {
      summary: { ...summary, minutes, top: { ...top, [mode]: { ...top[mode], [list]: counted } } },
      partial: false,
      listed: within.length < total ? within.length : null,
    };
  }
  return { summary: { ...summary, top, minutes: minutesOf(summary, mode, within) }, partial: true, listed: null };
}

function minutesOf({ minutes, stepMinutes }: Summary, mode: Mode, kept: readonly Rejection[]): Summary['minutes'] {
  const counted = minutes.map((step) => ({ time: step.time, byReason: {} as Counts, byKey: {} as Counts, total: 0 }));
  const begin = Date.parse(minutes[0]?.time ?? '');
  for (const { time, reason, keyId } of kept) {
    const step = counted[Math.floor((Date.parse(time) - begin) / (stepMinutes * 60_000))];
    if (step === undefined) continue;
    step.total++;
    step.byReason[reason] = (step.byReason[reason] ?? 0) + 1;
    step.byKey[keyId] = (step.byKey[keyId] ?? 0) + 1;
  }
  return minutes.map((step, at) => {
    const { total = 0, byReason = {}, byKey = {} } = counted[at] ?? {};
    return { ...step, [mode]: { total, byReason, byKey } };
  });
}

type Counts = Record<string, number>;

/** Room for all that the list can hold. */
const ROOM = 4096;
const LISTED = 10;

function topOf(kept: readonly Rejection[]): TopLists {
  const of = (valuesIn: (rejection: Rejection) => readonly string[]): Listed[] => {
    const frequent = createFrequent(ROOM);
    for (const rejection of kept.toReversed())
      for (const value of valuesIn(rejection))
        countValue(frequent, value, rejection.reason, Date.parse(rejection.time));
    return listed(frequent);
  };
  return {
    reasons: of(({ reason }) => [reason]),
    keys: of(({ keyId }) => [keyId]),
    addresses: of(({ clientIp }) => (clientIp === '' ? [] : [clientIp])),
    paths: of(({ path }) => (path === '' ? [] : [path])),
    events: of(({ events = [] }) => events),
  };
}

const listed = (frequent: Frequent): Listed[] =>
  mostFrequent(frequent, LISTED).map(([value, known]) => ({
    value,
    count: known.count,
    missed: known.missed,
    firstSeen: new Date(known.firstSeen).toISOString(),
    lastSeen: new Date(known.lastSeen).toISOString(),
    mainReason: majorityOf(known),
  }));
