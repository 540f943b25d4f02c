/**
 * Reads a YAML file whose bulk is one list in the way that costs least: as JSON if it is JSON, item by item if its lines show the items,
 * else as a whole. All say the same.
 */
import { readText, readYamlText, unreadable, type ReadOptions, type YamlFile } from './document.ts';
import { ItemByItem } from './item-by-item.ts';
import { readJsonText } from './json-text.ts';
import { splitList, STAND_IN, textAround, type SplitList } from './split-list.ts';
import { fieldOf, wholeList, type ListedFile } from './whole-list.ts';

/** In UTF-16 units. Less is read as a whole in a few milliseconds. */
const SHORT = 8192;

/** `list`: the name of the field that holds the list. */
export function readListedFile(options: ReadOptions, list: string): ListedFile {
  const text = readText(options.file);
  return typeof text === 'string'
    ? readListedText(text, options, list)
    : wholeList(unreadable(options.file, text), list);
}

/** The same for text that is already in memory. */
export function readListedText(text: string, options: ReadOptions, list: string): ListedFile {
  const whole = (): ListedFile => wholeList(readYamlText(text, options), list);
  if (text.length < SHORT) return whole();
  const json = readJsonText(text);
  if (json !== undefined) return wholeList(jsonFile(text, options, json), list);
  const split = splitList(text, list);
  if (split === null || mayMoveAnchors(split)) return whole();
  const rest = readYamlText(textAround(split), options);
  return isRestOf(split, rest, list) ? new ItemByItem({ options, list, split, rest, whole }) : whole();
}

/** An item may set an anchor anew that the rest of the file has. */
const mayMoveAnchors = ({ before, after, length, textOf }: SplitList): boolean =>
  (before + after).includes('&') && textOf(0, length).includes('&');

/** Whether what was cut out is the value of the field: without it the field stands in the same line, and has the item in its place. */
function isRestOf({ fieldLine }: SplitList, { content, locate }: YamlFile, list: string): boolean {
  const value = fieldOf(content?.value, list);
  const { line, column } = locate([list], 'key');
  return Array.isArray(value) && value.length === 1 && value[0] === STAND_IN && line === fieldLine && column === 1;
}

/** A file that was read as JSON; where something stands in it is found out when somebody asks. There are no references in it. */
function jsonFile(text: string, options: ReadOptions, content: { readonly value: unknown }): YamlFile {
  const { file } = options;
  let yaml: YamlFile | null = null;
  return {
    file,
    content,
    problems: [],
    unresolved: new Set(),
    files: [file],
    locate: (path, what) => (yaml ??= readYamlText(text, options)).locate(path, what),
    isWrittenHere: () => true,
  };
}
