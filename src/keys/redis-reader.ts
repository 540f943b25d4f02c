/**
 * Brings an index of keys in line with Redis: everything, or what was named in messages, one reading at a time, so that an
 * old answer never overwrites a newer one. Tells lost data from deleted keys. Knows no timer, and decides nothing about up.
 */
import type { RedisConnection } from '../lib/redis.ts';
import type { InvalidKey, KeyIndex, PreparedKey } from './key-index.ts';
import { EVERYTHING, type KeyLayout, readStoredState, scanKeys, type StoredState } from './redis-layout.ts';

export interface RedisKeyReader {
  /** Takes a message of the channel: an id, or `*`. It is acted on by the next `read`. */
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

  const changesIn = (values: StoredState['values']): Change[] => {
    const changes: Change[] = [];
    for (const [id, json] of values) {
      const prepared = json === null ? null : index.prepare(id, json);
      if (prepared === null ? index.has(id) : prepared !== undefined) changes.push([id, prepared ?? null]);
    }
    return changes;
  };

  /** An empty hash is the result of deletions only if the counter rose with them. */
  const isLost = ({ version, size }: StoredState): boolean => {
    if (size > 0 || (known === version && index.size === 0)) return false;
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

  const takeNamed = (): string[] => {
    const ids = [...named];
    named.clear();
    return ids;
  };

  const readNamed = async (): Promise<'synced' | 'unsure' | 'lost'> => {
    const told = heard;
    const state = await readStoredState(connection, layout, takeNamed());
    if (isLost(state)) return 'lost';
    const changes = changesIn(state.values);
    if (changes.length > 0) onChange(index.apply(changes));
    return settle(state.version, told);
  };

  const readEverything = async (): Promise<'synced' | 'unsure' | 'lost'> => {
    const first = known === undefined;
    everything = false;
    named.clear();
    const before = await readStoredState(connection, layout, []);
    if (isLost(before)) return 'lost';
    heard = 0;
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
        const { values, ...state } = await readStoredState(connection, layout, takeNamed());
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
    const after = await readStoredState(connection, layout, unseen);
    if (isLost(after)) return 'lost';
    const changes = [...staged, ...changesIn(after.values)];
    invalid.push(...index.apply(changes));
    known = before.version;
    if (first || changes.length > 0) onChange(invalid);
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
