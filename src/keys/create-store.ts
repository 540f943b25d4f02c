/**
 * Chooses where keys are changed: where the configuration says that they come from.
 */
import type { Environment } from '../config/document.ts';
import type { Config } from '../config/schema.ts';
import { connectRedis } from '../lib/redis.ts';
import { createFileStore } from './file-store.ts';
import type { KeyStore } from './key-store.ts';
import { createRedisStore } from './redis-store.ts';

/** The configured store. `apis`: the names of the APIs as they are configured now. A store in Redis has a connection of its own, so that its work never delays the reading of keys. */
export function createKeyStore({ keys, redis }: Config, env: Environment, apis: () => readonly string[]): KeyStore {
  switch (keys.source) {
    case 'file':
      return createFileStore({ file: keys.file, env, apis });
    case 'redis':
      return createRedisStore({
        connection: connectRedis(redis, { name: 'postern-admin', writes: true }),
        prefix: redis.prefix,
        apis,
      });
  }
}
