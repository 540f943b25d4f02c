/**
 * Cuts the text of a YAML file into the items of one long list, by its lines alone, so that each can be read by itself. Reads no item, and
 * where the lines leave any doubt cuts nothing. That the rest of the file says what it should is for the caller to check.
 */

export interface SplitList {
  /** What stands around the items: together, the file with an empty field. */
  readonly before: string;
  readonly after: string;
  /** The line of the field, and of the first line behind the items. Lines count from 1, in the file. */
  readonly fieldLine: number;
  readonly restLine: number;
  readonly length: number;
  /** The text of an item, from the start of its first line; `to`: of all from this one up to that one. */
  readonly textOf: (index: number, to?: number) => string;
  /** The first line of an item. */
  readonly lineOf: (index: number) => number;
}

/** Of the list under the field of this name at the top of the file, if it has an item on lines of their own. */
export function splitList(text: string, field: string): SplitList | null {
  const [start, another] = linesOf(text, field);
  // A directive can make it another YAML.
  if (start === undefined || another !== undefined || /^%/m.test(text)) return null;
  const fieldLine = linesIn(text, start);
  const found = findItems(text, text.indexOf('\n', start) + 1, fieldLine + 1);
  if (found === null) return null;
  const { starts, lines, end, endLine } = found;
  const [first] = starts as [number];
  const startOf = (index: number): number => starts[index] ?? end;
  return {
    before: text.slice(0, first),
    after: text.slice(end),
    fieldLine,
    restLine: endLine,
    length: starts.length,
    textOf: (index, to = index + 1) => text.slice(startOf(index), startOf(to)),
    lineOf: (index) => lines[index] ?? endLine,
  };
}

/** Where lines begin that hold the name of the field and nothing more. */
function linesOf(text: string, field: string): number[] {
  const found: number[] = [];
  const name = `${field}:`;
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
    const end = text.indexOf('\n', at);
    const isLine = end !== -1 && (at === 0 || text[at - 1] === '\n');
    if (isLine && NOTHING_MORE.test(text.slice(at + name.length, end))) found.push(at);
  }
  return found;
}

const NOTHING_MORE = /^[ \t]*(?:#.*)?\r?$/;

/** The one item in `textAround`. */
export const STAND_IN = 0;

/**
 * The file with one line in place of all items. With none, a place that can hold no list in lines of its own would not show:
 * `{ a: 1,\nkeys:\n}`.
 */
export const textAround = ({ before, after, textOf }: SplitList): string =>
  `${before}${/^ */.exec(textOf(0))?.[0] ?? ''}- ${STAND_IN}\n${after}`;

interface FoundItems {
  readonly starts: readonly number[];
  readonly lines: readonly number[];
  readonly end: number;
  readonly endLine: number;
}

/** From the line that begins at `at`, up to the first that belongs to the mapping around the list. */
function findItems(text: string, at: number, atLine: number): FoundItems | null {
  const starts: number[] = [];
  const lines: number[] = [];
  let indent = -1;
  let line = atLine;
  let next: number;
  for (let from = at; from < text.length; from = next, line++) {
    const newline = text.indexOf('\n', from);
    next = newline === -1 ? text.length : newline + 1;
    let first = from;
    while (text.charCodeAt(first) === SPACE) first++;
    // Blank lines and comments end nothing.
    if (first >= next || SAYS_NOTHING.has(text.charCodeAt(first))) continue;
    const depth = first - from;
    const isItem = text.charCodeAt(first) === DASH && AFTER_DASH.has(text.charCodeAt(first + 1));
    if (indent === -1) {
      if (!isItem) return null;
      indent = depth;
    }
    if (depth > indent) continue;
    if (isItem && depth === indent) {
      starts.push(from);
      lines.push(line);
    } else return depth === 0 ? { starts, lines, end: from, endLine: line } : null;
  }
  return starts.length === 0 ? null : { starts, lines, end: text.length, endLine: line };
}

const SPACE = 0x20;
const DASH = 0x2d;
/** Line ends and `#`. */
const SAYS_NOTHING: ReadonlySet<number> = new Set([0x0a, 0x0d, 0x23]);
/** White space: `-x` is no item. */
const AFTER_DASH: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** The line that begins at this offset. */
function linesIn(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}
