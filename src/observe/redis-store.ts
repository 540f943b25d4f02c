/**
 * Observations in Redis, joined of all replicas: each adds what it counted to what is there, and keeps nothing for itself. While
 * Redis is away, what was counted waits in memory, as bounded there as everything.
 */
import { createHash } from 'node:crypto';
import type { RedisConnection } from '../lib/redis.ts';
import { DayCounts } from './day-counts.ts';
import { DAY_MS, dayOf, type Observations, type Subject } from './observations.ts';
import {
  dateOf,
  daysFrom,
  inSlices,
  repeat,
  unboundedCounts,
  type ObservationStore,
  type OnFallback,
} from './store.ts';
import { readCounts, writeCounts } from './written-counts.ts';

export interface RedisStoreOptions {
  readonly connection: RedisConnection;
  /** Of every name in Redis. */
  readonly prefix: string;
  readonly observations: Observations;
  /** How many days are kept. */
  readonly days: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onFallback: OnFallback;
  /** In bytes, of all that is kept there. */
  readonly maxBytes?: number;
}

/** A process that ends without a word loses no more than this. */
const FLUSH_MS = 5000;
const MAX_BYTES = 100 * 1024 * 1024;
/** How often others may have come first. */
const ATTEMPTS = 8;

/**
 * Puts the text of one caller in the place of the one that it was made from. 0: somebody else came first; -1: there is no room.
 * KEYS: the hash of the day, the hash with the size of each day. ARGV: the caller, the SHA-1 of the text before or '', the text,
 * the day, when it ends, how many bytes there may be, and what the names of all days begin with.
 */
const REPLACE = `
local before = redis.call('HGET', KEYS[1], ARGV[1])
if (before and redis.sha1hex(before) or '') ~= ARGV[2] then return 0 end
local grown = #ARGV[3] - (before and #before or 0)
local total, days = grown, {}
local sizes = redis.call('HGETALL', KEYS[2])
for i = 1, #sizes, 2 do
  if redis.call('EXISTS', ARGV[7] .. sizes[i]) == 0 then redis.call('HDEL', KEYS[2], sizes[i])
  else
    total = total + tonumber(sizes[i + 1])
    days[#days + 1] = { sizes[i], tonumber(sizes[i + 1]) }
  end
end
table.sort(days, function(a, b) return a[1] < b[1] end)
for _, day in ipairs(days) do
  if grown <= 0 or total <= tonumber(ARGV[6]) then break end
  if day[1] >= ARGV[4] then return -1 end
  redis.call('DEL', ARGV[7] .. day[1])
  redis.call('HDEL', KEYS[2], day[1])
  total = total - day[2]
end
if grown > 0 and total > tonumber(ARGV[6]) then return -1 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('HINCRBY', KEYS[2], ARGV[4], grown)
redis.call('PEXPIREAT', KEYS[1], ARGV[5])
return 1
`;

/** The store owns the connection and closes it. */
export function createRedisStore(options: RedisStoreOptions): ObservationStore {
  const { connection, prefix, observations, days, now, onFallback, maxBytes = MAX_BYTES } = options;
  const replace = connection.script(REPLACE);
  const names = { days: `${prefix}observed:`, sizes: `${prefix}observed:sizes` };
  let failing = false;
  const tell = (active: boolean, why: string): void => {
    if (active !== failing) onFallback(active, why);
    failing = active;
  };

  const textOf = async (subject: Subject, day: number): Promise<string | null> => {
    const text = await connection.call('hget', `${names.days}${dateOf(day)}`, fieldOf(subject));
    return typeof text === 'string' ? text : null;
  };

  /** @throws RedisFailure */
  const join = async (subject: Subject, day: number, counted: DayCounts): Promise<void> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const before = await textOf(subject, day);
      const next = new DayCounts(() => true);
      const known = before === null ? null : parse(before);
      if (known !== null) next.add(known);
      const missed = next.add(counted);
      const done = await replace(
        [`${names.days}${dateOf(day)}`, names.sizes],
        [
          fieldOf(subject),
          before === null ? '' : createHash('sha1').update(before).digest('hex'),
          JSON.stringify(writeCounts(next)),
          dateOf(day),
          (day + days) * DAY_MS,
          maxBytes,
          names.days,
        ],
      );
      if (done === 1) return observations.miss(subject, missed);
      if (done === -1) return observations.miss(subject, counted.good);
    }
    throw new Error('other processes were always first');
  };

  const flushNow = async (): Promise<void> => {
    if (!observations.dirty) return;
    observations.dirty = false;
    // As a list: what is counted meanwhile comes with the next flush.
    for (const { subject, day } of Array.from(observations.entries())) {
      const counted = observations.take(subject, day);
      if (counted === null) continue;
      try {
        await join(subject, day, counted);
      } catch (error) {
        observations.add(subject, day, counted);
        return tell(true, (error as Error).message);
      }
    }
    tell(false, '');
  };
  /** One after the other: what is on its way is in neither place. */
  let flushing = Promise.resolve();
  const flush = (): Promise<void> => (flushing = flushing.then(flushNow));
  const repeated = repeat(FLUSH_MS, flush);

  return {
    flush,
    async read(subject, since) {
      await flush();
      const joined = unboundedCounts();
      const last = dayOf(now());
      try {
        const texts = await Promise.all([...daysFrom(since, last)].map((day) => textOf(subject, day)));
        await inSlices(texts, (text) => {
          const counts = text === null ? null : parse(text);
          if (counts !== null) joined.add(counts);
        });
      } catch (error) {
        tell(true, (error as Error).message);
      }
      for (const day of daysFrom(since, last)) {
        const own = observations.read(subject, day);
        if (own !== null) joined.add(own);
      }
      return joined;
    },
    shared: () => connection.ready && !failing,
    async close() {
      repeated.stop();
      if (connection.ready) await flush();
      connection.close();
    },
  };
}

const fieldOf = ({ kind, name }: Subject): string => `${kind} ${name}`;

/** What was left there by somebody else is as good as nothing. */
function parse(text: string): DayCounts | null {
  try {
    return readCounts(JSON.parse(text) as unknown, () => true);
  } catch {
    return null;
  }
}
