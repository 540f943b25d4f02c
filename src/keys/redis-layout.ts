/**
 * What Postern keeps in Redis about keys, and the one way in which it is changed: hash, counter and message in one
 * transaction. Names and writers stand here alone; what a definition may say does not.
 */
import type { RedisCommand, RedisConnection } from '../lib/redis.ts';

export interface KeyLayout {
  /** Hash: field = id, value = the definition as JSON. */
  readonly keys: string;
  /** Counter, raised with each change. */
  readonly version: string;
  /** Channel on which the id of each changed key is published, or `*`. */
  readonly changed: string;
}

export const keyLayout = (prefix: string): KeyLayout => ({
  keys: `${prefix}keys`,
  version: `${prefix}keys:version`,
  changed: `${prefix}keys:changed`,
});

/** Published when more changed than is worth naming. */
export const EVERYTHING = '*';

export interface KeyChanges {
  /** Definitions to write, by id, as JSON. */
  readonly set: ReadonlyMap<string, string>;
  readonly remove: readonly string[];
}

/** Above this many keys one message for all costs readers less than one for each. */
const NAMED_CHANGES = 100;
/** Fields a command, so that no single one holds up the server. */
const FIELDS_A_COMMAND = 500;

/** Makes all changes at once, and tells every process. Changing nothing tells nobody. @throws RedisFailure */
export async function writeKeys(connection: RedisConnection, layout: KeyLayout, changes: KeyChanges): Promise<void> {
  const changed = [...changes.set.keys(), ...changes.remove];
  if (changed.length === 0) return;
  const fields = [...changes.set];
  const commands: RedisCommand[] = [
    ...chunks(fields).map((chunk): RedisCommand => ['hset', layout.keys, ...chunk.flat()]),
    ...chunks(changes.remove).map((chunk): RedisCommand => ['hdel', layout.keys, ...chunk]),
  ];
  // The counter rises by one for each message, so that readers can tell whether they heard of every change.
  for (const id of changed.length > NAMED_CHANGES ? [EVERYTHING] : changed)
    commands.push(['incr', layout.version], ['publish', layout.changed, id]);
  await connection.transaction(commands);
}

/** `ARGV`: id, channel, what must be there (JSON, or '' for nothing), what to write (JSON, or '' to remove). */
const REPLACE = `
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[3] then return 0 end
if ARGV[4] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[4]) end
redis.call('INCR', KEYS[2])
redis.call('PUBLISH', ARGV[2], ARGV[1])
return 1
`;

export interface KeyReplacement {
  readonly id: string;
  /** The JSON that must be there for the change to be made; null: the id must be free. */
  readonly expected: string | null;
  /** The JSON to write; null: remove the key. */
  readonly json: string | null;
}

/** Changes one key if it is still what the caller saw. False when somebody else was faster. @throws RedisFailure */
export async function replaceKey(
  connection: RedisConnection,
  layout: KeyLayout,
  { id, expected, json }: KeyReplacement,
): Promise<boolean> {
  const run = connection.script(REPLACE);
  return (await run([layout.keys, layout.version], [id, layout.changed, expected ?? '', json ?? ''])) === 1;
}

/** The JSON of one key, or null. @throws RedisFailure */
export async function readStoredKey(
  connection: RedisConnection,
  layout: KeyLayout,
  id: string,
): Promise<string | null> {
  return (await connection.call('hget', layout.keys, id)) as string | null;
}

/** Every key with its JSON, by id. @throws RedisFailure */
export async function readStoredKeys(connection: RedisConnection, layout: KeyLayout): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const page of scanKeys(connection, layout)) for (const [id, json] of page) found.set(id, json);
  return found;
}

/** Every key in pages. A key that is there throughout comes at least once; one that comes or goes meanwhile may or may not. */
export async function* scanKeys(
  connection: RedisConnection,
  layout: KeyLayout,
): AsyncGenerator<(readonly [id: string, json: string])[]> {
  let cursor = '0';
  do {
    const [next, flat] = (await connection.call('hscan', layout.keys, cursor, 'COUNT', 200)) as [string, string[]];
    const page: (readonly [string, string])[] = [];
    for (let i = 0; i + 1 < flat.length; i += 2) page.push([flat[i] as string, flat[i + 1] as string]);
    yield page;
    cursor = next;
  } while (cursor !== '0');
}

/** What the counter says, which of these ids are there, and how many keys there are: all of one moment. */
export interface StoredState {
  readonly version: string | null;
  readonly size: number;
  readonly values: ReadonlyMap<string, string | null>;
}

/** @throws RedisFailure */
export async function readStoredState(
  connection: RedisConnection,
  layout: KeyLayout,
  ids: readonly string[],
): Promise<StoredState> {
  const [version, size, ...lists] = await connection.transaction([
    ['get', layout.version],
    ['hlen', layout.keys],
    ...chunks(ids).map((chunk): RedisCommand => ['hmget', layout.keys, ...chunk]),
  ]);
  const found = lists.flat() as (string | null)[];
  return {
    version: version as string | null,
    size: Number(size),
    values: new Map(ids.map((id, i) => [id, found[i] ?? null])),
  };
}

function chunks<T>(items: readonly T[]): T[][] {
  const made: T[][] = [];
  for (let i = 0; i < items.length; i += FIELDS_A_COMMAND) made.push(items.slice(i, i + FIELDS_A_COMMAND));
  return made;
}
