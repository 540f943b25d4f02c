/**
 * Counts outcomes in plain cells that are read only when metrics are scraped: a request costs a few map look-ups and additions.
 * Series exist only for keys that exist: those of a removed key end with it, and whatever names no key is counted as key "".
 */
import { METRICS_API, type ApiName } from '../config/api-names.ts';
import type { Key, KeySnapshot } from '../keys/key.ts';
import { createDurations } from './durations.ts';
import type { Durations } from './durations.ts';
import { beginKey, cellsIn, countForKey, createKeyCells, type KeyCells } from './key-cells.ts';
import type { MetricName, Sample } from './metric-definitions.ts';
import { CACHE_RESULTS, upstreamErrorIn } from './outcome.ts';
import type { CacheResult, Outcome, UpstreamErrorKind } from './outcome.ts';

export interface RequestCounters {
  /** Counts one finished request. */
  readonly record: (outcome: Outcome) => void;
  /** A request has found its API; `leave` must follow exactly once. */
  readonly enter: (api: ApiName) => void;
  readonly leave: (api: ApiName) => void;
  /** The series of one metric, as they are now: of very many keys they are found one by one. */
  readonly samples: (metric: CountedMetric) => Iterable<Sample>;
}

export interface CounterSources {
  /** The snapshot that is served from now, or null before the first one. */
  readonly keys: () => KeySnapshot | null;
  /** The APIs that are configured now; the same list until that changes. */
  readonly apis: () => readonly ApiName[];
}

export function createRequestCounters({ keys, apis }: CounterSources): RequestCounters {
  const unknown = createKeyCells('', false);
  const byKey = new Map<string, KeyCells>();
  const totals = createTotals();
  let followed: KeySnapshot | null = null;
  let begun: readonly ApiName[] = [];

  const follow = (): void => {
    const names = apis();
    const snapshot = keys();
    if (snapshot === followed && names === begun) return;
    begun = names;
    for (const api of names) totalsOf(totals, api);
    if (snapshot === null) return;
    followed = snapshot;
    followKeys(byKey, snapshot, names);
  };

  /**
   * Looks up the one key, and again only when keys have changed: so the cost of a change does not depend on how many keys there
   * are.
   */
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
    enter: (api) => void totalsOf(totals, api).inFlight.value++,
    leave: (api) => void totalsOf(totals, api).inFlight.value--,
    samples(metric) {
      follow();
      const read: ReadSeries = COUNTED[metric];
      return read([unknown, ...byKey.values()], totals);
    },
  };
}

/** Up to this many keys each has series before it is used; above, one has them from its first request on. */
const KEYS_WITH_SERIES = 1000;
/** The same for the APIs that they are for, all together. */
const PLACES_WITH_SERIES = 2000;

/** Drops what belongs to keys and secrets that are gone, and begins new keys, where these are few. */
function followKeys(byKey: Map<string, KeyCells>, snapshot: KeySnapshot, apis: readonly ApiName[]): void {
  for (const [id, { secrets }] of byKey) {
    const key = snapshot.byId.get(id);
    if (key === undefined) byKey.delete(id);
    else for (const id of secrets.keys()) if (!key.secrets.some((secret) => secret.id === id)) secrets.delete(id);
  }
  if (snapshot.byId.size > KEYS_WITH_SERIES) return;
  let places = 0;
  for (const key of snapshot.byId.values()) {
    const cells = byKey.get(key.id) ?? beginKey(key);
    byKey.set(key.id, cells);
    for (const api of apis) if (serves(key, api) && places++ < PLACES_WITH_SERIES) cellsIn(cells, api);
  }
}

const serves = ({ type }: Key, api: ApiName): boolean => (type === 'metrics') === (api === METRICS_API);

/** What is counted without regard to keys. */
interface Totals {
  /** Of requests that no API was found for. */
  readonly nowhere: Durations;
  readonly byApi: Map<ApiName, ApiTotals>;
  readonly cache: Record<CacheResult, Sample>;
}

interface ApiTotals {
  readonly duration: Durations;
  readonly upstreamDuration: Durations;
  readonly upstreamErrors: Record<UpstreamErrorKind, Sample>;
  readonly inFlight: Sample;
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

const createTotals = (): Totals => ({
  nowhere: createDurations(),
  byApi: new Map(),
  cache: recordOf(CACHE_RESULTS, (result) => ({ labels: { result }, value: 0 })),
});

/** The series of an API are few and known, so they all begin at 0. */
function totalsOf({ byApi }: Totals, api: ApiName): ApiTotals {
  let totals = byApi.get(api);
  if (totals === undefined) {
    totals = {
      duration: createDurations(),
      upstreamDuration: createDurations(),
      upstreamErrors: recordOf(UPSTREAM_ERROR_KINDS, (kind) => ({ labels: { api, kind }, value: 0 })),
      inFlight: { labels: { api }, value: 0 },
    };
    byApi.set(api, totals);
  }
  return totals;
}

const recordOf = <K extends string, V>(names: readonly K[], make: (name: K) => V): Record<K, V> =>
  Object.fromEntries(names.map((name) => [name, make(name)])) as Record<K, V>;

function countForApi(all: Totals, outcome: Outcome): void {
  if (outcome.cache !== null) all.cache[outcome.cache].value++;
  if (outcome.api === '') return all.nowhere.observe(outcome.durationSeconds);
  const totals = totalsOf(all, outcome.api);
  totals.duration.observe(outcome.durationSeconds);
  if (outcome.upstreamSeconds !== null) totals.upstreamDuration.observe(outcome.upstreamSeconds);
  const error = upstreamErrorIn(outcome);
  if (error !== null) totals.upstreamErrors[error].value++;
}

type ReadSeries = (keys: readonly KeyCells[], totals: Totals) => Iterable<Sample>;

/** The metrics that are counted here, and how the series of each are read. */
const COUNTED = {
  *postern_requests_total(keys) {
    for (const { byApi } of keys) for (const { requests } of byApi.values()) yield* requests.values();
  },
  *postern_rejections_total(keys) {
    for (const { byApi } of keys)
      for (const { rejections } of byApi.values()) {
        yield* rejections.enforce.values();
        yield* rejections.report.values();
      }
  },
  *postern_events_total(keys) {
    for (const { forwarded, removed, rejected } of keys) yield* [forwarded, removed, rejected];
  },
  *postern_tokens_issued_total(keys) {
    for (const { issuesTokens, tokens } of keys) if (issuesTokens || tokens.value > 0) yield tokens;
  },
  *postern_secret_last_used_timestamp_seconds(keys) {
    for (const { secrets } of keys) yield* secrets.values();
  },
  postern_request_duration_seconds: (_, { nowhere, byApi }) => [
    ...histogram('postern_request_duration_seconds', byApi, 'duration'),
    ...nowhere.samples('postern_request_duration_seconds', { api: '' }),
  ],
  postern_upstream_duration_seconds: (_, { byApi }) =>
    histogram('postern_upstream_duration_seconds', byApi, 'upstreamDuration'),
  postern_upstream_errors_total: (_, { byApi }) =>
    valuesOf(byApi).flatMap(({ upstreamErrors }) => Object.values(upstreamErrors)),
  postern_requests_in_flight: (_, { byApi }) => valuesOf(byApi).map(({ inFlight }) => inFlight),
  postern_cache_requests_total: (_, { cache }) => Object.values(cache),
} satisfies { readonly [M in MetricName]?: ReadSeries };

export type CountedMetric = keyof typeof COUNTED;

export const isCounted = (metric: MetricName): metric is CountedMetric => metric in COUNTED;

const histogram = (metric: MetricName, byApi: Totals['byApi'], of: 'duration' | 'upstreamDuration'): Sample[] =>
  [...byApi].flatMap(([api, totals]) => totals[of].samples(metric, { api }));

const valuesOf = <K, V>(map: ReadonlyMap<K, V>): V[] => [...map.values()];
