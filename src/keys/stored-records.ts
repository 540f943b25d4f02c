/**
 * The policies and address lists that are stored in Redis, read: what keys are completed with. Tells which of them a change touches.
 * Reads no store.
 */
import type { AddressListDefinition } from './list-definition.ts';
import { readListDefinition } from './list-definition.ts';
import type { Loaded, PolicyDefinition, SharedRecords } from './definition.ts';
import { describeFindings, readPolicy, type Read } from './read-definition.ts';

export type RecordValues = ReadonlyMap<string, string | null>;

export interface StoredRecords {
  /** As they are now. A later change makes new ones. */
  readonly records: () => SharedRecords;
  /**
   * Takes what is stored under these names; null: nothing. With `whole`, there are no others. Gives what keys have to be completed
   * anew for, as `policy:NAME` and `list:NAME`, and whether anything is other than before at all.
   */
  readonly take: (values: TakenValues, whole: boolean) => RecordChange;
}

export interface TakenValues {
  readonly policies: RecordValues;
  readonly lists: RecordValues;
}

export interface RecordChange {
  readonly touched: ReadonlySet<string>;
  readonly changed: boolean;
}

export function createStoredRecords(): StoredRecords {
  const texts = { policies: new Map<string, string>(), lists: new Map<string, string>() };
  let records: SharedRecords = { policies: new Map(), lists: new Map() };
  return {
    records: () => records,
    take(values, whole) {
      const policies = changesIn(texts.policies, values.policies, whole);
      const lists = changesIn(texts.lists, values.lists, whole);
      if (policies.size + lists.size === 0) return { touched: new Set(), changed: false };
      const before = records.lists;
      records = {
        policies: withChanges(records.policies, policies, readStoredPolicy),
        lists: withChanges(records.lists, lists, readStoredList),
      };
      const touched = new Set([...policies.keys()].map((name) => `policy:${name}`));
      // What a list holds is looked up by its name: keys only care whether it is there.
      for (const name of lists.keys())
        if (isUsable(before.get(name)) !== isUsable(records.lists.get(name))) touched.add(`list:${name}`);
      return { touched, changed: true };
    },
  };
}

const isUsable = (loaded: Loaded<unknown> | undefined): boolean => loaded !== undefined && 'definition' in loaded;

function changesIn(known: Map<string, string>, values: RecordValues, whole: boolean): Map<string, string | null> {
  const changes = new Map<string, string | null>();
  if (whole) for (const name of known.keys()) if (!values.has(name)) changes.set(name, null);
  for (const [name, json] of values) if ((known.get(name) ?? null) !== json) changes.set(name, json);
  for (const [name, json] of changes)
    if (json === null) known.delete(name);
    else known.set(name, json);
  return changes;
}

function withChanges<T>(
  before: ReadonlyMap<string, Loaded<T>>,
  changes: RecordValues,
  read: (name: string, json: string) => Loaded<T>,
): ReadonlyMap<string, Loaded<T>> {
  const after = new Map(before);
  for (const [name, json] of changes)
    if (json === null) after.delete(name);
    else after.set(name, read(name, json));
  return after;
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Reads a policy as it is stored; one that cannot be used comes back with the reason. */
export const readStoredPolicy = (id: string, json: string): Loaded<PolicyDefinition> =>
  readStored(id, json, readPolicy);

/** Reads an address list as it is stored. */
export function readStoredList(id: string, json: string): Loaded<AddressListDefinition> {
  const loaded = readStored(id, json, readListDefinition);
  // Files are those of one machine, and Redis is for many.
  if ('definition' in loaded && loaded.definition.kind === 'file')
    return { id, invalid: 'it is in a file: in Redis there are literal lists and URLs' };
  return loaded;
}

function readStored<T>(id: string, json: string, read: (written: unknown) => Read<T>): Loaded<T> {
  if (!NAME.test(id)) return { id, invalid: 'its name is none' };
  let written: unknown;
  try {
    written = JSON.parse(json);
  } catch {
    return { id, invalid: 'it is not JSON' };
  }
  const result = read(written);
  return result.ok ? { id, definition: result.value } : { id, invalid: describeFindings(result.findings) };
}
