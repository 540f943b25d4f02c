/**
 * What `postern keys push` would change of the policies and address lists in Redis. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Loaded, SharedRecords } from '../keys/definition.ts';
import { writtenList } from '../keys/list-definition.ts';
import { writtenPolicy } from '../keys/read-definition.ts';
import type { HashChanges } from '../keys/redis-layout.ts';
import { readStoredList, readStoredPolicy } from '../keys/stored-records.ts';
import type { PushChange } from './push-plan.ts';

/** The JSON of each policy and list in Redis, by name. */
export interface StoredRecordTexts {
  readonly policies: ReadonlyMap<string, string>;
  readonly lists: ReadonlyMap<string, string>;
}

export interface RecordPlan {
  readonly policies: HashChanges;
  readonly lists: HashChanges;
  readonly changes: readonly PushChange[];
  readonly unchanged: number;
  readonly others: number;
  /** What there is afterwards. */
  readonly after: SharedRecords;
  /** One clause for each record that Redis cannot hold. */
  readonly conflicts: readonly string[];
}

export function planRecords(file: SharedRecords, stored: StoredRecordTexts, prune: boolean): RecordPlan {
  const policies = planHash(file.policies, stored.policies, {
    prefix: 'policy:',
    written: writtenPolicy,
    read: readStoredPolicy,
    prune,
  });
  const lists = planHash(file.lists, stored.lists, {
    prefix: 'list:',
    written: writtenList,
    read: readStoredList,
    prune,
  });
  const inFiles = [...file.lists.values()].filter((list) => 'definition' in list && list.definition.kind === 'file');
  return {
    policies,
    lists,
    changes: [...policies.changes, ...lists.changes],
    unchanged: policies.unchanged + lists.unchanged,
    others: policies.others + lists.others,
    after: { policies: policies.after, lists: lists.after },
    conflicts: inFiles.map(
      ({ id }) => `the address list ${id} is in a file, and Redis holds only literal ones and URLs`,
    ),
  };
}

interface HashRules<T> {
  readonly prefix: string;
  readonly written: (definition: T) => unknown;
  readonly read: (id: string, json: string) => Loaded<T>;
  readonly prune: boolean;
}

interface HashPlan<T> extends HashChanges {
  readonly changes: readonly PushChange[];
  readonly unchanged: number;
  readonly others: number;
  readonly after: ReadonlyMap<string, Loaded<T>>;
}

function planHash<T>(
  own: ReadonlyMap<string, Loaded<T>>,
  stored: ReadonlyMap<string, string>,
  { prefix, written, read, prune }: HashRules<T>,
): HashPlan<T> {
  const rest = [...stored.keys()].filter((name) => !own.has(name)).sort();
  const set = new Map<string, string>();
  const changes: PushChange[] = prune ? rest.map((name) => ({ kind: 'remove', id: prefix + name })) : [];
  for (const [name, loaded] of own) {
    if (!('definition' in loaded)) continue;
    const json = stored.get(name);
    const before = json === undefined ? undefined : read(name, json);
    if (isDeepStrictEqual(before, loaded)) continue;
    set.set(name, JSON.stringify(written(loaded.definition)));
    changes.push(
      json === undefined ? { kind: 'add', id: prefix + name } : { kind: 'change', id: prefix + name, fields: [] },
    );
  }
  const staying = prune ? [] : rest.map((name) => [name, read(name, stored.get(name) ?? '')] as const);
  return {
    set,
    remove: prune ? rest : [],
    changes,
    unchanged: own.size - set.size,
    others: staying.length,
    after: new Map([...staying, ...own]),
  };
}
