/**
 * Changes to YAML text that touch nothing else: replacements at offsets, values on one line, lists item by item. Whatever is not
 * replaced stays as it was written, with its comments, order and quoting. Knows no field of any file.
 */
import { isMap, isScalar, isSeq, parse, type Node, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';

/** The text from `start` up to `end` gives way to another. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The text from `from` up to `to`, with the splices in it made. */
export function spliced(text: string, splices: readonly Splice[], from = 0, to = text.length): string {
  let result = '';
  let at = from;
  for (const splice of [...splices].sort((a, b) => a.start - b.start || a.end - b.end)) {
    result += text.slice(at, splice.start) + splice.text;
    at = splice.end;
  }
  return result + text.slice(at, to);
}

const PLAIN = /^(?:[A-Za-z0-9_](?:[\w ./@$%+-]*[\w./@$%+-])?|sha256:[0-9a-f]{64})$/;
/** What some readers of YAML 1.1 take for a boolean, and others do not. */
const OLD_BOOLEAN = /^(?:y|n|yes|no|on|off)$/i;
const PRINTABLE = /^[ -~\u00a0-\u1fff\u2030-\ud7ff\uf900-\ufffd]*$/;

/** A value on one line, fit for any place. Text is quoted where a reader could take it for something else. */
export function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{ ${Object.entries(value)
      .map(([name, inner]) => `${name}: ${inline(inner)}`)
      .join(', ')} }`;
  if (typeof value !== 'string') return String(value);
  if (PLAIN.test(value) && !OLD_BOOLEAN.test(value) && isTextEverywhere(value)) return value;
  if (PRINTABLE.test(value)) return `'${value.replaceAll("'", "''")}'`;
  return JSON.stringify(value).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The file may say that it is YAML 1.1, and other tools read every file as that. */
const isTextEverywhere = (value: string): boolean =>
  (['1.1', '1.2'] as const).every((version) => parse(value, { version, logLevel: 'silent' }) === value);

/** Where the line that holds the last character before `offset` ends, its line break included. */
export function lineEnd(text: string, offset: number): number {
  if (text[offset - 1] === '\n') return offset;
  const end = text.indexOf('\n', offset);
  return end === -1 ? text.length : end + 1;
}

/** How far the character at `offset` is from the start of its line. */
export const columnOf = (text: string, offset: number): number => offset - (text.lastIndexOf('\n', offset - 1) + 1);

export const eolOf = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n');

const rangeOf = (node: unknown): readonly [number, number] => {
  const { range } = node as Node;
  return [range?.[0] ?? 0, range?.[1] ?? 0];
};

export const pairOf = (map: YAMLMap, name: string): Pair | undefined =>
  map.items.find(({ key }) => isScalar(key) && key.value === name);

const colonOf = (text: string, pair: Pair): number => text.indexOf(':', rangeOf(pair.key)[1]);

/** Writes a value on one line in place of the one that a pair has. */
export function replaceValue(text: string, pair: Pair, value: unknown): Splice[] {
  const [start, end] = rangeOf(pair.value);
  const colon = colonOf(text, pair);
  const gap = text.slice(colon + 1, start);
  if (start === end) return [{ start, end, text: `${gap.endsWith(' ') ? '' : ' '}${inline(value)}` }];
  if (!gap.includes('\n') && text[end - 1] !== '\n') return [{ start, end, text: inline(value) }];
  const comment = /#[^\r\n]*/.exec(gap.split('\n', 1)[0] as string)?.[0];
  const last = text[end - 1] === '\n' ? eolOf(text) : '';
  const replaced = ` ${inline(value)}${comment === undefined ? '' : ` ${comment}`}${last}`;
  return [{ start: colon + 1, end, text: replaced }];
}

/** Writes lines below the name of a pair in place of a value that stands beside it; a comment there stays. */
export function replaceByLines(text: string, pair: Pair, lines: readonly string[]): Splice[] {
  const [, end] = rangeOf(pair.value);
  const at = lineEnd(text, end);
  return [{ start: colonOf(text, pair) + 1, end, text: '' }, insertLines(text, at, lines)];
}

/** Whole lines at the start of a line, or at the end of the text. */
export function insertLines(text: string, at: number, lines: readonly string[]): Splice {
  const eol = eolOf(text);
  const first = at > 0 && text[at - 1] !== '\n' ? eol : '';
  return { start: at, end: at, text: first + lines.map((line) => line + eol).join('') };
}

/** Gives a mapping further fields, each on one line, or in lines of its own where the mapping has lines. */
export function addFields(text: string, map: YAMLMap, fields: readonly (readonly [string, unknown])[]): Splice[] {
  const [start, end] = rangeOf(map);
  if (fields.length === 0) return [];
  if (map.flow) {
    const written = fields.map(([name, value]) => `${name}: ${inline(value)}`).join(', ');
    const last = rangeOf(map.items.at(-1)?.value ?? map.items.at(-1)?.key)[1];
    return [{ start: last, end: last, text: `, ${written}` }];
  }
  const indent = ' '.repeat(columnOf(text, start));
  const lines = fields.map(([name, value]) => `${indent}${name}: ${inline(value)}`);
  return [insertLines(text, lineEnd(text, end), lines)];
}

/** Sets fields of a mapping: those that it has in their place, the others at its end. */
export function setFields(text: string, map: YAMLMap, fields: readonly (readonly [string, unknown])[]): Splice[] {
  const added = fields.filter(([name]) => pairOf(map, name) === undefined);
  const replaced = fields.flatMap(([name, value]) => {
    const pair = pairOf(map, name);
    return pair === undefined ? [] : replaceValue(text, pair, value);
  });
  return [...replaced, ...addFields(text, map, added)];
}

/**
 * Takes a pair out of its mapping, with its comments. A mapping that is a list's item may begin in its line: the dash stays. Of the
 * only pair the value goes, since a mapping cannot be without any.
 */
export function removePair(text: string, map: YAMLMap, pair: Pair): Splice[] {
  const index = map.items.indexOf(pair);
  const [start] = rangeOf(pair.key);
  const [, end] = rangeOf(pair.value ?? pair.key);
  if (map.flow) {
    const before = map.items[index - 1];
    const next = map.items[index + 1];
    if (before !== undefined) return [{ start: rangeOf(before.value ?? before.key)[1], end, text: '' }];
    return [{ start, end: next === undefined ? end : rangeOf(next.key)[0], text: '' }];
  }
  const column = columnOf(text, start);
  const line = start - column;
  if (text.slice(line, start).trim() !== '')
    return [{ start, end: Math.max(start, lineEnd(text, end) - eolLength(text, end)), text: '' }];
  return [{ start: index === 0 ? line : aboveComments(text, line), end: lineEnd(text, end), text: '' }];
}

/** How long the line break is that ends the line of `offset`. */
function eolLength(text: string, offset: number): number {
  const end = lineEnd(text, offset);
  return text[end - 1] !== '\n' ? 0 : text[end - 2] === '\r' ? 2 : 1;
}

/** An item of a list as it should be: one that is there, perhaps with changes inside it, or a new one. */
export type ListItem =
  { readonly from: number; readonly changes: (node: unknown) => readonly Splice[] } | { readonly value: unknown };

/** Changes a list that is not to become empty, item by item. Comments above an item and beside it go with it. */
export function changeList(text: string, list: YAMLSeq, items: readonly ListItem[]): Splice[] {
  return list.flow ? changeFlowList(text, list, items) : changeBlockList(text, list, items);
}

function changeBlockList(text: string, list: YAMLSeq, items: readonly ListItem[]): Splice[] {
  const [dash] = rangeOf(list);
  const eol = eolOf(text);
  const indent = ' '.repeat(columnOf(text, dash));
  const first = aboveComments(text, dash - indent.length);
  const bounds = [first, ...list.items.map((item) => lineEnd(text, rangeOf(item)[1]))];
  const written = items.map((item) => {
    if ('value' in item) return `${indent}- ${listItem(item.value)}${eol}`;
    const [from = 0, to = 0] = bounds.slice(item.from);
    const segment = spliced(text, item.changes(list.items[item.from]), from, to);
    return segment.endsWith('\n') ? segment : segment + eol;
  });
  return [{ start: first, end: bounds.at(-1) ?? first, text: written.join('') }];
}

/** The start of the comment lines right above a line, else of the line itself. */
function aboveComments(text: string, line: number): number {
  const above = text.lastIndexOf('\n', line - 2) + 1;
  return /^[ \t]*#/.test(text.slice(above, line)) ? aboveComments(text, above) : line;
}

/** A single field reads best without braces. */
function listItem(value: unknown): string {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const [only] = entries;
  return entries.length === 1 && only !== undefined ? `${only[0]}: ${inline(only[1])}` : inline(value);
}

function changeFlowList(text: string, list: YAMLSeq, items: readonly ListItem[]): Splice[] {
  const [start] = rangeOf(list);
  const ranges = list.items.map(rangeOf);
  const written = items.map((item, position) => {
    const comma = position === 0 ? '' : ', ';
    if ('value' in item) return comma + inline(item.value);
    const [from, to] = ranges[item.from] as readonly [number, number];
    const before = item.from === position ? text.slice(ranges[item.from - 1]?.[1] ?? start + 1, from) : comma;
    return before + spliced(text, item.changes(list.items[item.from]), from, to);
  });
  const last = ranges.at(-1)?.[1] ?? start + 1;
  return [{ start: start + 1, end: last, text: written.join('') }];
}

export const asMap = (node: unknown): YAMLMap | null => (isMap(node) ? node : null);
export const asList = (node: unknown): YAMLSeq | null => (isSeq(node) ? node : null);
