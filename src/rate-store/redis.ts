/**
 * Rate limits counted in Redis, shared by every process: one atomic script by the server's clock. While Redis does not
 * answer in time, this process limits by itself with what it has admitted so far: neither open nor closed to all.
 */
import type { RateLimit } from '../keys/key.ts';
import { createCircuitBreaker } from '../lib/circuit-breaker.ts';
import type { RedisConnection } from '../lib/redis.ts';
import { createMemoryRateStore, type MemoryRateStore } from './memory.ts';
import type { RateStore, RateVerdict } from './rate-store.ts';
import { admitted, CLOCK_SET_MS, refusedFor, slotMs } from './sliding-log.ts';

export interface RedisRateStoreOptions {
  readonly connection: RedisConnection;
  /** Of every name in Redis. */
  readonly prefix: string;
  /** Told when this process begins and ends to limit by itself; `why` is fit for logs. */
  readonly onFallback?: (active: boolean, why: string) => void;
  /** A request waits no longer than this for Redis. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 150;
/** After a failure Redis is left alone for this long, so that a hanging one delays one request a second and not all. */
const RETRY_AFTER_MS = 1000;

/**
 * The sliding log of sliding-log.ts as a list: first the total, then `time:count` in ascending order. Answers
 * `{wait, remaining, reset}`: the wait is 0 when the request was counted, or the milliseconds until one fits; the reset is in
 * milliseconds as well.
 */
const TAKE = `
local requests, window, slot, set_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local key = KEYS[1]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function entry(index)
  local text = redis.call('LINDEX', key, index)
  local time, count = string.match(text or '', '^(%d+):(%d+)$')
  return tonumber(time), tonumber(count)
end
local function write(time, count) return string.format('%.0f:%d', time, count) end
local total = tonumber(redis.call('LINDEX', key, 0) or '0')
local newest, newest_count = entry(-1)
if newest and newest > now + slot + set_ms then
  redis.call('DEL', key)
  redis.call('RPUSH', key, total, write(now, total))
  redis.call('PEXPIRE', key, window + slot)
  newest, newest_count = now, total
end
local left = total
local time, count = entry(1)
if time and time + window <= now then
  redis.call('LPOP', key)
  while time and time + window <= now do
    left = left - count
    redis.call('LPOP', key)
    time, count = entry(0)
  end
  redis.call('LPUSH', key, left)
  total = left
end
if total >= requests then
  local index = 1
  while time do
    left = left - count
    if left < requests then return {math.max(1, time + window - now), 0, 0} end
    index = index + 1
    time, count = entry(index)
  end
  return {window, 0, 0}
end
local at = math.max(math.ceil(now / slot) * slot, newest or 0)
if total == 0 then
  redis.call('DEL', key)
  redis.call('RPUSH', key, 1, write(at, 1))
else
  if newest == at then redis.call('LSET', key, -1, write(at, newest_count + 1))
  else redis.call('RPUSH', key, write(at, 1)) end
  redis.call('LSET', key, 0, total + 1)
end
redis.call('PEXPIRE', key, at - now + window)
return {0, requests - total - 1, (time or at) + window - now}
`;

/** The store owns the connection and closes it. */
export function createRedisRateStore(options: RedisRateStoreOptions): RateStore {
  const { connection, prefix, onFallback, patienceMs = PATIENCE_MS } = options;
  const own: MemoryRateStore = createMemoryRateStore();
  const script = connection.script(TAKE);
  const redis = createCircuitBreaker({ timeoutMs: patienceMs, retryAfterMs: RETRY_AFTER_MS, onChange: onFallback });

  const askRedis = async (keyId: string, limit: RateLimit): Promise<RateVerdict> => {
    const args = [limit.requests, limit.windowSeconds * 1000, slotMs(limit), CLOCK_SET_MS];
    const answer = await script([`${prefix}rate:${keyId}`], args);
    if (!Array.isArray(answer)) throw new Error('the script gave no list');
    const [waitMs, remaining, resetMs] = answer.map(Number);
    if (waitMs === undefined || remaining === undefined || resetMs === undefined || !(waitMs >= 0))
      throw new Error('the script gave no three numbers');
    return waitMs === 0 ? admitted(remaining, resetMs) : refusedFor(waitMs);
  };
  const takeShared = async (keyId: string, limit: RateLimit, now: number): Promise<RateVerdict> => {
    try {
      const verdict = await redis.run(() => askRedis(keyId, limit));
      if (verdict.allowed) own.record(keyId, limit, now);
      return verdict;
    } catch {
      return own.take(keyId, limit, now);
    }
  };

  return {
    take(keyId, limit, now) {
      // What this process alone admitted is never more than what all admitted: when that is too much, Redis need not be asked.
      const verdict = own.verdict(keyId, limit, now);
      if (!verdict.allowed) return verdict;
      if (!connection.ready) redis.trip('Redis cannot be reached');
      return redis.permits ? takeShared(keyId, limit, now) : own.take(keyId, limit, now);
    },
    shared: () => connection.ready && redis.permits,
    close() {
      own.close();
      connection.close();
    },
  };
}
