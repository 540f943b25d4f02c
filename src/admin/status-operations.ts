/**
 * The state of this process over the admin API: its configuration without secrets, its key source, its cache, and how each
 * key stands. Also empties the cache.
 */
import { createHash } from 'node:crypto';
import { redactConfig } from '../config/redact.ts';
import type { Config } from '../config/schema.ts';
import type { KeySnapshot } from '../keys/key.ts';
import type { KeySource } from '../keys/source.ts';
import { isoTime } from '../observability/iso-time.ts';
import type { Metrics } from '../observability/prometheus.ts';
import type { Audit } from './audit.ts';
import type { KeyChanges } from './key-changes.ts';
import { createKeyStates, type StatesOfKeys } from './key-states.ts';
import { writeLongList, type LongList } from './long-list.ts';
import { readInput, unchanged, type Answer, type Call, type Operation } from './operation.ts';
import { problem } from './problem.ts';
import { StatusQuery } from './schemas.ts';

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
  const states = createKeyStates(ports);
  const purge = async (call: Call): Promise<Answer> => {
    try {
      await ports.cache.purge();
    } catch (error) {
      return problem('source_unavailable', notPurged(error));
    }
    ports.audit(call, 'purge_cache');
    return { status: 204 };
  };
  const read = async (call: Call): Promise<Answer> => {
    const query = readInput(StatusQuery, call.query);
    if (!query.ok) return query.problem;
    const { counts, keys: items } = await states.read(query.value.key);
    const rest = statusOf(ports, counts);
    const list = { field: 'keys', items, show: (state: unknown) => state, rest };
    // When it was last in step says nothing that somebody who has the rest would have to read anew.
    const tag = await tagOf({ ...list, rest: { ...rest, keySource: { ...rest.keySource, lastSyncAt: null } } });
    return unchanged(call, tag) ?? { status: 200, parts: writeLongList(list), tag };
  };
  return [
    {
      method: 'GET',
      path: '/api/status',
      operationId: 'getStatus',
      access: 'viewer',
      query: StatusQuery,
      problems: ['invalid_request'],
      summary: 'How the process, its sources and its keys stand.',
      success: { status: 200, schema: 'Status' },
      handle: read,
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
      problems: ['source_unavailable'],
      handle: purge,
      summary: 'Forget every cached answer.',
      success: { status: 204, schema: null },
    },
  ];
}

async function tagOf(list: LongList<unknown>): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of writeLongList(list)) hash.update(part);
  return `"${hash.digest('base64url').slice(0, 22)}"`;
}

function statusOf(ports: StatusPorts, counts: StatesOfKeys['counts']) {
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
    keyCounts: counts,
  };
}

function cacheResults(samples: Metrics['samples']): Record<string, number> {
  const results: Record<string, number> = {};
  for (const { labels, value } of samples('postern_cache_requests_total')) results[String(labels['result'])] = value;
  return results;
}

const notPurged = (error: unknown): string =>
  `The answers in Redis stay (${error instanceof Error ? error.message : String(error)}); those of this process are forgotten. ` +
  'Try again once Redis is there.';

const timeOf = (at: number | null): string | null => (at === null ? null : isoTime(at));
