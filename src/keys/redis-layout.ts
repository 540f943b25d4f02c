/**
 * What Postern keeps in Redis about keys, and the one way in which it is changed: hash, counter and message in one
 * transaction. Names and writers stand here alone; what a definition may say does not.
 */
import type { RedisCommand, RedisConnection } from '../lib/redis.ts';

export interface KeyLayout {
  /** Hash: field = id, value = the definition as JSON. */
  readonly keys: string;
  /** The same for policies and address lists: field = name. */
  readonly policies: string;
  readonly lists: string;
  /** Counter, raised with each change. */
  readonly version: string;
  /** Channel on which the id of each changed key is published, `policy:NAME` or `list:NAME`, or `*`. */
  readonly changed: string;
}

export const keyLayout = (prefix: string): KeyLayout => ({
  keys: `${prefix}keys`,
  policies: `${prefix}policies`,
  lists: `${prefix}lists`,
  version: `${prefix}keys:version`,
  changed: `${prefix}keys:changed`,
});

/** Published when more changed than is worth naming. */
export const EVERYTHING = '*';

export type StoredHash = 'keys' | 'policies' | 'lists';

/** What a message says before the name. */
export const MESSAGE_PREFIXES: Readonly<Record<StoredHash, string>> = { keys: '', policies: 'policy:', lists: 'list:' };

/** Changes of one hash. */
export interface HashChanges {
  /** Definitions to write, by id, as JSON. */
  readonly set: ReadonlyMap<string, string>;
  readonly remove: readonly string[];
}

/** Changes of keys, and of what they name. */
export interface KeyChanges extends HashChanges {
  readonly policies?: HashChanges;
  readonly lists?: HashChanges;
}

/** Above this many keys one message for all costs readers less than one for each. */
const NAMED_CHANGES = 100;
/** Fields a command, so that no single one holds up the server. */
const FIELDS_A_COMMAND = 500;

/** Makes all changes at once, and tells every process. Changing nothing tells nobody. @throws RedisFailure */
export async function writeKeys(connection: RedisConnection, layout: KeyLayout, changes: KeyChanges): Promise<void> {
  const { policies = NO_CHANGES, lists = NO_CHANGES } = changes;
  const ids = [...changes.set.keys(), ...changes.remove];
  const records = [
    ...[...policies.set.keys(), ...policies.remove].map((name) => MESSAGE_PREFIXES.policies + name),
    ...[...lists.set.keys(), ...lists.remove].map((name) => MESSAGE_PREFIXES.lists + name),
  ];
  const changed = [...ids, ...records];
  if (changed.length === 0) return;
  const commands = [
    ...hashCommands(layout.keys, changes),
    ...hashCommands(layout.policies, policies),
    ...hashCommands(layout.lists, lists),
  ];
  // What belongs together is told together: a key without its new policy could not be used.
  const asOne = changed.length > NAMED_CHANGES || (records.length > 0 && changed.length > 1);
  // The counter rises by one for each message, so that readers can tell whether they heard of every change.
  for (const id of asOne ? [EVERYTHING] : changed)
    commands.push(['incr', layout.version], ['publish', layout.changed, id]);
  await connection.transaction(commands);
}

const NO_CHANGES: HashChanges = { set: new Map(), remove: [] };

const hashCommands = (hash: string, { set, remove }: HashChanges): RedisCommand[] => [
  ...chunks([...set]).map((chunk): RedisCommand => ['hset', hash, ...chunk.flat()]),
  ...chunks(remove).map((chunk): RedisCommand => ['hdel', hash, ...chunk]),
];

/**
 * `ARGV`: id, message, channel, what must be there (JSON, or '' for nothing), what to write (JSON, or '' to remove), and what the
 * counter must say ('*': anything).
 */
const REPLACE = `
if ARGV[6] ~= '*' and (redis.call('GET', KEYS[2]) or '') ~= ARGV[6] then return 0 end
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[4] then return 0 end
if ARGV[5] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[5]) end
redis.call('INCR', KEYS[2])
redis.call('PUBLISH', ARGV[3], ARGV[2])
return 1
`;

export interface KeyReplacement {
  readonly id: string;
  /** The JSON that must be there for the change to be made; null: the id must be free. */
  readonly expected: string | null;
  /** The JSON to write; null: remove the key. */
  readonly json: string | null;
  /** Left out: a key. */
  readonly hash?: StoredHash;
  /** What the counter must say, where the change was decided on more than what it replaces; left out: anything. */
  readonly version?: string | null;
}

/** Changes one key, policy or list if it is still what the caller saw. False when somebody else was faster. @throws RedisFailure */
export async function replaceKey(
  connection: RedisConnection,
  layout: KeyLayout,
  { id, expected, json, hash = 'keys', version = '*' }: KeyReplacement,
): Promise<boolean> {
  const run = connection.script(REPLACE);
  const message = MESSAGE_PREFIXES[hash] + id;
  const args = [id, message, layout.changed, expected ?? '', json ?? '', version ?? ''];
  return (await run([layout[hash], layout.version], args)) === 1;
}

/** The JSON of one key, or null. @throws RedisFailure */
export async function readStoredKey(
  connection: RedisConnection,
  layout: KeyLayout,
  id: string,
  hash: StoredHash = 'keys',
): Promise<string | null> {
  return (await connection.call('hget', layout[hash], id)) as string | null;
}

/** Every key with its JSON, by id. @throws RedisFailure */
export async function readStoredKeys(
  connection: RedisConnection,
  layout: KeyLayout,
  hash: StoredHash = 'keys',
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const page of scanKeys(connection, layout, hash)) for (const [id, json] of page) found.set(id, json);
  return found;
}

/** Every key in pages. A key that is there throughout comes at least once; one that comes or goes meanwhile may or may not. */
export async function* scanKeys(
  connection: RedisConnection,
  layout: KeyLayout,
  hash: StoredHash = 'keys',
): AsyncGenerator<(readonly [id: string, json: string])[]> {
  let cursor = '0';
  do {
    const [next, flat] = (await connection.call('hscan', layout[hash], cursor, 'COUNT', 200)) as [string, string[]];
    const page: (readonly [string, string])[] = [];
    for (let i = 0; i + 1 < flat.length; i += 2) page.push([flat[i] as string, flat[i + 1] as string]);
    yield page;
    cursor = next;
  } while (cursor !== '0');
}

/** What the counter says, which of these names are there, and how many there are: all of one moment. */
export interface StoredState {
  readonly version: string | null;
  /** How many keys. */
  readonly size: number;
  readonly values: ReadonlyMap<string, string | null>;
  readonly policies: StoredPart;
  readonly lists: StoredPart;
}

export interface StoredPart {
  readonly size: number;
  readonly values: ReadonlyMap<string, string | null>;
}

/** The names to ask for. `policies` and `lists` left out: they are not asked about at all. */
export interface StateQuestion {
  readonly keys: readonly string[];
  readonly policies?: readonly string[];
  readonly lists?: readonly string[];
}

/** @throws RedisFailure */
export async function readStoredState(
  connection: RedisConnection,
  layout: KeyLayout,
  question: StateQuestion,
): Promise<StoredState> {
  const asked = (['keys', 'policies', 'lists'] as const).filter((hash) => question[hash] !== undefined);
  const [version, ...answers] = await connection.transaction([
    ['get', layout.version],
    ...asked.flatMap((hash) => [
      ['hlen', layout[hash]] as RedisCommand,
      ...chunks(question[hash] ?? []).map((chunk): RedisCommand => ['hmget', layout[hash], ...chunk]),
    ]),
  ]);
  const partOf = (hash: StoredHash): StoredPart => {
    const names = question[hash];
    if (names === undefined) return { size: 0, values: new Map() };
    const [size, ...lists] = answers.splice(0, 1 + Math.ceil(names.length / FIELDS_A_COMMAND));
    const found = lists.flat() as (string | null)[];
    return { size: Number(size), values: new Map(names.map((name, i) => [name, found[i] ?? null])) };
  };
  const keys = partOf('keys');
  return { version: version as string | null, ...keys, policies: partOf('policies'), lists: partOf('lists') };
}

function chunks<T>(items: readonly T[]): T[][] {
  const made: T[][] = [];
  for (let i = 0; i < items.length; i += FIELDS_A_COMMAND) made.push(items.slice(i, i + FIELDS_A_COMMAND));
  return made;
}
