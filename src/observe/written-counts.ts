/**
 * The counts of a day as text, for a file or for Redis, and back. What is read may have been written by anybody: anything but counts
 * that could have been written here is refused whole.
 */
import { addressText, readAddressText } from './address-value.ts';
import { DayCounts, KINDS, type Kind } from './day-counts.ts';
import { Peaks } from './peaks.ts';
import { readRouteValue } from './route-value.ts';
import { MOST_CHARACTERS, MOST_VALUES, type TakeRoom, type Tally } from './tallies.ts';

/** What was counted, how often, how often well, when first and when last (milliseconds since the epoch). */
type Row = readonly [value: string, requests: number, good: number, firstSeen: number, lastSeen: number];

type WrittenPeaks = Readonly<Record<'perSecond' | 'perMinute', number>> &
  Readonly<Record<'seconds' | 'minutes', readonly (readonly [number, number])[]>>;

export type WrittenCounts = Readonly<Record<Kind | 'refused' | 'obstacles', readonly Row[]>> & {
  readonly requests: number;
  readonly good: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly joined: boolean;
  readonly truncated: Readonly<Record<Kind, number>>;
  readonly peaks: WrittenPeaks;
};

/** What `readCounts` reads. */
export function writeCounts(counts: DayCounts): WrittenCounts {
  const { requests, good, firstSeen, lastSeen, joined, peaks } = counts;
  const rows = (kind: Kind): Row[] => [...rowsOf(counts[kind].good), ...rowsOf(counts[kind].others)];
  return {
    requests,
    good,
    firstSeen,
    lastSeen,
    joined,
    addresses: rows('addresses').map(([address, ...tally]) => [addressText(address), ...tally]),
    routes: rows('routes'),
    events: rows('events'),
    origins: rows('origins'),
    refused: rowsOf(counts.refused),
    obstacles: rowsOf(counts.obstacles),
    truncated: {
      addresses: counts.addresses.truncated,
      routes: counts.routes.truncated,
      events: counts.events.truncated,
      origins: counts.origins.truncated,
    },
    peaks: {
      perSecond: peaks.perSecond,
      perMinute: peaks.perMinute,
      seconds: [...peaks.seconds],
      minutes: [...peaks.minutes],
    },
  };
}

const rowsOf = (map: ReadonlyMap<string, Tally>): Row[] =>
  [...map].map(([value, { requests, good, firstSeen, lastSeen }]) => [value, requests, good, firstSeen, lastSeen]);

/** The counts that were written; null for anything else. */
export function readCounts(written: unknown, takeRoom: TakeRoom): DayCounts | null {
  const source = mapping(written);
  const truncated = mapping(source['truncated']);
  const counts = new DayCounts(takeRoom);
  const head = ['requests', 'good', 'firstSeen', 'lastSeen'] as const;
  if (!head.every((name) => isCount(source[name])) || typeof source['joined'] !== 'boolean') return null;
  for (const name of head) counts[name] = source[name] as number;
  counts.joined = source['joined'];
  for (const kind of KINDS) {
    const rows = readRows(source[kind]);
    if (rows === null || !isCount(truncated[kind])) return null;
    counts[kind].miss(truncated[kind]);
    for (const [text, tally] of rows) {
      const value = readValue(kind, text);
      if (value === null) return null;
      counts.addValue(kind, value, tally);
    }
  }
  for (const name of ['refused', 'obstacles'] as const) {
    const rows = readRows(source[name]);
    if (rows === null) return null;
    for (const [text, tally] of rows) counts[name].set(text, tally);
  }
  return readPeaks(source['peaks'], counts.peaks) ? counts : null;
}

function readValue(kind: Kind, text: string): string | null {
  if (kind === 'addresses') return readAddressText(text);
  if (kind === 'routes') return readRouteValue(text) === null ? null : text;
  return text;
}

function readRows(written: unknown): [string, Tally][] | null {
  // The good ones, and as many others.
  if (!Array.isArray(written) || written.length > 2 * MOST_VALUES) return null;
  const rows: [string, Tally][] = [];
  for (const row of written as unknown[]) {
    if (!Array.isArray(row) || row.length !== 5) return null;
    const [value, requests, good, firstSeen, lastSeen] = row as unknown[];
    if (typeof value !== 'string' || value.length > MOST_CHARACTERS) return null;
    if (!isCount(requests) || !isCount(good) || !isCount(firstSeen) || !isCount(lastSeen)) return null;
    rows.push([value, { requests, good, firstSeen, lastSeen }]);
  }
  return rows;
}

/** Into the given ones; whether they could be read. */
function readPeaks(written: unknown, into: Peaks): boolean {
  const source = mapping(written);
  const { perSecond, perMinute } = source;
  if (!isCount(perSecond) || !isCount(perMinute)) return false;
  const read = new Peaks();
  for (const [name, add] of [
    ['seconds', (at: number, requests: number) => read.addSecond(at, requests)],
    ['minutes', (at: number, requests: number) => read.addMinute(at, requests)],
  ] as const) {
    const pairs = source[name];
    if (!Array.isArray(pairs) || pairs.length > MOST_VALUES) return false;
    for (const pair of pairs as unknown[]) {
      if (!Array.isArray(pair) || pair.length !== 2 || !isCount(pair[0]) || !isCount(pair[1])) return false;
      add(pair[0], pair[1]);
    }
  }
  read.perSecond = Math.max(read.perSecond, perSecond);
  read.perMinute = Math.max(read.perMinute, perMinute);
  into.add(read);
  return true;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const mapping = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
