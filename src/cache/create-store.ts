/**
 * Chooses where the answers of an API are kept, as the configuration says.
 */
import type { CacheConfig } from '../config/apis-schema.ts';
import type { Config } from '../config/schema.ts';
import { connectRedis } from '../lib/redis.ts';
import type { CacheStore } from './store.ts';
import { createMemoryStore } from './memory-store.ts';
import { createRedisStore, type RedisStoreOptions } from './redis-store.ts';

export interface StoreDeps
  extends Pick<RedisStoreOptions, 'now'>, Required<Pick<RedisStoreOptions, 'onFallback' | 'onPurged'>> {
  readonly redis: Config['redis'];
}

/** `onFallback` is told when Redis begins and ceases to be left out, `onPurged` when another process has emptied the cache. */
export function createCacheStore(
  { store, maxBytes }: CacheConfig,
  { redis, now, onFallback, onPurged }: StoreDeps,
): CacheStore {
  const memory = createMemoryStore({ maxBytes, now });
  switch (store) {
    case 'memory':
      return memory;
    case 'redis':
      return createRedisStore({
        connection: connectRedis(redis, { name: 'postern-cache', writes: true }),
        prefix: redis.prefix,
        memory,
        now,
        onFallback,
        onPurged,
      });
  }
}
