/**
 * Chooses where observations are kept, as the configuration says.
 */
import type { Config } from '../config/schema.ts';
import { connectRedis } from '../lib/redis.ts';
import { createFileStore } from './file-store.ts';
import { createMemoryStore } from './memory-store.ts';
import type { Observations } from './observations.ts';
import { createRedisStore } from './redis-store.ts';
import type { ObservationStore, OnFallback } from './store.ts';

/** What stands before the path of a file, in `observe.store`. */
export const FILE_STORE = 'file:';

export interface StorePorts {
  readonly now: () => number;
  readonly onFallback: OnFallback;
  readonly onUnreadable: (why: string) => void;
}

export function createObservationStore(
  { observe, redis }: Config,
  observations: Observations,
  { now, onFallback, onUnreadable }: StorePorts,
): ObservationStore {
  if (observe.store === 'memory') return createMemoryStore(observations, now);
  if (observe.store !== 'redis')
    return createFileStore({
      path: observe.store.slice(FILE_STORE.length),
      observations,
      now,
      onFallback,
      onUnreadable,
    });
  return createRedisStore({
    connection: connectRedis(redis, { name: 'postern-observe', writes: true }),
    prefix: redis.prefix,
    days: observe.days,
    observations,
    now,
    onFallback,
  });
}
