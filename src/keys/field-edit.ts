/**
 * Changes the fields of one key or one policy in the text of a key file, each where it stands. What a reference or a quoted text
 * yields is only replaced when it changes. Knows nothing of where in the file the mapping is.
 */
import { isDeepStrictEqual } from 'node:util';
import type { YAMLMap, YAMLSeq } from 'yaml';
import { withoutReferences } from '../config/substitution.ts';
import type { AddressItem, KeyDefinition, PolicyDefinition, SecretDefinition } from './definition.ts';
import {
  asList,
  asMap,
  changeList,
  columnOf,
  inline,
  pairOf,
  removePair,
  replaceByLines,
  setFields,
  type ListItem,
  type Splice,
} from './yaml-splice.ts';

/** A key, or a policy. What one of them does not say, the other may have said. */
type Definition = PolicyDefinition & Partial<Pick<KeyDefinition, 'id' | 'policy' | 'secrets' | 'apiKey'>>;
type Field = keyof Definition;

export interface FieldChange {
  readonly text: string;
  readonly map: YAMLMap;
  readonly before: Definition;
  readonly after: Definition;
  /** `after` as it is to be written: fields that are not in it hold without being written. */
  readonly written: Readonly<Record<string, unknown>>;
}

export function changeFields(change: FieldChange): Splice[] {
  const { text, map, before, after, written } = change;
  const simple: [string, unknown][] = [];
  const splices: Splice[] = [];
  const fields = [...new Set([...Object.keys(after), ...Object.keys(before)])] as Field[];
  for (const field of fields.filter((name) => !isDeepStrictEqual(before[name], after[name]))) {
    const pair = pairOf(map, field);
    const isSaid = after[field] !== undefined && !(field === 'policy' && after.policy === null);
    if (!isSaid) {
      if (pair !== undefined) splices.push(...removePair(text, map, pair));
      continue;
    }
    // A default that nobody wrote does not have to be.
    if (pair === undefined && !(field in written) && before[field] === undefined) continue;
    const made = LISTS[field]?.(change) ?? null;
    if (made === null) simple.push([field, withoutReferences(written[field] ?? after[field])]);
    else splices.push(...made);
  }
  return [...splices, ...setFields(text, map, simple)];
}

/** How lists are changed; null: as any other value is. */
const LISTS: Partial<Record<Field, (change: FieldChange) => Splice[] | null>> = {
  allowFrom: (change) => changeAddresses(change, 'allowFrom'),
  denyFrom: (change) => changeAddresses(change, 'denyFrom'),
  apis: (change) => changeNames(change, 'apis'),
  allowedRoutes: (change) => changeNames(change, 'allowedRoutes'),
  allowedEvents: (change) => changeNames(change, 'allowedEvents'),
  allowedOrigins: (change) => changeNames(change, 'allowedOrigins'),
  secrets: changeSecrets,
};

type NameList = 'apis' | 'allowedRoutes' | 'allowedEvents' | 'allowedOrigins';

function changeNames({ text, map, before, after }: FieldChange, field: NameList) {
  const list = asList(pairOf(map, field)?.value);
  const [old, next] = [before[field], after[field]];
  if (list === null || !isList(old) || !isList(next) || !canChange(list, old, next)) return null;
  return changeList(
    text,
    list,
    itemsFrom(old, next, { nameOf: (name) => name, changes: () => [], written: withoutReferences }),
  );
}

function changeAddresses({ text, map, before, after }: FieldChange, field: 'allowFrom' | 'denyFrom'): Splice[] | null {
  const [old, next] = [before[field], after[field]];
  const pair = pairOf(map, field);
  if (!isItems(next) || next.length === 0 || pair === undefined) return null;
  const changed = changeAddressList(text, pair.value, isItems(old) ? old : [], next);
  if (changed !== null || map.flow || asList(pair.value) !== null) return changed;
  const indent = ' '.repeat(columnOf(text, map.range?.[0] ?? 0) + 2);
  return replaceByLines(text, pair, itemLines(next.map(shortAddress), indent));
}

/** Changes a list of addresses item by item; null where it is laid out in a way that does not let it be done. */
export function changeAddressList(
  text: string,
  node: unknown,
  before: readonly AddressItem[],
  after: readonly AddressItem[],
): Splice[] | null {
  const list = asList(node);
  if (list === null || !canChange(list, before, after)) return null;
  const nameOf = (item: AddressItem): string => ('address' in item ? item.address : `list ${item.list}`);
  return changeList(
    text,
    list,
    itemsFrom(before, after, { nameOf, changes: describeAnew(text), written: shortAddress }),
  );
}

/** As it reads best. */
export const shortAddress = (item: AddressItem): unknown => {
  if ('list' in item) return item;
  return item.description === ''
    ? item.address
    : { address: item.address, description: withoutReferences(item.description) };
};

const describeAnew =
  (text: string) =>
  (node: unknown, item: AddressItem): Splice[] => {
    const map = asMap(node);
    if (map !== null && 'description' in item)
      return setFields(text, map, [['description', withoutReferences(item.description)]]);
    const [start = 0, end = 0] = (node as { range?: number[] }).range ?? [];
    return [{ start, end, text: inline(shortAddress(item)) }];
  };

function changeSecrets(change: FieldChange): Splice[] | null {
  const { text, map } = change;
  const [before, after] = [change.before.secrets ?? [], change.after.secrets ?? []];
  const list = asList(pairOf(map, 'secrets')?.value);
  if (list === null || !canChange(list, before, after)) return spellOutSecret(text, map, before, after);
  const changes = (node: unknown, { expiresAt }: SecretDefinition): Splice[] => {
    const secret = asMap(node);
    return secret === null ? [] : setFields(text, secret, [['expiresAt', expiresAt]]);
  };
  return changeList(
    text,
    list,
    itemsFrom(before, after, { nameOf: ({ hash }) => hash, changes, written: shortSecret }),
  );
}

/** `secret: X` becomes the list that it is short for; X stays as it is written. */
function spellOutSecret(
  text: string,
  map: YAMLMap,
  before: readonly SecretDefinition[],
  after: readonly SecretDefinition[],
): Splice[] | null {
  const pair = pairOf(map, 'secret');
  const [only] = before;
  if (pair === undefined || only === undefined) return null;
  const keyRange = (pair.key as { range?: number[] }).range ?? [];
  const [start = 0, end = 0] = (pair.value as { range?: number[] } | null)?.range ?? [];
  const value = text.slice(start, end);
  const own = after.find(({ hash }) => hash === only.hash);
  const expiresAt = own?.expiresAt ?? null;
  const others = after.filter(({ hash }) => hash !== only.hash).map(shortSecret);
  const name: Splice = { start: keyRange[0] ?? 0, end: keyRange[1] ?? 0, text: 'secrets' };
  if (map.flow) {
    const expiry = expiresAt === null ? '' : `, expiresAt: ${inline(expiresAt)}`;
    const items = [...(own === undefined ? [] : [`{ value: ${value}${expiry} }`]), ...others.map(inline)];
    return [name, { start, end, text: `[${items.join(', ')}]` }];
  }
  const indent = ' '.repeat(columnOf(text, map.range?.[0] ?? 0) + 2);
  const ownLines = own === undefined ? [] : [`${indent}- value: ${value}`];
  if (expiresAt !== null) ownLines.push(`${indent}  expiresAt: ${inline(expiresAt)}`);
  return [name, ...replaceByLines(text, pair, [...ownLines, ...itemLines(others, indent)])];
}

const shortSecret = ({ hash, expiresAt }: SecretDefinition): unknown =>
  expiresAt === null ? { hash } : { hash, expiresAt };

export const itemLines = (items: readonly unknown[], indent: string): string[] =>
  items.map((item) => `${indent}- ${inline(item)}`);

/** Whether the nodes of a list stand for its values one by one, and something is left of it. */
const canChange = (list: YAMLSeq, before: readonly unknown[], after: readonly unknown[]): boolean =>
  list.items.length === before.length && list.items.length > 0 && after.length > 0;

const isList = (value: unknown): value is readonly string[] => Array.isArray(value);
const isItems = (value: unknown): value is readonly AddressItem[] => Array.isArray(value);

interface ItemRules<T> {
  readonly nameOf: (item: T) => string;
  readonly changes: (node: unknown, next: T) => Splice[];
  /** A new item. */
  readonly written: (item: T) => unknown;
}

/** The next items of a list from the old ones of the same name, changed where they differ in the rest, and new ones. */
function itemsFrom<T>(
  before: readonly T[],
  after: readonly T[],
  { nameOf, changes, written }: ItemRules<T>,
): ListItem[] {
  // A long list is not searched for each of its items. Of a name that stands twice the first is taken first.
  const places = new Map<string, number[]>();
  for (const [index, item] of [...before.entries()].toReversed()) {
    const name = nameOf(item);
    const known = places.get(name);
    if (known === undefined) places.set(name, [index]);
    else known.push(index);
  }
  return after.map((next) => {
    const from = places.get(nameOf(next))?.pop();
    if (from === undefined) return { value: written(next) };
    return { from, changes: (node) => (isDeepStrictEqual(before[from], next) ? [] : changes(node, next)) };
  });
}
