/**
 * Chooses where requests are counted for rate limits, as the configuration says, and by which clock.
 */
import type { Config } from '../config/schema.ts';
import { connectRedis } from '../lib/redis.ts';
import { createMemoryRateStore } from './memory.ts';
import type { RateLimits, RateStore } from './rate-store.ts';
import { createRedisRateStore, type RedisRateStoreOptions } from './redis.ts';

export interface RateLimitsOptions extends Required<Pick<RedisRateStoreOptions, 'onFallback'>> {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * `onFallback` is told when this process begins and ends to limit by itself. Counts by the clock: a request that waited for its body
 * would turn it back, and what is turned back lets go of what was counted since.
 */
export function createRateLimits(config: Config, { now, onFallback }: RateLimitsOptions): RateLimits {
  const store = createStore(config, onFallback);
  return {
    take: (keyId, limit) => store.take(keyId, limit, now()),
    shared: () => store.shared(),
    close: () => store.close(),
  };
}

function createStore({ rateLimit, redis }: Config, onFallback: RateLimitsOptions['onFallback']): RateStore {
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
