/**
 * Keys that change one by one: holds what each stored definition compiles to, and which of them contradict each other.
 * A change costs what it changes, however many keys there are. Reads no store.
 */
import { hash } from 'node:crypto';
import { createVersionedMap } from '../lib/versioned-map.ts';
import type { AddressLists } from './address-rule.ts';
import { NO_RECORDS, type SharedRecords } from './definition.ts';
import type { Key, KeySecret, KeySnapshot } from './key.ts';
import { createStoredKeyReader, type StoredKey } from './stored-key.ts';

/** A stored definition, read. */
export interface PreparedKey {
  /** Tells whether the same text is stored again. */
  readonly fingerprint: string;
  readonly stored: StoredKey;
  /** The definition, of a key that names policies or lists: it is read anew when they change. */
  readonly json: string | null;
}

export interface InvalidKey {
  readonly id: string;
  readonly why: string;
}

export interface KeyIndex {
  /** Reads a definition, which is the costly part; undefined when the index holds the same text already. */
  prepare(id: string, json: string): PreparedKey | undefined;
  /**
   * Completes keys with these policies and lists from now on. Gives the ids of the keys that name one of `touched`: they count as
   * not read, and have to be prepared and applied.
   */
  useRecords(records: SharedRecords, touched: ReadonlySet<string>): readonly string[];
  /** Reads a key again that was prepared before; undefined when it is gone. */
  prepareAgain(id: string): PreparedKey | undefined;
  /** Shows the policies and lists in snapshots, now that the keys are completed with them. */
  commitRecords(): void;
  /** Makes changes at once; null removes a key. Gives the definitions that cannot be used since, or for another reason. */
  apply(changes: Iterable<readonly [id: string, prepared: PreparedKey | null]>): InvalidKey[];
  has(id: string): boolean;
  ids(): Iterable<string>;
  /** How many definitions there are, those that cannot be used among them. */
  readonly size: number;
  readonly invalidCount: number;
  /** The keys as they are now. No later change shows in it, and the parts that did not change are shared. */
  snapshot(): KeySnapshot;
}

/** What a metrics key claims besides its secrets: there may be one. */
const METRICS = 'metrics';

const NO_LISTS: AddressLists = new Map();

/** Digits of a digest by which secrets are spread in memory. */
const TELLING_DIGITS = 6;

export function createKeyIndex(): KeyIndex {
  let records = NO_RECORDS;
  let committed = NO_RECORDS;
  let read = createStoredKeyReader(records);
  /** Which keys name a policy or a list. */
  const dependents = new Map<string, Set<string>>();
  /** Keys that were completed with policies or lists that have changed. */
  const stale = new Set<string>();
  const stored = new Map<string, PreparedKey>();
  /** Who holds a secret (by digest) or the place of the metrics key. Nearly always one. */
  const owners = new Map<string, string | Set<string>>();
  const byId = createVersionedMap<Key>();
  const bySecret = createVersionedMap<{ readonly key: Key; readonly secret: KeySecret }>(TELLING_DIGITS);
  const invalid = new Map<string, string>();
  /** As in snapshots; null while it has to be made anew. */
  let listed: readonly InvalidKey[] | null = null;
  let version = 0;

  const release = (id: string, affected: Set<string>): void => {
    const old = stored.get(id);
    if (old === undefined) return;
    stored.delete(id);
    for (const record of old.stored.records) dependents.get(record)?.delete(id);
    const { key } = old.stored;
    if (key === null) return;
    byId.delete(id);
    for (const claim of claimsOf(key)) {
      if (bySecret.get(claim)?.key === key) bySecret.delete(claim);
      const owner = owners.get(claim);
      if (!(owner instanceof Set)) owners.delete(claim);
      else {
        owner.delete(id);
        for (const other of owner) affected.add(other);
        if (owner.size === 1) owners.set(claim, [...owner][0] as string);
      }
    }
  };
  const claim = (id: string, what: string, affected: Set<string>): void => {
    const owner = owners.get(what);
    if (owner === undefined) owners.set(what, id);
    else if (owner instanceof Set) owner.add(id);
    else {
      owners.set(what, new Set([owner, id]));
      affected.add(owner);
    }
  };
  const whyInvalid = (id: string, { key, invalid: why }: StoredKey): string | null => {
    if (key === null) return why;
    for (const what of claimsOf(key)) {
      const owner = owners.get(what);
      if (!(owner instanceof Set)) continue;
      const other = [...owner].find((candidate) => candidate !== id) ?? '';
      return what === METRICS
        ? `there may be one metrics key, and ${other} is another`
        : `it shares a secret with ${other}`;
    }
    return null;
  };
  /** Puts one definition where it belongs now: among the keys, or among those that cannot be used. */
  const settle = (id: string, found: InvalidKey[]): void => {
    const entry = stored.get(id)?.stored;
    const why = entry === undefined ? null : whyInvalid(id, entry);
    if (why !== null && invalid.get(id) !== why) found.push({ id, why });
    if (why === null ? invalid.delete(id) : invalid.get(id) !== why) listed = null;
    if (why !== null) invalid.set(id, why);
    const key = entry?.key ?? null;
    if (key === null) return;
    if (why === null) byId.set(id, key);
    else byId.delete(id);
    for (const secret of key.secrets)
      if (why === null) bySecret.set(secret.digest, { key, secret });
      else if (bySecret.get(secret.digest)?.key === key) bySecret.delete(secret.digest);
  };

  const prepared = (id: string, json: string, fingerprint: string): PreparedKey => {
    const entry = read(id, json);
    return { fingerprint, stored: entry, json: entry.records.length > 0 ? json : null };
  };
  /** Keeps the place of a key whose secrets are the same, which spares nearly all of the work. */
  const replaced = (id: string, entry: PreparedKey): boolean => {
    const old = stored.get(id);
    const [before, after] = [old?.stored.key ?? null, entry.stored.key];
    if (old === undefined || before === null || after === null || !isEqual(claimsOf(before), claimsOf(after)))
      return false;
    for (const record of old.stored.records) dependents.get(record)?.delete(id);
    return true;
  };

  return {
    prepare(id, json) {
      const fingerprint = hash('sha256', json, 'binary');
      if (stored.get(id)?.fingerprint === fingerprint && !stale.has(id)) return undefined;
      return prepared(id, json, fingerprint);
    },
    prepareAgain(id) {
      const old = stored.get(id);
      return old === undefined || old.json === null ? undefined : prepared(id, old.json, old.fingerprint);
    },
    useRecords(next, touched) {
      records = next;
      read = createStoredKeyReader(records);
      for (const record of touched) for (const id of dependents.get(record) ?? []) stale.add(id);
      return [...stale];
    },
    commitRecords() {
      if (committed !== records) version += 1;
      committed = records;
    },
    apply(changes) {
      const affected = new Set<string>();
      for (const [id, entry] of changes) {
        stale.delete(id);
        const isReplaced = entry !== null && replaced(id, entry);
        if (!isReplaced) release(id, affected);
        affected.add(id);
        if (entry === null) continue;
        stored.set(id, entry);
        for (const record of entry.stored.records) {
          const known = dependents.get(record);
          if (known === undefined) dependents.set(record, new Set([id]));
          else known.add(id);
        }
        const { key } = entry.stored;
        if (key !== null && !isReplaced) for (const what of claimsOf(key)) claim(id, what, affected);
      }
      const found: InvalidKey[] = [];
      for (const id of affected) settle(id, found);
      if (affected.size > 0) version += 1;
      return found;
    },
    has: (id) => stored.has(id),
    ids: () => stored.keys(),
    get size() {
      return stored.size;
    },
    get invalidCount() {
      return invalid.size;
    },
    snapshot() {
      listed ??= Array.from(invalid, ([id, why]) => ({ id, why }));
      return {
        version,
        byId: byId.keep(),
        bySecret: bySecret.keep(),
        invalid: listed,
        lists: NO_LISTS,
        records: committed,
      };
    },
  };
}

const isEqual = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i]);

/** What no other definition may have as well. */
function claimsOf(key: Key): string[] {
  const claims = key.secrets.map(({ digest }) => digest);
  if (key.type === 'metrics') claims.push(METRICS);
  return claims;
}
