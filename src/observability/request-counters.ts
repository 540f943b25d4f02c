/**
 * Counts outcomes in plain cells that are read only when metrics are scraped: a request costs a few map look-ups and additions.
 * Series exist only for keys that exist: those of a removed key end with it, and whatever names no key is counted as key "".
 */
import { API_NAMES, type ApiName } from '../config/api-names.ts';
import type { KeySnapshot } from '../keys/key.ts';
import { createDurations } from './durations.ts';
import type { Durations } from './durations.ts';
import { beginKey, countForKey, createKeyCells, type KeyCells } from './key-cells.ts';
import type { MetricName, Sample } from './metric-definitions.ts';
import { CACHE_RESULTS, upstreamErrorIn } from './outcome.ts';
import type { ApiLabel, CacheResult, Outcome, UpstreamErrorKind } from './outcome.ts';

export interface RequestCounters {
  /** Counts one finished request. */
  readonly record: (outcome: Outcome) => void;
  /** A request has found its API; `leave` must follow exactly once. */
  readonly enter: (api: ApiName) => void;
  readonly leave: (api: ApiName) => void;
  /** The series of one metric, as they are now. */
  readonly samples: (metric: CountedMetric) => readonly Sample[];
}

/** `keys` gives the snapshot that is served from now, or null before the first one. */
export function createRequestCounters(keys: () => KeySnapshot | null): RequestCounters {
  const unknown = createKeyCells('', false);
  const byKey = new Map<string, KeyCells>();
  const totals = createTotals();
  let followed: KeySnapshot | null = null;

  const follow = (): void => {
    const snapshot = keys();
    if (snapshot === followed || snapshot === null) return;
    followed = snapshot;
    followKeys(byKey, snapshot);
  };

  /** Asks for the one key, and again only when keys have changed: what a change costs does not depend on how many there are. */
  const cellsOf = (id: string): KeyCells => {
    const snapshot = keys();
    const known = byKey.get(id);
    if (snapshot === null || known?.seenIn === snapshot.version) return known ?? unknown;
    const key = snapshot.byId.get(id);
    if (key === undefined) {
      byKey.delete(id);
      return unknown;
    }
    // Without a scrape nobody takes away what belongs to keys that are gone.
    if (byKey.size > 2 * (snapshot.byId.size + KEYS_WITH_SERIES)) follow();
    const cells = known ?? beginKey(key);
    cells.seenIn = snapshot.version;
    byKey.set(id, cells);
    return cells;
  };

  return {
    record(outcome) {
      countForKey(cellsOf(outcome.keyId), outcome);
      countForApi(totals, outcome);
    },
    enter: (api) => void totals.inFlight[api].value++,
    leave: (api) => void totals.inFlight[api].value--,
    samples(metric) {
      follow();
      const read: ReadSeries = COUNTED[metric];
      return read([unknown, ...byKey.values()], totals);
    },
  };
}

/** Up to this many keys each has series before it is used; above, one has them from its first request on. */
const KEYS_WITH_SERIES = 1000;

/** Drops what belongs to keys and secrets that are gone, and begins new keys, where these are few. */
function followKeys(byKey: Map<string, KeyCells>, snapshot: KeySnapshot): void {
  for (const [id, { secrets }] of byKey) {
    const key = snapshot.byId.get(id);
    if (key === undefined) byKey.delete(id);
    else for (const id of secrets.keys()) if (!key.secrets.some((secret) => secret.id === id)) secrets.delete(id);
  }
  if (snapshot.byId.size > KEYS_WITH_SERIES) return;
  for (const key of snapshot.byId.values()) if (!byKey.has(key.id)) byKey.set(key.id, beginKey(key));
}

/** What is counted without regard to keys. */
interface Totals {
  readonly duration: Record<ApiLabel, Durations>;
  readonly upstreamDuration: Record<ApiName, Durations>;
  readonly upstreamErrors: Record<ApiName, Record<UpstreamErrorKind, Sample>>;
  readonly inFlight: Record<ApiName, Sample>;
  readonly cache: Record<CacheResult, Sample>;
}

/** The values of the label `kind`. */
export const UPSTREAM_ERROR_KINDS = [
  'connect',
  'connect_timeout',
  'tls',
  'reset',
  'header_timeout',
  'idle_timeout',
  'malformed',
  'truncated',
  'unknown',
] as const satisfies readonly UpstreamErrorKind[];

/** All of these series are few and known, so they begin at 0. */
function createTotals(): Totals {
  return {
    duration: recordOf([...API_NAMES, ''], createDurations),
    upstreamDuration: recordOf(API_NAMES, createDurations),
    upstreamErrors: recordOf(API_NAMES, (api) =>
      recordOf(UPSTREAM_ERROR_KINDS, (kind) => ({ labels: { api, kind }, value: 0 })),
    ),
    inFlight: recordOf(API_NAMES, (api) => ({ labels: { api }, value: 0 })),
    cache: recordOf(CACHE_RESULTS, (result) => ({ labels: { result }, value: 0 })),
  };
}

const recordOf = <K extends string, V>(names: readonly K[], make: (name: K) => V): Record<K, V> =>
  Object.fromEntries(names.map((name) => [name, make(name)])) as Record<K, V>;

function countForApi(totals: Totals, outcome: Outcome): void {
  totals.duration[outcome.api].observe(outcome.durationSeconds);
  if (outcome.cache !== null) totals.cache[outcome.cache].value++;
  if (outcome.api === '') return;
  if (outcome.upstreamSeconds !== null) totals.upstreamDuration[outcome.api].observe(outcome.upstreamSeconds);
  const error = upstreamErrorIn(outcome);
  if (error !== null) totals.upstreamErrors[outcome.api][error].value++;
}

type ReadSeries = (keys: readonly KeyCells[], totals: Totals) => readonly Sample[];

/** The metrics that are counted here, and how the series of each are read. */
const COUNTED = {
  postern_requests_total: (keys) => keys.flatMap((cells) => Object.values(cells.requests).flatMap(valuesOf)),
  postern_rejections_total: (keys) =>
    keys.flatMap(({ rejections }) =>
      [rejections.enforce, rejections.report].flatMap((byApi) => Object.values(byApi).flatMap(valuesOf)),
    ),
  postern_events_total: (keys) => keys.flatMap((cells) => [cells.forwarded, cells.removed, cells.rejected]),
  postern_tokens_issued_total: (keys) => keys.flatMap((cells) => (cells.issuesTokens ? [cells.tokens] : [])),
  postern_secret_last_used_timestamp_seconds: (keys) => keys.flatMap((cells) => valuesOf(cells.secrets)),
  postern_request_duration_seconds: (_, { duration }) => histogram('postern_request_duration_seconds', duration),
  postern_upstream_duration_seconds: (_, { upstreamDuration }) =>
    histogram('postern_upstream_duration_seconds', upstreamDuration),
  postern_upstream_errors_total: (_, { upstreamErrors }) =>
    Object.values(upstreamErrors).flatMap((byKind) => Object.values(byKind)),
  postern_requests_in_flight: (_, { inFlight }) => Object.values(inFlight),
  postern_cache_requests_total: (_, { cache }) => Object.values(cache),
} satisfies { readonly [M in MetricName]?: ReadSeries };

export type CountedMetric = keyof typeof COUNTED;

export const isCounted = (metric: MetricName): metric is CountedMetric => metric in COUNTED;

const histogram = (metric: MetricName, byApi: Readonly<Record<string, Durations>>): Sample[] =>
  Object.entries(byApi).flatMap(([api, durations]) => durations.samples(metric, { api }));

const valuesOf = <K, V>(map: ReadonlyMap<K, V>): V[] => [...map.values()];
