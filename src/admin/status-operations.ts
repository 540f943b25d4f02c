/**
 * The state of this process over the admin API: its configuration without secrets, its key source, its cache, and how each
 * key stands. Also empties the cache.
 */
import { redactConfig } from '../config/redact.ts';
import type { Config } from '../config/schema.ts';
import { completed } from '../keys/compile.ts';
import type { KeySnapshot } from '../keys/key.ts';
import { keyState } from '../keys/snapshot.ts';
import type { KeySource } from '../keys/source.ts';
import { definitionWarnings } from '../keys/warnings.ts';
import { isoTime } from '../observability/iso-time.ts';
import type { Metrics } from '../observability/prometheus.ts';
import { NO_RECORDS, type KeyDefinition } from '../keys/definition.ts';
import type { Audit } from './audit.ts';
import type { KeyChanges } from './key-changes.ts';
import type { Answer, Call, Operation } from './operation.ts';
import { fieldFindings } from './problem.ts';

export interface StatusPorts {
  readonly version: string;
  readonly config: () => Config;
  readonly configStatus: () => { readonly lastReloadSuccessful: boolean; readonly lastLoaded: number };
  readonly source: Pick<KeySource, 'kind' | 'status'>;
  readonly keys: () => KeySnapshot | null;
  readonly changes: Pick<KeyChanges, 'list' | 'writable'>;
  readonly samples: Metrics['samples'];
  readonly cache: {
    readonly stats: () => { readonly bytes: number; readonly entries: number } | null;
    readonly purge: () => Promise<void>;
  };
  readonly audit: Audit;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function statusOperations(ports: StatusPorts): Operation[] {
  const definitions = createDefinitionCache(ports);
  const purge = async (call: Call): Promise<Answer> => {
    await ports.cache.purge();
    ports.audit(call, 'purge_cache');
    return { status: 204 };
  };
  return [
    {
      method: 'GET',
      path: '/api/status',
      operationId: 'getStatus',
      access: 'viewer',
      problems: [],
      summary: 'How the process, its sources and its keys stand.',
      success: { status: 200, schema: 'Status' },
      handle: async () => ({ status: 200, body: statusOf(ports, await definitions()) }),
    },
    {
      method: 'GET',
      path: '/api/config',
      operationId: 'getConfig',
      access: 'viewer',
      problems: [],
      summary: 'The running configuration, every secret redacted.',
      success: { status: 200, schema: 'Configuration' },
      handle: () => ({ status: 200, body: redactConfig(ports.config()) }),
    },
    {
      method: 'POST',
      path: '/api/cache/purge',
      operationId: 'purgeCache',
      access: 'editor',
      problems: [],
      handle: purge,
      summary: 'Forget every cached answer.',
      success: { status: 204, schema: null },
    },
  ];
}

function statusOf(ports: StatusPorts, definitions: ReadonlyMap<string, KeyDefinition>) {
  const { up, why, lastSyncAt } = ports.source.status();
  const { lastReloadSuccessful, lastLoaded } = ports.configStatus();
  const stats = ports.cache.stats();
  return {
    version: ports.version,
    keySource: {
      kind: ports.source.kind,
      up,
      why,
      lastSyncAt: timeOf(lastSyncAt),
      readOnly: ports.changes.writable()?.detail ?? null,
    },
    config: { lastReloadSuccessful, lastLoadedAt: isoTime(lastLoaded) },
    cache: stats && { bytes: stats.bytes, entries: stats.entries, results: cacheResults(ports.samples) },
    keys: keyStates(ports, definitions),
  };
}

/** Reading every definition anew is only worth it after a change: a console asks for the state again and again. */
function createDefinitionCache({ keys, changes }: Pick<StatusPorts, 'keys' | 'changes'>) {
  let read: { readonly version: number; readonly definitions: ReadonlyMap<string, KeyDefinition> } | null = null;
  return async (): Promise<ReadonlyMap<string, KeyDefinition>> => {
    const version = keys()?.version ?? 0;
    if (read?.version === version) return read.definitions;
    const stored = await changes.list();
    if ('code' in stored) return new Map();
    const valid = stored.flatMap((entry) => ('definition' in entry ? [[entry.id, entry.definition] as const] : []));
    read = { version, definitions: new Map(valid) };
    return read.definitions;
  };
}

function cacheResults(samples: Metrics['samples']): Record<string, number> {
  const results: Record<string, number> = {};
  for (const { labels, value } of samples('postern_cache_requests_total')) results[String(labels['result'])] = value;
  return results;
}

function keyStates({ keys, samples, now }: StatusPorts, definitions: ReadonlyMap<string, KeyDefinition>) {
  const snapshot = keys();
  const records = snapshot?.records ?? NO_RECORDS;
  const lastUsed = new Map<string, number>();
  for (const { labels, value } of samples('postern_secret_last_used_timestamp_seconds'))
    lastUsed.set(`${labels['key']} ${labels['secret']}`, value * 1000);
  const used = [...(snapshot?.byId.values() ?? [])].map((key) => {
    const definition = definitions.get(key.id);
    const whole = definition && completed({ id: key.id, definition }, records);
    return {
      id: key.id,
      state: keyState(key, now()),
      why: null,
      secrets: key.secrets.map(({ id }) => ({ id, lastUsedAt: timeOf(lastUsed.get(`${key.id} ${id}`) ?? null) })),
      warnings:
        whole !== undefined && 'definition' in whole
          ? fieldFindings(definitionWarnings(whole.definition, now(), records))
          : [],
    };
  });
  const invalid = (snapshot?.invalid ?? []).map(({ id, why }) => ({
    id,
    state: 'invalid',
    why,
    secrets: [],
    warnings: [],
  }));
  return [...used, ...invalid];
}

const timeOf = (at: number | null): string | null => (at === null ? null : isoTime(at));
