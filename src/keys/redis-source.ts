/**
 * Keys from Redis, as a source: connects, listens for changes, asks for the counter in between, and tells how it stands.
 * While Redis is away, or has lost its data, the last keys stay. Requests never wait for it.
 */
import type { RedisConnection, RedisEvents } from '../lib/redis.ts';
import { createKeyIndex, type InvalidKey } from './key-index.ts';
import { keyLayout } from './redis-layout.ts';
import { createRedisKeyReader, type RedisKeyReader } from './redis-reader.ts';
import type { KeyListener, KeySource, KeySourceStatus } from './source.ts';

export interface RedisKeySourceOptions {
  /** Opens the connection, which the source then owns. */
  readonly connect: (events: RedisEvents) => RedisConnection;
  readonly prefix: string;
  readonly pollSeconds: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Longest time between two full readings, in milliseconds. */
  readonly fullReadingMs?: number;
}

/** Redis is asked at least this often, so that one that hangs is noticed in time. */
const LONGEST_POLL_MS = 1000;
const FULL_READING_MS = 270_000;
/** How long a message may be behind the counter before it is taken for missing. */
const GRACE_MS = 50;
/** More malformed definitions at one time than this are told as a number. */
const NAMED_PROBLEMS = 20;
/** A subscription that is missing for so many polls, while Redis answers, is worth a warning. */
const UNSUBSCRIBED_POLLS = 3;
/** A start waits so long for Redis to be ready; a first reading that has begun may take longer. */
const START_MS = 1500;
const LOST =
  'Redis holds no keys, and its counter did not rise: it was emptied or is a fresh one. Run `postern keys push`, or restore it';

export function createRedisKeySource(options: RedisKeySourceOptions): KeySource {
  const { connect, prefix, pollSeconds, now = Date.now, fullReadingMs = FULL_READING_MS } = options;
  const layout = keyLayout(prefix);
  const index = createKeyIndex();
  let listener: KeyListener | undefined;
  let connection: RedisConnection | undefined;
  let reader: RedisKeyReader | undefined;
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> | undefined;
  let again = false;
  let closed = false;
  let loaded = false;
  let why: string | null = 'nothing was read from Redis yet';
  /** Why Redis could not be read since it last could: reasons take turns, and each is told once. */
  const told = new Set<string>();
  let lastSyncAt: number | null = null;
  let lastFullReading = 0;
  let subscribed: boolean | undefined;
  let unsubscribedPolls = 0;
  let tried: (() => void) | undefined;

  const status = (): KeySourceStatus => ({
    up: why === null,
    lastSyncAt,
    invalidDefinitions: index.invalidCount,
    loaded,
    why,
  });

  const report = (reason: string | null): void => {
    if (closed) return;
    if (reason === null) told.clear();
    else if (!told.has(reason)) {
      told.add(reason);
      listener?.onProblem({
        severity: 'error',
        message: `${reason}; ${loaded ? 'the last keys go on serving' : 'there are no keys yet'}`,
      });
    }
    why = reason;
    listener?.onStatus?.(status());
    tried?.();
  };

  const publish = (invalid: readonly InvalidKey[]): void => {
    if (closed) return;
    loaded = true;
    listener?.onKeys(index.snapshot());
    for (const { id, why: reason } of invalid.slice(0, NAMED_PROBLEMS))
      listener?.onProblem({ severity: 'error', keyId: id, message: `the key is not used: ${reason}` });
    if (invalid.length > NAMED_PROBLEMS)
      listener?.onProblem({
        severity: 'error',
        message: `${invalid.length - NAMED_PROBLEMS} more keys are not used, because their definitions are malformed`,
      });
  };

  /** Reads until nothing is left to read that was asked for meanwhile. */
  const work = async (from: RedisKeyReader): Promise<void> => {
    try {
      let result;
      do {
        again = false;
        result = await from.read();
      } while (again);
      if (result === 'unsure') setTimeout(wake, GRACE_MS).unref();
      if (result !== 'lost') lastSyncAt = now();
      report(result === 'lost' ? LOST : null);
    } catch (error) {
      again = false;
      report(`Redis cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  function wake(): void {
    if (closed || reader === undefined || connection?.ready !== true) return;
    again = true;
    working ??= work(reader).finally(() => {
      working = undefined;
      if (again) wake();
    });
  }

  const pollRedis = (): void => {
    if (connection?.ready !== true) {
      if (why === null) report('Redis cannot be reached');
      return;
    }
    if (performance.now() - lastFullReading >= fullReadingMs) readEverything();
    else wake();
    if (subscribed !== true && ++unsubscribedPolls === UNSUBSCRIBED_POLLS)
      listener?.onProblem({
        severity: 'warning',
        message: `messages about changed keys cannot be received; changes are found by asking every ${pollSeconds} s`,
      });
  };
  function readEverything(): void {
    lastFullReading = performance.now();
    reader?.requireEverything();
    wake();
  }

  return {
    kind: 'redis',
    async start(to) {
      listener = to;
      const opened = connect({
        onReady: readEverything,
        onLost: (reason) => report(`Redis cannot be reached: ${reason}`),
      });
      connection = opened;
      const own = createRedisKeyReader({ connection: opened, layout, index, onChange: publish });
      reader = own;
      opened.subscribe(layout.changed, {
        onMessage(message) {
          own.hear(message);
          wake();
        },
        onSubscribed() {
          unsubscribedPolls = 0;
          // What was published while nobody listened is in no message; before the first reading there is nothing to miss.
          if (subscribed === undefined) wake();
          else readEverything();
          subscribed = true;
        },
        onLost: () => (subscribed = false),
      });
      timer = setInterval(pollRedis, Math.min(LONGEST_POLL_MS, (pollSeconds * 1000) / 2));
      const late = setTimeout(() => {
        if (!opened.ready) report('Redis does not answer, or is still loading its data');
      }, START_MS);
      await new Promise<void>((resolve) => (tried = resolve));
      clearTimeout(late);
    },
    async reload() {
      readEverything();
      await working;
    },
    status,
    async close() {
      closed = true;
      tried?.();
      clearInterval(timer);
      connection?.close();
      await working;
    },
  };
}
