/**
 * What policies and address lists have in common where they are stored and changed: one description of each kind, so that the key file,
 * Redis and the admin API treat both alike. Also tells who uses one, and what a change of one would spoil. Stores nothing.
 */
import type { Finding } from '../config/issue.ts';
import {
  NO_RECORDS,
  type Loaded,
  type LoadedDefinition,
  type PolicyDefinition,
  type SharedRecords,
} from './definition.ts';
import { editRecord } from './key-file-edit.ts';
import { writtenList, type AddressListDefinition } from './list-definition.ts';
import { writtenPolicy } from './read-definition.ts';
import { readStoredList, readStoredPolicy } from './stored-records.ts';
import { listsNamedBy, recordsNamedBy, unknownApis, unknownLists, wholeDefinition } from './whole-definition.ts';

export interface RecordEdited<T> {
  readonly name: string;
  readonly before: T | null;
  readonly after: T | null;
}

export interface RecordKind<T> {
  /** Its name in `SharedRecords` and in Redis. */
  readonly section: 'policies' | 'lists';
  /** Its name in a key file. */
  readonly field: 'policies' | 'addressLists';
  /** Before the name in what `recordsNamedBy` yields. */
  readonly mark: 'policy' | 'list';
  readonly of: (records: SharedRecords) => ReadonlyMap<string, Loaded<T>>;
  /** The shortest way to write one, as JSON or YAML would hold it. */
  readonly written: (definition: T) => unknown;
  /** The text of a key file with the edit made; unchanged where the file does not let it be made. */
  readonly edit: (text: string, edited: RecordEdited<T>) => string;
  readonly readStored: (name: string, json: string) => Loaded<T>;
  /** What it names and that is not there. `apis`: the names of the APIs. */
  readonly problems: (definition: T, records: SharedRecords, apis: readonly string[]) => Finding[];
}

export const POLICIES: RecordKind<PolicyDefinition> = {
  section: 'policies',
  field: 'policies',
  mark: 'policy',
  of: ({ policies }) => policies,
  written: writtenPolicy,
  edit: (text, edited) => editRecord(text, { section: 'policies', ...edited }),
  readStored: readStoredPolicy,
  problems: (policy, { lists }, apis) => [...unknownLists(policy, lists), ...unknownApis(policy, apis)],
};

export const LISTS: RecordKind<AddressListDefinition> = {
  section: 'lists',
  field: 'addressLists',
  mark: 'list',
  of: ({ lists }) => lists,
  written: writtenList,
  edit: (text, edited) => editRecord(text, { section: 'addressLists', ...edited }),
  readStored: readStoredList,
  problems: () => [],
};

/** The records with one of them changed; null: without it. */
export function withRecord<T>(
  records: SharedRecords,
  kind: RecordKind<T>,
  name: string,
  definition: T | null,
): SharedRecords {
  const changed = new Map(kind.of(records));
  if (definition === null) changed.delete(name);
  else changed.set(name, { id: name, definition });
  return { ...records, [kind.section]: changed };
}

/** Everything that is stored. */
export interface KeySet {
  readonly definitions: readonly LoadedDefinition[];
  readonly records: SharedRecords;
}

/** Who uses a policy or a list: ids of keys, and names of policies. */
export interface RecordUsers {
  readonly keys: readonly string[];
  readonly policies: readonly string[];
}

const NO_USERS: RecordUsers = { keys: [], policies: [] };

/** A list that a policy names is used by the policy; the keys of that one use the policy. */
export const usersOf = (kind: Pick<RecordKind<unknown>, 'mark'>, name: string, set: KeySet): RecordUsers =>
  usersByName(kind, set).get(name) ?? NO_USERS;

/** The users of each policy or list that has any, found in one pass. */
export function usersByName(
  { mark }: Pick<RecordKind<unknown>, 'mark'>,
  { definitions, records }: KeySet,
): ReadonlyMap<string, RecordUsers> {
  const found = new Map<string, { readonly keys: string[]; readonly policies: string[] }>();
  const add = (named: readonly string[], who: 'keys' | 'policies', id: string): void => {
    for (const one of new Set(named)) {
      if (!one.startsWith(`${mark}:`)) continue;
      const name = one.slice(mark.length + 1);
      const users = found.get(name) ?? { keys: [], policies: [] };
      found.set(name, users);
      users[who].push(id);
    }
  };
  for (const key of definitions)
    if ('definition' in key) add(recordsNamedBy(key.definition, NO_RECORDS), 'keys', key.id);
  for (const policy of records.policies.values())
    if ('definition' in policy) add(listsNamedBy(policy.definition), 'policies', policy.id);
  return found;
}

/**
 * What keys a change of records would make unusable, as findings at `keys.ID`. Those that cannot be used already are not told again.
 */
export function spoiledKeys({ definitions, records: before }: KeySet, after: SharedRecords): Finding[] {
  const findings: Finding[] = [];
  let metrics: string | null = null;
  for (const loaded of definitions) {
    if (!('definition' in loaded)) continue;
    const { definition } = loaded;
    const whole = wholeDefinition(definition, after);
    const at = (path: readonly PropertyKey[]): PropertyKey[] => ['keys', definition.id, ...path];
    if (!whole.ok) {
      if (wholeDefinition(definition, before).ok)
        findings.push(...whole.findings.map(({ path, message }) => ({ path: at(path), message })));
      continue;
    }
    if (whole.value.type !== 'metrics') continue;
    if (metrics === null) metrics = definition.id;
    else findings.push({ path: at(['type']), message: onlyOneMetricsKey(metrics) });
  }
  return findings;
}

export const onlyOneMetricsKey = (other: string): string =>
  `cannot be metrics: there may be one metrics key, and ${other} is it`;
