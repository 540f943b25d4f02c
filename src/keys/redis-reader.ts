/**
 * Brings an index of keys in line with Redis: everything, or what was named in messages, one reading at a time, so that an
 * old answer never overwrites a newer one. Tells lost data from deleted keys. Knows no timer, and decides nothing about up.
 */
import type { RedisConnection } from '../lib/redis.ts';
import type { InvalidKey, KeyIndex, PreparedKey } from './key-index.ts';
import { RedisFailure } from '../lib/redis.ts';
import {
  EVERYTHING,
  type KeyLayout,
  MESSAGE_PREFIXES,
  readStoredKeys,
  readStoredState,
  scanKeys,
  type StateQuestion,
  type StoredState,
} from './redis-layout.ts';
import { createStoredRecords } from './stored-records.ts';

export interface RedisKeyReader {
  /** Takes a message of the channel: an id, `policy:NAME`, `list:NAME` or `*`. It is acted on by the next `read`. */
  hear(message: string): void;
  /** Makes the next `read` a full one. */
  requireEverything(): void;
  /**
   * Reads what is due. Not to be called again before it is done.
   * - `synced`: the index is what Redis holds.
   * - `unsure`: the counter says that a change was missed. It may be on its way; if not, the next `read` reads everything.
   * - `lost`: Redis has lost its keys; the index keeps them.
   * @throws RedisFailure; the next `read` is then a full one
   */
  read(): Promise<'synced' | 'unsure' | 'lost'>;
}

export interface RedisKeyReaderOptions {
  readonly connection: RedisConnection;
  readonly layout: KeyLayout;
  readonly index: KeyIndex;
  /** The index has changed and is whole. `invalid`: definitions that cannot be used since. */
  readonly onChange: (invalid: readonly InvalidKey[]) => void;
}

/** A message that is late may make a change seem missing once or twice. */
const MAX_DOUBTS = 3;
/** Keys that are prepared between two pauses. */
const AT_ONCE = 500;
const NOTHING_NAMED: Required<StateQuestion> = { keys: [], policies: [], lists: [] };

type Change = readonly [id: string, prepared: PreparedKey | null];

export function createRedisKeyReader({ connection, layout, index, onChange }: RedisKeyReaderOptions): RedisKeyReader {
  /** The counter up to which every change is in the index; undefined before the first reading. */
  let known: string | null | undefined;
  /** Messages since `known` was read: one for each step of the counter, unless somebody changed keys without telling. */
  let heard = 0;
  const named = new Set<string>();
  let everything = true;
  /** How many times in a row a change seemed to be missing. */
  let doubts = 0;
  let lost = false;
  const book = createStoredRecords();
  /**
   * Rights that were given before there were policies and lists do not have to cover them: then there are none, until a full
   * reading finds otherwise. Rights that covered them and were taken away are a failure: what is in use could not change.
   */
  let records: 'unknown' | 'readable' | 'forbidden' = 'unknown';

  const readState = async (question: Required<StateQuestion>): Promise<StoredState> => {
    if (records !== 'forbidden')
      try {
        const state = await readStoredState(connection, layout, question);
        records = 'readable';
        return state;
      } catch (error) {
        if (records === 'readable' || !(error instanceof RedisFailure) || error.code !== 'NOPERM') throw error;
        records = 'forbidden';
      }
    return readStoredState(connection, layout, { keys: question.keys });
  };

  const changesIn = (values: StoredState['values']): Change[] => {
    const changes: Change[] = [];
    for (const [id, json] of values) {
      const prepared = json === null ? null : index.prepare(id, json);
      if (prepared === null ? index.has(id) : prepared !== undefined) changes.push([id, prepared ?? null]);
    }
    return changes;
  };

  /** An empty hash is the result of deletions only if the counter rose with them. */
  const isLost = ({ version, size, policies, lists }: StoredState): boolean => {
    const had = book.records();
    const hadMore =
      records === 'readable' &&
      ((policies.size === 0 && had.policies.size > 0) || (lists.size === 0 && had.lists.size > 0));
    if (!hadMore && (size > 0 || (known === version && index.size === 0))) return false;
    return known === undefined ? version === null : !(numberOf(version) > numberOf(known));
  };

  /**
   * `told`: messages heard when the counter was asked for. Later ones may tell of changes that it does not count yet: taken
   * into account, they would make up for a change that nobody told of, and hide it.
   */
  const settle = (version: string | null, told: number): 'synced' | 'unsure' => {
    if (version === known || numberOf(version) === numberOf(known ?? null) + told) {
      known = version;
      heard -= told;
      doubts = 0;
      return 'synced';
    }
    // What came meanwhile may explain it: the next reading tells.
    if (heard === told && ++doubts === MAX_DOUBTS) {
      doubts = 0;
      everything = true;
    }
    return 'unsure';
  };

  const takeNamed = (): Required<StateQuestion> => {
    const messages = [...named];
    named.clear();
    const after = (prefix: string): string[] =>
      messages.filter((message) => message.startsWith(prefix)).map((message) => message.slice(prefix.length));
    const { policies, lists } = MESSAGE_PREFIXES;
    const keys = messages.filter((message) => !message.startsWith(policies) && !message.startsWith(lists));
    return { keys, policies: after(policies), lists: after(lists) };
  };

  /** Prepares keys again that name what has changed, with pauses: there may be very many. */
  const prepareAgain = async (ids: readonly string[]): Promise<Change[]> => {
    const changes: Change[] = [];
    for (const [i, id] of ids.entries()) {
      const prepared = index.prepareAgain(id);
      if (prepared !== undefined) changes.push([id, prepared]);
      if (i % AT_ONCE === AT_ONCE - 1) await new Promise(setImmediate);
    }
    return changes;
  };

  const readNamed = async (): Promise<'synced' | 'unsure' | 'lost'> => {
    const told = heard;
    const state = await readState(takeNamed());
    if (isLost(state)) return 'lost';
    const { touched, changed } = book.take({ policies: state.policies.values, lists: state.lists.values }, false);
    const stale = changed ? index.useRecords(book.records(), touched) : [];
    const again = await prepareAgain(stale.filter((id) => !state.values.has(id)));
    const changes = [...again, ...changesIn(state.values)];
    if (changed) index.commitRecords();
    if (changes.length > 0 || changed) onChange(index.apply(changes));
    return settle(state.version, told);
  };

  /** All policies and lists, before the keys that name them. Gives whether any is other than before. */
  const readRecords = async ({ policies, lists }: StoredState): Promise<boolean> => {
    if (records === 'forbidden') return false;
    const all = async (hash: 'policies' | 'lists', size: number): Promise<Map<string, string>> =>
      size === 0 ? new Map() : readStoredKeys(connection, layout, hash);
    const values = { policies: await all('policies', policies.size), lists: await all('lists', lists.size) };
    const { touched, changed } = book.take(values, true);
    if (changed) index.useRecords(book.records(), touched);
    return changed;
  };

  const readEverything = async (): Promise<'synced' | 'unsure' | 'lost'> => {
    const first = known === undefined;
    everything = false;
    named.clear();
    if (records === 'forbidden') records = 'unknown';
    const before = await readState(NOTHING_NAMED);
    if (isLost(before)) return 'lost';
    heard = 0;
    const recordsChanged = await readRecords(before);
    const seen = new Set<string>();
    const staged = new Map<string, PreparedKey>();
    const invalid: InvalidKey[] = [];
    for await (const page of scanKeys(connection, layout)) {
      for (const [id, json] of page) {
        seen.add(id);
        const prepared = index.prepare(id, json);
        if (prepared === undefined) staged.delete(id);
        else staged.set(id, prepared);
      }
      if (first) {
        // Nobody uses the index yet: filling it page by page spreads the work.
        invalid.push(...index.apply(staged));
        staged.clear();
      } else if (named.size > 0) {
        // A change made during a long reading does not wait for its end, and is newer than the pages so far.
        const asked = takeNamed();
        // Policies and lists that change during it make another one necessary.
        if (asked.policies.length + asked.lists.length > 0) everything = true;
        const { values, ...state } = await readState({ ...NOTHING_NAMED, keys: asked.keys });
        if (isLost({ ...state, values })) return 'lost';
        const changes = changesIn(values);
        for (const id of values.keys()) {
          seen.add(id);
          staged.delete(id);
        }
        if (changes.length > 0) onChange(index.apply(changes));
      }
    }
    const told = heard;
    const unseen = [...index.ids()].filter((id) => !seen.has(id));
    const after = await readState({ ...NOTHING_NAMED, keys: unseen });
    if (isLost(after)) return 'lost';
    const changes = [...staged, ...changesIn(after.values)];
    index.commitRecords();
    invalid.push(...index.apply(changes));
    known = before.version;
    if (first || changes.length > 0 || recordsChanged) onChange(invalid);
    const settled = settle(after.version, told);
    // A slot of a Cluster that moved during the reading may have hidden keys from it.
    if (settled === 'synced' && index.size !== after.size) everything = true;
    return settled;
  };

  return {
    hear(message) {
      heard += 1;
      if (message === EVERYTHING) everything = true;
      else named.add(message);
    },
    requireEverything() {
      everything = true;
    },
    async read() {
      try {
        const result = everything || lost || known === undefined ? await readEverything() : await readNamed();
        lost = result === 'lost';
        return result;
      } catch (error) {
        everything = true;
        throw error;
      }
    },
  };
}

/** A counter that is missing counts as 0; one that is no number is never equal to or above another. */
const numberOf = (version: string | null): number => (version === null ? 0 : Number(version));
