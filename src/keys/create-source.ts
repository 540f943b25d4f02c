/**
 * Chooses where keys come from, as the configuration says.
 */
import { resolveFrom } from '../config/document.ts';
import type { Config } from '../config/schema.ts';
import { connectRedis } from '../lib/redis.ts';
import { createFileSource } from './file-source.ts';
import { createRedisKeySource } from './redis-source.ts';
import { withAddressLists, type ListedKeySource } from './listed-source.ts';
import type { KeySource } from './source.ts';

export interface SourceDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The names of the APIs as they are configured now; left out: as in the configuration. */
  readonly apis?: () => readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The configured key source with its address lists, not started. `apis`: the names of the configured APIs. */
export function createKeySource(config: Config, deps: SourceDeps): ListedKeySource {
  const resolve = (file: string): string => resolveFrom(config.keys.file, file);
  return withAddressLists(chosenSource(config, deps), { now: deps.now, resolve });
}

function chosenSource({ keys, redis, apis: configured }: Config, { env, now, apis }: SourceDeps): KeySource {
  switch (keys.source) {
    case 'file':
      return createFileSource({ file: keys.file, env, now, apis: apis ?? (() => Object.keys(configured)) });
    case 'redis':
      return createRedisKeySource({
        connect: (events) => connectRedis(redis, { name: 'postern-keys', ...events }),
        prefix: redis.prefix,
        pollSeconds: redis.pollSeconds,
        now,
      });
  }
}
