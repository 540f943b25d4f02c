/**
 * Chooses where requests are counted for rate limits, as the configuration says.
 */
import type { Config } from '../config/schema.ts';
import { connectRedis } from '../lib/redis.ts';
import { createMemoryRateStore } from './memory.ts';
import type { RateStore } from './rate-store.ts';
import { createRedisRateStore, type RedisRateStoreOptions } from './redis.ts';

/** `onFallback` is told when this process begins and ends to limit by itself. */
export function createRateStore(
  { rateLimit, redis }: Config,
  { onFallback }: Required<Pick<RedisRateStoreOptions, 'onFallback'>>,
): RateStore {
  switch (rateLimit.store) {
    case 'memory':
      return createMemoryRateStore();
    case 'redis':
      return createRedisRateStore({
        connection: connectRedis(redis, { name: 'postern-rate', writes: true }),
        prefix: redis.prefix,
        onFallback,
      });
  }
}
