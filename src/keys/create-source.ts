/**
 * Chooses where keys come from, as the configuration says.
 */
import type { Config } from '../config/schema.ts';
import { connectRedis } from '../lib/redis.ts';
import { createFileSource } from './file-source.ts';
import { createRedisKeySource } from './redis-source.ts';
import type { KeySource } from './source.ts';

export interface SourceDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The configured key source, not started. */
export function createKeySource({ keys, redis }: Config, { env, now }: SourceDeps): KeySource {
  switch (keys.source) {
    case 'file':
      return createFileSource({ file: keys.file, env, now });
    case 'redis':
      return createRedisKeySource({
        connect: (events) => connectRedis(redis, { name: 'postern-keys', ...events }),
        prefix: redis.prefix,
        pollSeconds: redis.pollSeconds,
        now,
      });
  }
}
