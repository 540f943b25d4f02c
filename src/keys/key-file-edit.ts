/**
 * Writes one changed key, policy or address list into the text of a key file, and leaves all other text as it is. Reads and writes no
 * file; whether the result says what it should is for the caller to check, since anchors and merge keys can make a change reach
 * further.
 */
import { parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import { withoutReferences } from '../config/substitution.ts';
import { YAML_OPTIONS } from '../config/yaml-nodes.ts';
import { KeyDefinitionSchema } from './definition-schema.ts';
import type { KeyDefinition, PolicyDefinition } from './definition.ts';
import { changeAddressList, changeFields, itemLines } from './field-edit.ts';
import { writtenList, type AddressListDefinition } from './list-definition.ts';
import { writtenDefinition, writtenPolicy } from './read-definition.ts';
import {
  asList,
  asMap,
  changeList,
  columnOf,
  inline,
  insertLines,
  lineEnd,
  pairOf,
  removePair,
  replaceByLines,
  replaceValue,
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
  const root = rootOf(text);
  const pair = root === null ? undefined : pairOf(root, 'keys');
  const list = asList(pair?.value);
  if (pair === undefined || list === null) return text;
  if (after === null) {
    const others = list.items.flatMap((_, from) => (from === index ? [] : [kept(from)]));
    return spliced(text, others.length === 0 ? replaceValue(text, pair, []) : changeList(text, list, others));
  }
  if (before !== null) {
    const map = asMap(list.items[index]);
    if (map === null) return text;
    return spliced(text, changeFields({ text, map, before, after, written: { ...writtenDefinition(after) } }));
  }
  if (list.items.length === 0)
    return spliced(
      text,
      root?.flow
        ? replaceValue(text, pair, [withoutReferences(ordered(after))])
        : replaceByLines(text, pair, keyLines(after, '  ')),
    );
  return spliced(text, list.flow ? appendToFlow(text, list, after) : [appendLines(text, list, after)]);
}

export type RecordEdit =
  RecordChange<'policies', PolicyDefinition> | RecordChange<'addressLists', AddressListDefinition>;

interface RecordChange<S, T> {
  readonly section: S;
  readonly name: string;
  readonly before: T | null;
  readonly after: T | null;
}

/** The same for a policy or an address list. */
export function editRecord(text: string, edit: RecordEdit): string {
  const root = rootOf(text);
  if (root === null) return text;
  const { section, name } = edit;
  const sectionPair = pairOf(root, section);
  const records = asMap(sectionPair?.value);
  const pair = records === null ? undefined : pairOf(records, name);
  const written = writtenRecord(edit);
  if (written === null) {
    if (records === null || pair === undefined || sectionPair === undefined) return text;
    const isLast = records.items.length === 1;
    return spliced(text, isLast ? removePair(text, root, sectionPair) : removePair(text, records, pair));
  }
  if (records !== null && pair !== undefined) return spliced(text, changeRecord(text, records, edit, written));
  const value = withoutReferences(written);
  if (records !== null && records.items.length > 0) return spliced(text, appendRecord(text, records, name, value));
  if (sectionPair !== undefined) return spliced(text, replaceValue(text, sectionPair, { [name]: value }));
  if (root.flow) return spliced(text, appendRecord(text, root, section, { [name]: value }));
  return spliced(text, [insertLines(text, text.length, ['', `${section}:`, `  ${name}: ${inline(value)}`])]);
}

function writtenRecord(edit: RecordEdit): unknown {
  if (edit.after === null) return null;
  return edit.section === 'policies' ? writtenPolicy(edit.after) : writtenList(edit.after);
}

function changeRecord(text: string, records: YAMLMap, edit: RecordEdit, written: unknown): Splice[] {
  const pair = pairOf(records, edit.name);
  if (pair === undefined) return [];
  const whole = (): Splice[] => replaceValue(text, pair, withoutReferences(written));
  if (edit.section === 'policies') {
    const map = asMap(pair.value);
    const { before, after } = edit;
    if (map === null || before === null || after === null || map.items.length === 0) return whole();
    const stays = Object.keys(after).some((field) => field in before);
    // Between braces nothing is left that a field could be added to.
    if (Object.keys(after).length === 0 || (map.flow && !stays)) return whole();
    return changeFields({ text, map, before, after, written: written as Record<string, unknown> });
  }
  const { before, after } = edit;
  if (before?.kind !== 'literal' || after?.kind !== 'literal') return whole();
  return changeAddressList(text, pair.value, before.entries, after.entries) ?? whole();
}

function appendRecord(text: string, map: YAMLMap, name: string, value: unknown): Splice[] {
  const [start = 0, end = 0] = map.range ?? [];
  if (map.flow) {
    const last = map.items.at(-1);
    const [, at = start + 1] = (last?.value as { range?: number[] } | null)?.range ?? [];
    return [{ start: at, end: at, text: `${last === undefined ? '' : ', '}${name}: ${inline(value)}` }];
  }
  const line = `${' '.repeat(columnOf(text, start))}${name}: ${inline(value)}`;
  return [insertLines(text, lineEnd(text, end), [line])];
}

const rootOf = (text: string): YAMLMap | null => asMap(parseDocument(text, YAML_OPTIONS).contents);

const kept = (from: number): ListItem => ({ from, changes: () => [] });

const appendToFlow = (text: string, list: YAMLSeq, key: KeyDefinition): Splice[] =>
  changeList(text, list, [...list.items.map((_, from) => kept(from)), { value: withoutReferences(ordered(key)) }]);

/** Keys that are set apart by blank lines stay so. */
function appendLines(text: string, list: YAMLSeq, key: KeyDefinition): Splice {
  const [start = 0, end = 0] = list.range ?? [];
  const at = lineEnd(text, end);
  const apart = list.items.length === 1 || /\n[ \t]*\r?\n/.test(text.slice(start, end));
  const lines = keyLines(key, ' '.repeat(columnOf(text, start)));
  return insertLines(text, at, apart ? ['', ...lines] : lines);
}

/** Fields whose lists read best with a line for each item. */
const LISTED: ReadonlySet<string> = new Set(['allowFrom', 'denyFrom', 'allowedRoutes', 'secrets']);

function keyLines(key: KeyDefinition, indent: string): string[] {
  const fields = Object.entries(withoutReferences(ordered(key)) as Record<string, unknown>);
  return fields.flatMap(([name, value], position) => {
    const start = `${indent}${position === 0 ? '- ' : '  '}${name}:`;
    return LISTED.has(name) && Array.isArray(value) && value.length > 0
      ? [start, ...itemLines(value, `${indent}    `)]
      : [`${start} ${inline(value)}`];
  });
}

/** A key as it is written, in the order of the reference. */
function ordered(key: KeyDefinition): Record<string, unknown> {
  const written: Readonly<Record<string, unknown>> = { ...writtenDefinition(key) };
  const names = Object.keys(KeyDefinitionSchema.shape).filter((name) => name in written);
  return Object.fromEntries(names.map((name) => [name, written[name]]));
}
