/**
 * Keys for Redis tests: definitions as JSON, the writers' transaction done from outside, and a listener that keeps what it
 * is told.
 */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Test } from 'tap';
import type { KeySnapshot } from '../../src/keys/key.ts';
import { createRedisKeySource, type RedisKeySourceOptions } from '../../src/keys/redis-source.ts';
import type { KeySource, KeySourceProblem, KeySourceStatus } from '../../src/keys/source.ts';
import { connectRedis, type RedisSettings } from '../../src/lib/redis.ts';
import { eventually } from './eventually.ts';

export const digest = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** A valid definition with the secret `secret-of-<id>`. */
export const definitionOf = (id: string, more: Record<string, unknown> = {}): string =>
  JSON.stringify({ type: 'read-write', secrets: [{ hash: `sha256:${digest(`secret-of-${id}`)}` }], ...more });

export interface OutsideChange {
  readonly set?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
  /** What to publish; null: nothing. Left out: each changed id. */
  readonly publish?: readonly string[] | null;
  /** By how much the counter rises; left out: one for each message, at least 1. */
  readonly raise?: number;
  readonly prefix?: string;
}

/** Changes keys as any writer does: hash, counter and messages in one MULTI. */
export async function changeKeys(admin: Redis, change: OutsideChange): Promise<void> {
  const { set = {}, remove = [], prefix = 'postern:' } = change;
  const messages = change.publish === undefined ? [...Object.keys(set), ...remove] : (change.publish ?? []);
  const transaction = admin.multi();
  if (Object.keys(set).length > 0) transaction.hset(`${prefix}keys`, set);
  if (remove.length > 0) transaction.hdel(`${prefix}keys`, ...remove);
  const raise = change.raise ?? Math.max(1, messages.length);
  if (raise > 0) transaction.incrby(`${prefix}keys:version`, raise);
  for (const message of messages) transaction.publish(`${prefix}keys:changed`, message);
  await transaction.exec();
}

export interface WatchedSource {
  readonly source: KeySource;
  readonly snapshots: KeySnapshot[];
  readonly problems: KeySourceProblem[];
  readonly statuses: KeySourceStatus[];
  /** Resolves when `start` has: it waits only so long for Redis, and on a busy machine may have no keys yet. */
  readonly started: Promise<void>;
  /** Resolves when the first keys are there. */
  readonly loaded: () => Promise<void>;
  /** Whether this secret opens a key now. */
  admits(secret: string): boolean;
  ids(): string[];
}

export function watchKeys(t: Test, settings: RedisSettings, more: Partial<RedisKeySourceOptions> = {}): WatchedSource {
  const source = createRedisKeySource({
    connect: (events) => connectRedis(settings, { name: 'test-keys', ...events }),
    prefix: 'postern:',
    pollSeconds: 2,
    ...more,
  });
  const snapshots: KeySnapshot[] = [];
  const problems: KeySourceProblem[] = [];
  const statuses: KeySourceStatus[] = [];
  const started = source.start({
    onKeys: (snapshot) => snapshots.push(snapshot),
    onStatus: (status) => statuses.push(status),
    onProblem: (problem) => problems.push(problem),
  });
  t.teardown(() => source.close());
  return {
    source,
    snapshots,
    problems,
    statuses,
    started,
    loaded: async () => void (await eventually(() => source.status().up, 'the first keys')),
    admits: (secret) => snapshots.at(-1)?.bySecret.has(digest(secret)) ?? false,
    ids: () => [...(snapshots.at(-1)?.byId.keys() ?? [])].sort(),
  };
}
