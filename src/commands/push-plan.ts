/**
 * What `postern keys push` would change in Redis, and whether it may: a key file that is right by itself can still clash with
 * keys that stay in Redis. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import { compileKeys } from '../keys/compile.ts';
import { KeyDefinitionSchema } from '../keys/definition-schema.ts';
import {
  defaultsOf,
  NO_RECORDS,
  type KeyDefinition,
  type LoadedDefinition,
  type SharedRecords,
} from '../keys/definition.ts';
import { KEY_TYPES } from '../keys/key.ts';
import { readStoredDefinition, writtenDefinition } from '../keys/read-definition.ts';
import type { KeyChanges } from '../keys/redis-layout.ts';
import { printable } from './printable.ts';

export type PushChange =
  | { readonly kind: 'add' | 'remove'; readonly id: string }
  /** `fields`: those whose values differ. */
  | { readonly kind: 'change'; readonly id: string; readonly fields: readonly string[] };

export interface PushPlan extends KeyChanges {
  /** In order of id. */
  readonly changes: readonly PushChange[];
  readonly unchanged: number;
  /** Keys in Redis that the file does not hold and that stay. */
  readonly others: number;
  /** One clause for each key of the file that could not be used beside those that stay. */
  readonly conflicts: readonly string[];
}

/** Compares the definitions of a file with what is stored, id by id. `records`: the policies and lists that there are afterwards. */
export function planPush(
  definitions: readonly KeyDefinition[],
  stored: ReadonlyMap<string, string>,
  prune: boolean,
  records: SharedRecords = NO_RECORDS,
): PushPlan {
  const own = new Set(definitions.map(({ id }) => id));
  const rest = [...stored.keys()].filter((id) => !own.has(id)).sort();
  const remove = prune ? rest : [];
  const staying = prune ? [] : rest.map((id): LoadedDefinition => readStoredDefinition(id, stored.get(id) ?? ''));
  const set = new Map<string, string>();
  const changes: PushChange[] = remove.map((id) => ({ kind: 'remove', id }));
  for (const definition of definitions) {
    const { id, ...fields } = writtenDefinition(definition);
    const json = stored.get(id);
    const before = json === undefined ? undefined : storedFields(id, json);
    if (json !== undefined && isStored(definition, json)) continue;
    set.set(id, JSON.stringify(fields));
    changes.push(json === undefined ? { kind: 'add', id } : { kind: 'change', id, fields: differing(before, fields) });
  }
  const after = compileKeys(
    [...definitions.map((definition) => ({ id: definition.id, definition })), ...staying],
    1,
    records,
  );
  return {
    set,
    remove,
    changes: changes.sort((a, b) => (a.id < b.id ? -1 : 1)),
    unchanged: definitions.length - set.size,
    others: staying.length,
    conflicts: after.invalid
      .filter(({ id }) => own.has(id))
      .map(({ id, why }) =>
        printable(`${id} cannot be pushed beside the keys in Redis: ${why}; remove that one, or use --prune`),
      ),
  };
}

/** One line for the terminal: `+ id`, `- id` or `~ id (fields)`. Ids and fields that are in Redis may be anything. */
export function describeChange(change: PushChange): string {
  if (change.kind === 'change')
    return printable(`~ ${change.id}${change.fields.length === 0 ? '' : ` (${change.fields.join(', ')})`}`);
  return printable(`${change.kind === 'add' ? '+' : '-'} ${change.id}`);
}

type Fields = Readonly<Record<string, unknown>>;

/** What is stored, without an id that is the name of its field; a value that is no object counts as one without fields. */
function storedFields(id: string, json: string): Fields {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
    const { id: stated, ...fields } = value as Fields;
    return stated === undefined || stated === id ? fields : (value as Fields);
  } catch {
    return {};
  }
}

/** Whether this text says the key, with hashes in place of secrets. */
function isStored(definition: KeyDefinition, json: string): boolean {
  const stored = readStoredDefinition(definition.id, json);
  if (!('definition' in stored) || !isDeepStrictEqual(stored.definition, definition)) return false;
  const { secrets, apiKey = null } = storedFields(definition.id, json);
  const isHashed = Array.isArray(secrets) && secrets.every((secret) => typeof secret === 'object' && 'hash' in secret);
  return isHashed && (apiKey === null || apiKey === definition.apiKey);
}

/** Of what is left out because it is at its default, nothing differs. */
function differing(before: Fields = {}, after: Fields): string[] {
  const type = KEY_TYPES.find((name) => name === after['type']);
  const defaults: Fields = type === undefined || after['policy'] !== undefined ? {} : { ...defaultsOf(type) };
  const known = Object.keys(KeyDefinitionSchema.shape);
  const names = new Set([...known, ...Object.keys(before)].filter((name) => name in before || name in after));
  return [...names].filter((name) =>
    name === 'type'
      ? before[name] !== after[name]
      : !isDeepStrictEqual(before[name] ?? defaults[name], after[name] ?? defaults[name]),
  );
}
