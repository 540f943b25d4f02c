/**
 * Writes one changed key into the text of a key file, and leaves all other text as it is. What a reference or a quoted text
 * yields is only replaced when it changes. Reads and writes no file; whether the result says what it should is for the caller
 * to check, since anchors and merge keys can make a change reach further.
 */
import { isDeepStrictEqual } from 'node:util';
import { parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import { withoutReferences } from '../config/substitution.ts';
import { YAML_OPTIONS } from '../config/yaml-nodes.ts';
import {
  KeyDefinitionSchema,
  type KeyDefinition,
  type SecretDefinition,
  type WrittenKeyDefinition,
} from './definition.ts';
import { readDefinition, writtenDefinition } from './read-definition.ts';
import {
  asList,
  asMap,
  changeList,
  columnOf,
  inline,
  insertLines,
  lineEnd,
  pairOf,
  replaceByLines,
  replaceValue,
  setFields,
  spliced,
  type ListItem,
  type Splice,
} from './yaml-splice.ts';

export interface KeyEdit {
  /** Where the key stands in the list; its length for a new one. */
  readonly index: number;
  readonly before: KeyDefinition | null;
  readonly after: KeyDefinition | null;
}

/** The text with the edit made; unchanged where the file is laid out in a way that does not let it be made. */
export function editKeyFile(text: string, { index, before, after }: KeyEdit): string {
  const document = parseDocument(text, YAML_OPTIONS);
  const root = asMap(document.contents);
  const pair = root === null ? undefined : pairOf(root, 'keys');
  const list = asList(pair?.value);
  if (pair === undefined || list === null) return text;
  if (after === null) {
    const others = list.items.flatMap((_, from) => (from === index ? [] : [kept(from)]));
    return spliced(text, others.length === 0 ? replaceValue(text, pair, []) : changeList(text, list, others));
  }
  if (before !== null) {
    const map = asMap(list.items[index]);
    return map === null ? text : spliced(text, changeKey(text, map, before, after));
  }
  if (list.items.length === 0)
    return spliced(
      text,
      root?.flow
        ? replaceValue(text, pair, [withoutReferences(shortest(after))])
        : replaceByLines(text, pair, keyLines(after, '  ')),
    );
  return spliced(text, list.flow ? appendToFlow(text, list, after) : [appendLines(text, list, after)]);
}

const kept = (from: number): ListItem => ({ from, changes: () => [] });

const appendToFlow = (text: string, list: YAMLSeq, key: KeyDefinition): Splice[] =>
  changeList(text, list, [...list.items.map((_, from) => kept(from)), { value: withoutReferences(shortest(key)) }]);

/** Keys that are set apart by blank lines stay so. */
function appendLines(text: string, list: YAMLSeq, key: KeyDefinition): Splice {
  const [start = 0, end = 0] = list.range ?? [];
  const at = lineEnd(text, end);
  const apart = list.items.length === 1 || /\n[ \t]*\r?\n/.test(text.slice(start, end));
  const lines = keyLines(key, ' '.repeat(columnOf(text, start)));
  return insertLines(text, at, apart ? ['', ...lines] : lines);
}

/** Fields whose lists read best with a line for each item. */
const LISTED: ReadonlySet<string> = new Set(['allowFrom', 'secrets']);

function keyLines(key: KeyDefinition, indent: string): string[] {
  const fields = Object.entries(withoutReferences(shortest(key)) as Record<string, unknown>);
  return fields.flatMap(([name, value], position) => {
    const start = `${indent}${position === 0 ? '- ' : '  '}${name}:`;
    return LISTED.has(name) && Array.isArray(value) && value.length > 0
      ? [start, ...itemLines(value, `${indent}    `)]
      : [`${start} ${inline(value)}`];
  });
}

const itemLines = (items: readonly unknown[], indent: string): string[] =>
  items.map((item) => `${indent}- ${inline(item)}`);

/** What is left of a definition when every default is left out. */
function shortest(key: KeyDefinition): Partial<WrittenKeyDefinition> {
  const written = writtenDefinition(key);
  const { id, type, secrets, apiKey } = written;
  const bare = readDefinition({ id, type, secrets, ...(apiKey !== undefined && { apiKey }) });
  const defaults: Partial<WrittenKeyDefinition> = bare.ok ? writtenDefinition(bare.value) : {};
  const always = new Set(['id', 'type', 'secrets', 'apiKey']);
  const names = Object.keys(KeyDefinitionSchema.shape) as (keyof WrittenKeyDefinition)[];
  const own = names.filter(
    (name) => name in written && (always.has(name) || !isDeepStrictEqual(written[name], defaults[name])),
  );
  return Object.fromEntries(own.map((name) => [name, written[name]]));
}

function changeKey(text: string, map: YAMLMap, before: KeyDefinition, after: KeyDefinition): Splice[] {
  const names = Object.keys(after) as (keyof KeyDefinition)[];
  const short = writtenDefinition(after);
  const simple: [string, unknown][] = [];
  const splices: Splice[] = [];
  for (const name of names.filter((field) => !isDeepStrictEqual(before[field], after[field]))) {
    const change = LISTS[name]?.({ text, map, before, after }) ?? null;
    if (change === null) simple.push([name, withoutReferences(short[name] ?? after[name])]);
    else splices.push(...change);
  }
  return [...splices, ...setFields(text, map, simple)];
}

interface ChangedKey {
  readonly text: string;
  readonly map: YAMLMap;
  readonly before: KeyDefinition;
  readonly after: KeyDefinition;
}

/** How lists are changed; null: as any other value is. */
const LISTS: Partial<Record<keyof KeyDefinition, (change: ChangedKey) => Splice[] | null>> = {
  allowFrom: changeAddresses,
  allowedEvents: (change) => changeNames(change, 'allowedEvents'),
  allowedOrigins: (change) => changeNames(change, 'allowedOrigins'),
  secrets: changeSecrets,
};

function changeNames({ text, map, before, after }: ChangedKey, field: 'allowedEvents' | 'allowedOrigins') {
  const list = asList(pairOf(map, field)?.value);
  const [old, next] = [before[field], after[field]];
  if (list === null || !isList(old) || !isList(next) || !canChange(list, old, next)) return null;
  return changeList(
    text,
    list,
    itemsFrom(
      old,
      next,
      (name) => name,
      () => [],
    ),
  );
}

function changeAddresses({ text, map, before, after }: ChangedKey): Splice[] | null {
  const pair = pairOf(map, 'allowFrom');
  const [old, next] = [before.allowFrom, after.allowFrom];
  if (pair === undefined || next === 'anywhere' || next.length === 0) return null;
  const list = asList(pair.value);
  if (list !== null && old !== 'anywhere' && canChange(list, old, next)) {
    return changeList(
      text,
      list,
      itemsFrom(old, next, ({ address }) => address, describeAnew(text)),
    );
  }
  if (map.flow || list !== null) return null;
  const indent = ' '.repeat(columnOf(text, map.range?.[0] ?? 0) + 2);
  return replaceByLines(text, pair, itemLines(next.map(shortAddress), indent));
}

interface AllowedAddress {
  readonly address: string;
  readonly description: string;
}

const shortAddress = ({ address, description }: AllowedAddress): unknown =>
  description === '' ? address : { address, description: withoutReferences(description) };

const describeAnew =
  (text: string) =>
  (node: unknown, { address, description }: AllowedAddress): Splice[] => {
    const map = asMap(node);
    if (map !== null) return setFields(text, map, [['description', withoutReferences(description)]]);
    const [start = 0, end = 0] = (node as { range?: number[] }).range ?? [];
    return [{ start, end, text: inline(shortAddress({ address, description })) }];
  };

function changeSecrets({ text, map, before, after }: ChangedKey): Splice[] | null {
  const list = asList(pairOf(map, 'secrets')?.value);
  if (list !== null && canChange(list, before.secrets, after.secrets)) {
    const expireAnew = (node: unknown, { expiresAt }: SecretDefinition): Splice[] => {
      const secret = asMap(node);
      return secret === null ? [] : setFields(text, secret, [['expiresAt', expiresAt]]);
    };
    return changeList(
      text,
      list,
      itemsFrom(before.secrets, after.secrets, ({ hash }) => hash, expireAnew),
    );
  }
  return spellOutSecret({ text, map, before, after });
}

/** `secret: X` becomes the list that it is short for; X stays as it is written. */
function spellOutSecret({ text, map, before, after }: ChangedKey): Splice[] | null {
  const pair = pairOf(map, 'secret');
  const [only] = before.secrets;
  if (pair === undefined || only === undefined) return null;
  const keyRange = (pair.key as { range?: number[] }).range ?? [];
  const [start = 0, end = 0] = (pair.value as { range?: number[] } | null)?.range ?? [];
  const value = text.slice(start, end);
  const own = after.secrets.find(({ hash }) => hash === only.hash);
  const expiresAt = own?.expiresAt ?? null;
  const others = after.secrets.filter(({ hash }) => hash !== only.hash).map(shortSecret);
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

/** Whether the nodes of a list stand for its values one by one, and something is left of it. */
const canChange = (list: YAMLSeq, before: readonly unknown[], after: readonly unknown[]): boolean =>
  list.items.length === before.length && list.items.length > 0 && after.length > 0;

const isList = (value: unknown): value is readonly string[] => Array.isArray(value);

/** The next items of a list from the old ones of the same name, changed where they differ in the rest, and new ones. */
function itemsFrom<T>(
  before: readonly T[],
  after: readonly T[],
  nameOf: (item: T) => string,
  changes: (node: unknown, next: T) => Splice[],
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
    if (from === undefined) return { value: newItem(next) };
    return { from, changes: (node) => (isDeepStrictEqual(before[from], next) ? [] : changes(node, next)) };
  });
}

function newItem(next: unknown): unknown {
  if (typeof next !== 'object' || next === null) return withoutReferences(next);
  return 'hash' in next ? shortSecret(next as SecretDefinition) : shortAddress(next as AllowedAddress);
}
