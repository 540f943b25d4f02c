/**
 * Every metric of Postern's own: name, type, labels and what it tells. The exposition and docs/metrics.md are both made from this table.
 * Labels are bounded: nothing that a client can invent is one.
 */

export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

/** One series: its labels and its value at this moment. `metricName` differs from the metric's in the parts of a histogram. */
export interface Sample {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  value: number;
}

const define = (type: MetricDefinition['type'], labels: readonly string[], help: string): MetricDefinition => ({
  type,
  labels,
  help,
});

export const METRICS = {
  postern_requests_total: define(
    'counter',
    ['api', 'key', 'status'],
    'Requests answered, by status sent to the client.',
  ),
  postern_rejections_total: define(
    'counter',
    ['api', 'key', 'reason', 'mode'],
    'Requests refused (mode enforce) or that would have been (mode report). Upstream failures are not among them.',
  ),
  postern_events_total: define('counter', ['key', 'outcome'], 'Events of keys limited to specific events.'),
  postern_request_duration_seconds: define(
    'histogram',
    ['api'],
    'Time from the arrival of a request head to the end of its response.',
  ),
  postern_upstream_duration_seconds: define(
    'histogram',
    ['api'],
    'Time from the dispatch to the upstream to its response headers.',
  ),
  postern_upstream_errors_total: define('counter', ['api', 'kind'], 'Requests that the upstream failed.'),
  postern_requests_in_flight: define('gauge', ['api'], 'Requests that have an API and not yet a whole response.'),
  postern_tokens_issued_total: define('counter', ['key'], 'Access tokens issued.'),
  postern_cache_requests_total: define('counter', ['result'], 'What the response cache did with a query.'),
  postern_cache_bytes: define('gauge', [], 'Bytes held by the response cache in memory.'),
  postern_cache_entries: define('gauge', [], 'Entries held by the response cache in memory.'),
  postern_keys: define('gauge', ['type', 'state'], 'Keys known, by type and by whether they can be used now.'),
  postern_secret_last_used_timestamp_seconds: define(
    'gauge',
    ['key', 'secret'],
    'When a secret was last presented to this process. Absent: not since it started.',
  ),
  postern_key_source_up: define(
    'gauge',
    [],
    '1 while the key source can be read, else 0. The last keys go on serving.',
  ),
  postern_key_source_last_sync_timestamp_seconds: define(
    'gauge',
    [],
    'When the keys were last known to equal the key source. 0: never.',
  ),
  postern_key_source_invalid_definitions: define(
    'gauge',
    [],
    'Key definitions that cannot be used; each disables that one key.',
  ),
  postern_address_list_up: define(
    'gauge',
    ['list'],
    '1 while the last reading of an address list could be believed. At 0 the last good copy serves.',
  ),
  postern_address_list_entries: define('gauge', ['list'], 'Addresses and ranges in an address list.'),
  postern_address_list_last_success_timestamp_seconds: define(
    'gauge',
    ['list'],
    'When an address list was last read with success; 0: never.',
  ),
  postern_redis_up: define(
    'gauge',
    ['use'],
    '1 while cached answers, rate limits or observations are shared through Redis, 0 while this process does without. Absent: not kept there.',
  ),
  postern_config_last_reload_successful: define(
    'gauge',
    [],
    '1 if the last load of the configuration succeeded, else 0.',
  ),
  postern_config_last_reload_timestamp_seconds: define('gauge', [], 'When the running configuration was loaded.'),
  postern_tls_certificate_expires_timestamp_seconds: define(
    'gauge',
    ['use'],
    'When the certificate in use on the data port (`listen`) or the admin port (`admin`) ends. Absent: plain HTTP.',
  ),
  postern_tls_certificate_last_reload_successful: define(
    'gauge',
    ['use'],
    '1 while the certificate in use is the one in the files, 0 while these cannot be used and the last one stays.',
  ),
  postern_key_expires_timestamp_seconds: define(
    'gauge',
    ['key'],
    'When a key, or the last of its secrets, ends. Absent: never, or it is disabled.',
  ),
  postern_enforcement: define('gauge', ['api'], '1 if the API refuses, 0 if it only reports what it would refuse.'),
  postern_connections: define('gauge', [], 'Open connections of clients.'),
  postern_connections_limit: define('gauge', [], 'The most connections of clients; further ones are closed.'),
  postern_requests_in_flight_limit: define(
    'gauge',
    [],
    'The most requests under way, of all APIs together; further ones are refused as overloaded.',
  ),
  postern_admin_sign_in_failures_total: define('counter', [], 'Requests to the admin port with a wrong token.'),
  postern_log_lines_dropped_total: define(
    'counter',
    [],
    'Log lines that were not written: nobody read standard output, or it had no room.',
  ),
  postern_observed_truncated_total: define(
    'counter',
    ['key'],
    'Things observed of good requests that found no room. Key "": of callers without a known one.',
  ),
  postern_build_info: define('gauge', ['version', 'node'], 'Always 1; the labels tell what is running.'),
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;

/** Upper bounds in seconds: half a millisecond for a refusal, half a minute for a slow query. */
export const DURATION_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const;
