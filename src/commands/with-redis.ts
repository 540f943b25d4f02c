/**
 * Runs one piece of work with a connection to the configured Redis. A Redis that cannot be reached in a few seconds, or that
 * refuses, is told in one sentence.
 */
import { connectRedis, RedisFailure, type RedisConnection, type RedisSettings } from '../lib/redis.ts';
import type { CommandIo } from './io.ts';

const PATIENCE_MS = 5000;
const UNAVAILABLE = 70;

/** The exit code of `work`, or 70 when Redis cannot be reached or fails it. */
export async function withRedis(
  settings: RedisSettings,
  io: CommandIo,
  work: (connection: RedisConnection) => Promise<number>,
): Promise<number> {
  let connection: RedisConnection | undefined;
  try {
    connection = await connected(settings);
    return await work(connection);
  } catch (error) {
    if (!(error instanceof RedisFailure)) throw error;
    io.stderr(`Redis: ${error.message}`);
    return UNAVAILABLE;
  } finally {
    connection?.close();
  }
}

/** Rejects at the first failed attempt: whoever runs a command would rather try again than wait. */
function connected(settings: RedisSettings): Promise<RedisConnection> {
  return new Promise((resolve, reject) => {
    const give = (why: string): void => {
      clearTimeout(timer);
      connection.close();
      reject(new RedisFailure(`cannot be reached: ${why}`, ''));
    };
    const connection = connectRedis(settings, {
      name: 'postern-keys-command',
      timeoutMs: 60_000,
      onReady() {
        clearTimeout(timer);
        resolve(connection);
      },
      onLost: give,
    });
    const timer = setTimeout(() => give(`no answer within ${PATIENCE_MS / 1000} s`), PATIENCE_MS);
  });
}
