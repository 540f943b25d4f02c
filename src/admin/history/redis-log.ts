/**
 * The latest changes in Redis: one capped stream for all replicas, of which each holds a copy and reads on from where it was. When
 * Redis fails, this process goes on with what it knows; nothing else notices.
 */
import type { RedisConnection } from '../../lib/redis.ts';
import { HistoryChange } from './change.ts';
import { createKept, keyOfTarget, MOST_CHANGES, type ChangeLog, type Noted } from './change-log.ts';

export interface RedisLogOptions {
  /** The log owns it, and closes it. */
  readonly connection: RedisConnection;
  readonly prefix: string;
  /** Told when the history begins to be kept in this process alone. */
  readonly onFailure: (why: string) => void;
}

/**
 * `KEYS`: the stream; what the last change of the same thing led to. `ARGV`: the change, what it led to, `made` or `seen`, how many are
 * kept, how long replicas may take to see the same. What one has seen already is not noted again.
 */
const NOTE = `
if ARGV[3] == 'seen' and redis.call('GET', KEYS[2]) == ARGV[2] then return 0 end
redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[4], '*', 'change', ARGV[1], 'state', ARGV[2])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[5])
return 1
`;

/** No replica sees a change later than this. */
const SEEN_MS = 3_600_000;
/** Changes read at once: each is up to some 16 kB of JSON. */
const PAGE = 100;
/** In characters. What is longer was written by others. */
const MOST_OF_ONE = 65_536;

export function createRedisLog({ connection, prefix, onFailure }: RedisLogOptions): ChangeLog {
  const stream = `${prefix}history`;
  const kept = createKept();
  let next = '-';
  /** Why the last attempt failed. Redis may be read and not be written to: it is full, or this user may not. */
  const failures: Record<'reading' | 'writing', string | null> = { reading: null, writing: null };
  let reading: Promise<void> | null = null;

  const why = (): string | null => failures.writing ?? failures.reading;
  const failed = (what: keyof typeof failures, error: unknown): void => {
    const reason = `The history in Redis cannot be used: ${error instanceof Error ? error.message : String(error)}.`;
    if (why() === null) onFailure(reason);
    failures[what] = reason;
  };

  const readOn = async (): Promise<void> => {
    try {
      for (;;) {
        const page = (await connection.call('xrange', stream, next, '+', 'COUNT', PAGE)) as StreamEntry[];
        for (const [id, fields] of page) {
          const noted = readEntry(fields);
          if (noted !== null) kept.push(noted);
          next = idAfter(id);
        }
        if (page.length < PAGE) break;
      }
      failures.reading = null;
    } catch (error) {
      failed('reading', error);
    }
  };

  const sync = (): Promise<void> => (reading ??= readOn().finally(() => (reading = null)));

  return {
    sync,
    async add(noted, how) {
      const { change, state } = noted;
      const target = keyOfTarget({ kind: change.kind, name: change.target });
      try {
        const args = [JSON.stringify(change), state, how, MOST_CHANGES, SEEN_MS];
        await connection.script(NOTE)([stream, `${stream}:${target}`], args);
        failures.writing = null;
      } catch (error) {
        failed('writing', error);
        // Behind what others have noted before.
        await sync();
        kept.push(noted);
        return;
      }
      // One that began before may have passed this change already; what comes twice is read once.
      await reading;
      await sync();
    },
    position: kept.position,
    led: kept.led,
    list: kept.list,
    why,
    close: () => connection.close(),
  };
}

/** The smallest id behind this one. Before Redis 6.2 a range cannot be said to begin behind an id. */
function idAfter(id: string): string {
  const [time = '', count = '0'] = id.split('-');
  return `${time}-${BigInt(count) + 1n}`;
}

type StreamEntry = readonly [id: string, fields: readonly string[]];

/** What others wrote into the stream is no change. */
function readEntry(fields: readonly string[]): Noted | null {
  const values = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) values.set(fields[i] as string, fields[i + 1] as string);
  const [text = '', state = ''] = [values.get('change'), values.get('state')];
  if (text.length + state.length > MOST_OF_ONE) return null;
  try {
    const change = HistoryChange.safeParse(JSON.parse(text));
    return change.success ? { change: change.data, state } : null;
  } catch {
    return null;
  }
}
