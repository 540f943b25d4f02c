/**
 * The cache store that replicas share: Redis, with the memory of this process in front. A change made by one process is told
 * to the others, which then forget their copy. A Redis that fails or hangs costs hits and nothing else; only a purge says so.
 */
import { randomBytes } from 'node:crypto';
import { type CircuitBreaker, createCircuitBreaker } from '../lib/circuit-breaker.ts';
import type { RedisConnection } from '../lib/redis.ts';
import type { CacheEntry, CacheStore } from './store.ts';
import type { MemoryStore } from './memory-store.ts';
import { decodeEntry, encodeEntry } from './stored-entry.ts';

export interface RedisStoreOptions {
  readonly connection: RedisConnection;
  /** Of every name in Redis. */
  readonly prefix: string;
  readonly memory: MemoryStore;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told when another process has emptied the cache, or may have: what the backend was asked before may be old. */
  readonly onPurged?: () => void;
  /** Told when Redis begins and ceases to be left out; `why` is fit for logs. */
  readonly onFallback?: (active: boolean, why: string) => void;
  /** A query waits no longer than this for Redis. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 250;
const RETRY_AFTER_MS = 1000;
/** In messages: everything. */
const ALL = '*';

/** The store owns the connection and closes it. */
export function createRedisStore(options: RedisStoreOptions): CacheStore {
  const { connection, prefix, memory, now, onPurged, onFallback, patienceMs = PATIENCE_MS } = options;
  let failing = 0;
  const onChange = (open: boolean, why: string): void => {
    failing += open ? 1 : -1;
    if (failing === Number(open)) onFallback?.(open, why);
  };
  const limits = { timeoutMs: patienceMs, retryAfterMs: RETRY_AFTER_MS, onChange };
  // Apart, because a server that is full or read-only still has answers to give.
  const reads = createCircuitBreaker(limits);
  const writes = createCircuitBreaker(limits);
  const names = { generation: `${prefix}cache:generation`, changed: `${prefix}cache:changed` };
  const nameOf = (key: string): string => `${prefix}cache:${key}`;
  const self = randomBytes(8).toString('hex');
  /** Counts what was changed, here and elsewhere, so that an answer on its way from Redis is not kept when it may be old. */
  let changes = 0;
  /** The generation that this process saw last; null: none, or that one is known to be over. */
  let seen: string | null = null;

  const forget = (what: string): void => {
    changes += 1;
    if (what === ALL) memory.clear();
    else memory.delete(what);
  };
  /**
   * Whether this generation began unheard: somebody has emptied the cache, and the message is on its way or lost. What the backend was
   * asked before that must not be kept under it.
   */
  const beganUnheard = (generation: string): boolean => {
    const isOther = seen !== null && seen !== generation;
    seen = generation;
    if (!isOther) return false;
    forget(ALL);
    onPurged?.();
    return true;
  };
  let listened = false;
  const subscription = connection.subscribe(names.changed, {
    onMessage(message) {
      const [sender, what = ALL] = message.split(' ');
      if (sender === self) return;
      forget(what);
      if (what !== ALL) return;
      seen = null;
      onPurged?.();
    },
    // What others changed while nobody listened is unknown.
    onSubscribed() {
      forget(ALL);
      if (listened) onPurged?.();
      listened = true;
    },
  });

  const permits = (breaker: CircuitBreaker): boolean => {
    if (!connection.ready) breaker.trip('Redis cannot be reached');
    return breaker.permits;
  };
  /** Undefined when Redis fails. */
  const attempt = async <T>(breaker: CircuitBreaker, call: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await breaker.run(call);
    } catch {
      return undefined;
    }
  };
  const change = async (call: () => Promise<unknown>): Promise<void> => {
    if (permits(writes)) await attempt(writes, call);
  };
  const read = async (key: string): Promise<CacheEntry | undefined> => {
    const before = changes;
    const found = await attempt(reads, () => connection.callBuffer('mget', names.generation, nameOf(key)));
    const [generation, bytes] = Array.isArray(found) ? (found as (Buffer | null)[]) : [];
    if (!generation) return undefined;
    beganUnheard(generation.toString());
    if (!bytes) return undefined;
    const stored = decodeEntry(key, bytes);
    const ttlMs = stored === undefined ? 0 : stored.expiresAt - now();
    if (stored === undefined || ttlMs <= 0 || stored.generation !== generation.toString()) return undefined;
    if (changes === before) memory.set(key, stored.entry, ttlMs);
    return stored.entry;
  };
  /** Entries always belong to a generation: were it evicted, those of an earlier one must not come back. */
  const currentGeneration = async (): Promise<string> => {
    const known = await connection.call('get', names.generation);
    if (typeof known === 'string') return known;
    // It was evicted: nobody has emptied anything.
    seen = null;
    await connection.call('set', names.generation, newGeneration(), 'NX');
    return String(await connection.call('get', names.generation));
  };
  const write = async (key: string, entry: CacheEntry, ttlMs: number): Promise<void> => {
    const expiresAt = now() + ttlMs;
    const generation = await currentGeneration();
    if (beganUnheard(generation)) return;
    const bytes = encodeEntry(key, { entry, expiresAt, generation });
    await connection.transaction([
      ['set', nameOf(key), bytes, 'PX', Math.max(1, Math.ceil(ttlMs))],
      ['publish', names.changed, `${self} ${key}`],
    ]);
  };
  const remove = async (key: string): Promise<void> => {
    // As long as before writing: what was stored before must not come after.
    await currentGeneration();
    await connection.transaction([
      ['del', nameOf(key)],
      ['publish', names.changed, `${self} ${key}`],
    ]);
  };

  return {
    get(key) {
      const near = memory.get(key);
      return near !== undefined || !permits(reads) ? near : read(key);
    },
    set(key, entry, ttlMs) {
      changes += 1;
      memory.set(key, entry, ttlMs);
      // What is written in a moment must be what was handed in now.
      const own = entry.kind === 'answer' ? { ...entry, body: Buffer.from(entry.body) } : entry;
      return change(() => write(key, own, ttlMs));
    },
    delete(key) {
      forget(key);
      return change(() => remove(key));
    },
    // Not by way of a breaker: whoever purges waits, and has to know that what Redis keeps will not come back.
    async clear() {
      forget(ALL);
      const next = newGeneration();
      await connection.transaction([
        ['set', names.generation, next],
        ['publish', names.changed, `${self} ${ALL}`],
      ]);
      seen = next;
    },
    stats: memory.stats,
    shared: () => connection.ready && reads.permits && writes.permits,
    close() {
      subscription.close();
      connection.close();
    },
  };
}

const newGeneration = (): string => randomBytes(12).toString('hex');
