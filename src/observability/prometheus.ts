/**
 * What a scrape returns: every metric of the table, Node's and the process's own. The only file that knows prom-client, which here has
 * the process metrics alone; the series of others are read from plain cells and from callbacks, at scrape time alone.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { ApiName } from '../config/api-names.ts';
import { KEY_TYPES, type KeySnapshot, type Mode } from '../keys/key.ts';
import { endOf, keyState, type KeyState } from '../keys/snapshot.ts';
import { writeFamilies, type ReadSamples } from './exposition.ts';
import { METRICS } from './metric-definitions.ts';
import type { MetricName, Sample } from './metric-definitions.ts';
import type { Outcome } from './outcome.ts';
import { createRequestCounters, isCounted, type CountedMetric } from './request-counters.ts';

/** Where the gauges come from. All times are milliseconds since the epoch. */
export interface MetricSources {
  readonly now: () => number;
  /** The keys served from now, or null before they are loaded. */
  readonly keys: () => KeySnapshot | null;
  /** The names of the APIs that are configured now; the same list until that changes. */
  readonly apis: () => readonly ApiName[];
  /** `lastSyncAt`: when the keys were last known to equal their source, or null: never. */
  readonly keySource: () => {
    readonly up: boolean;
    readonly lastSyncAt: number | null;
    readonly invalidDefinitions: number;
  };
  /** `lastSuccessAt`: when a list was last read, or null: never. */
  readonly addressLists: () => readonly {
    readonly name: string;
    readonly up: boolean;
    readonly entries: number;
    readonly lastSuccessAt: number | null;
  }[];
  /** `lastLoaded`: when the running configuration was loaded. */
  readonly config: () => { readonly lastReloadSuccessful: boolean; readonly lastLoaded: number };
  /** Of the ports that speak TLS: when the certificate in use ends, and whether it is the one in the files. */
  readonly certificates: () => readonly {
    readonly name: string;
    readonly expiresAt: number;
    readonly isCurrent: boolean;
  }[];
  /** Whether an API refuses, or only reports. */
  readonly enforcement: () => readonly { readonly name: ApiName; readonly enforcement: Mode }[];
  readonly connections: () => Promise<number>;
  readonly limits: { readonly connections: number; readonly requestsInFlight: number };
  readonly signInFailures: () => number;
  /** The response cache in memory, or null when there is none. */
  readonly cache: () => { readonly bytes: number; readonly entries: number } | null;
  /** Whether what is shared through Redis is shared now; null: it is not kept there. */
  readonly redisUp: Readonly<Record<RedisUse, () => boolean | null>>;
  readonly logLinesDropped: () => number;
  /** Things observed that found no room, by key. */
  readonly observedTruncated: () => ReadonlyMap<string, number>;
}

/** What is kept in Redis besides keys. */
export type RedisUse = 'cache' | 'rate_limit' | 'observe';

export interface MetricsOptions {
  readonly version: string;
  /** Node's own version, as in `process.version`. */
  readonly node: string;
  readonly sources: MetricSources;
}

export interface Metrics {
  /** Counts one finished request. */
  readonly record: (outcome: Outcome) => void;
  /** A request has found its API; `leave` must follow exactly once. */
  readonly enter: (api: ApiName) => void;
  readonly leave: (api: ApiName) => void;
  /** The series of one metric of requests, as they are now. */
  readonly samples: (metric: CountedMetric) => Iterable<Sample>;
  readonly contentType: string;
  /** The scrape, in the Prometheus text format 0.0.4, in parts that are whole lines: others have their turn between them. */
  readonly parts: () => AsyncIterable<string>;
}

export function createMetrics({ version, node, sources }: MetricsOptions): Metrics {
  const counters = createRequestCounters(sources);
  const gauges = createGauges({ version, node, sources });
  const families = (Object.keys(METRICS) as MetricName[]).map((name) => ({
    ...METRICS[name],
    name,
    samples: isCounted(name) ? () => counters.samples(name) : gauges[name],
  }));
  const ofProcess = new Registry();
  collectDefaultMetrics({ register: ofProcess });
  return {
    record: counters.record,
    enter: counters.enter,
    leave: counters.leave,
    samples: counters.samples,
    contentType: ofProcess.contentType,
    async *parts() {
      yield* writeFamilies(families);
      yield await ofProcess.metrics();
    },
  };
}

/** Every metric that is not counted by request. One that is neither, or both, does not compile. */
type Gauges = Readonly<Record<Exclude<MetricName, CountedMetric>, ReadSamples>>;

function createGauges({ version, node, sources }: MetricsOptions): Gauges {
  return {
    postern_cache_bytes: one(() => sources.cache()?.bytes ?? 0),
    postern_cache_entries: one(() => sources.cache()?.entries ?? 0),
    postern_keys: () => keySamples(sources.keys(), sources.now()),
    postern_key_source_up: one(() => Number(sources.keySource().up)),
    postern_key_source_last_sync_timestamp_seconds: one(() => (sources.keySource().lastSyncAt ?? 0) / 1000),
    postern_key_source_invalid_definitions: one(() => sources.keySource().invalidDefinitions),
    postern_address_list_up: () => listSamples(sources, ({ up }) => Number(up)),
    postern_address_list_entries: () => listSamples(sources, ({ entries }) => entries),
    postern_address_list_last_success_timestamp_seconds: () =>
      listSamples(sources, ({ lastSuccessAt }) => (lastSuccessAt ?? 0) / 1000),
    postern_redis_up: () => redisSamples(sources.redisUp),
    postern_config_last_reload_successful: one(() => Number(sources.config().lastReloadSuccessful)),
    postern_config_last_reload_timestamp_seconds: one(() => sources.config().lastLoaded / 1000),
    postern_tls_certificate_expires_timestamp_seconds: () =>
      sources.certificates().map(({ name, expiresAt }) => ({ labels: { use: name }, value: expiresAt / 1000 })),
    postern_tls_certificate_last_reload_successful: () =>
      sources.certificates().map(({ name, isCurrent }) => ({ labels: { use: name }, value: Number(isCurrent) })),
    postern_key_expires_timestamp_seconds: () => keyEnds(sources.keys()),
    postern_enforcement: () =>
      sources.enforcement().map(({ name, enforcement }) => ({
        labels: { api: name },
        value: Number(enforcement === 'enforce'),
      })),
    postern_connections: async () => [{ labels: {}, value: await sources.connections() }],
    postern_connections_limit: one(() => sources.limits.connections),
    postern_requests_in_flight_limit: one(() => sources.limits.requestsInFlight),
    postern_admin_sign_in_failures_total: one(sources.signInFailures),
    postern_log_lines_dropped_total: one(() => sources.logLinesDropped()),
    postern_observed_truncated_total: () =>
      [...sources.observedTruncated()].map(([key, value]) => ({ labels: { key }, value })),
    postern_build_info: () => [{ labels: { version, node }, value: 1 }],
  };
}

const one = (read: () => number) => (): readonly Sample[] => [{ labels: {}, value: read() }];

type ListState = ReturnType<MetricSources['addressLists']>[number];

const listSamples = ({ addressLists }: MetricSources, valueOf: (list: ListState) => number): readonly Sample[] =>
  addressLists().map((list) => ({ labels: { list: list.name }, value: valueOf(list) }));

function redisSamples(uses: MetricSources['redisUp']): readonly Sample[] {
  return (Object.keys(uses) as RedisUse[]).flatMap((use) => {
    const up = uses[use]();
    return up === null ? [] : [{ labels: { use }, value: Number(up) }];
  });
}

/** A key that is disabled has ended already. */
function keyEnds(snapshot: KeySnapshot | null): readonly Sample[] {
  return [...(snapshot?.byId.values() ?? [])].flatMap((key) => {
    const at = key.enabled ? endOf(key) : Infinity;
    return at === Infinity ? [] : [{ labels: { key: key.id }, value: at / 1000 }];
  });
}

function keySamples(snapshot: KeySnapshot | null, now: number): readonly Sample[] {
  const states = ['active', 'disabled', 'expired'] as const satisfies readonly KeyState[];
  const samples = KEY_TYPES.flatMap((type) => states.map((state) => ({ labels: { type, state }, value: 0 })));
  for (const key of snapshot?.byId.values() ?? []) {
    const state = keyState(key, now);
    for (const sample of samples) if (sample.labels.type === key.type && sample.labels.state === state) sample.value++;
  }
  return samples;
}
