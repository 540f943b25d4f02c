/**
 * Patterns of paths: `/users/:id` has a parameter for one segment, `/static/**` ends in one or more of any kind. Tells what is
 * wrong with one as written, and which of many fit a reading of a path. It knows no method, and decides nothing.
 */
import { normalizeTarget } from './path-normalization.ts';
import { foldPath, isAscii, segmentsOf } from './path-reading.ts';

export interface PathPattern {
  /** As written. */
  readonly text: string;
  /** Literal text, or null: any text but none. What `rest` stands for is not among them. */
  readonly segments: readonly (string | null)[];
  /** Ends in `**`. */
  readonly rest: boolean;
}

/** As the last segment: one or more of any kind. */
const REST = '**';

/** Whether a segment of a pattern stands for any one segment. */
export const isParameter = (segment: string): boolean => segment.startsWith(':');

/** The names of the parameters of a pattern, without their colons. */
export const parameterNames = (pattern: string): string[] =>
  segmentsOf(pattern)
    .filter(isParameter)
    .map((segment) => segment.slice(1));

/** Whether a pattern ends in `**`. */
export const endsOpen = (pattern: string): boolean => segmentsOf(pattern).at(-1) === REST;

/** Reads a pattern that has no problem. */
export function parsePattern(text: string): PathPattern {
  const segments = segmentsOf(text);
  const rest = segments.at(-1) === REST;
  const fixed = rest ? segments.slice(0, -1) : segments;
  return { text, segments: fixed.map((segment) => (isParameter(segment) ? null : segment)), rest };
}

/** What is wrong with a pattern as written, as the rest of a sentence; null: nothing. One that fits no path is a mistake. */
export function patternProblem(text: string): string | null {
  if (!text.startsWith('/')) return 'does not start with a slash';
  if (!/^[!-~]*$/.test(text) || text.includes('%')) return 'holds a character that is not plain visible ASCII';
  if (parameterNames(text).some((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))) return 'has a malformed :parameter';
  const fixed = endsOpen(text) ? text.slice(0, text.lastIndexOf(REST)) : text;
  if (fixed.includes(REST)) return `holds ${REST} in another place than as its last segment`;
  const target = normalizeTarget(text, NO_QUIRKS);
  if (!target.ok) return `is ambiguous: ${target.why}`;
  return target.value.query === '' ? null : 'holds a query';
}

const NO_QUIRKS: ReadonlySet<never> = new Set<never>();

/** The text that two patterns share which fit the same paths. */
export function shapeOf(pattern: string): string {
  return foldPath(pattern).replace(/\/:[^/]+/g, '/:');
}

/**
 * Whether a pattern fits a reading when nothing but the case of the letters A to Z and one trailing slash is passed over. Every
 * backend that reads the path so finds what the pattern names, or nothing.
 */
export function fitsClosely({ segments, rest }: PathPattern, reading: string): boolean {
  const read = segmentsOf(lowerAscii(reading));
  if (rest ? read.length <= segments.length : read.length !== segments.length) return false;
  return segments.every((literal, i) => literal === null || literal.toLowerCase() === read[i]) && !read.includes('');
}

/** Many patterns, each with what it stands for. */
export interface PathTable<T> {
  /**
   * What a reading is: of all that fit, what comes first with literal segments before parameters and those before `**`, from the
   * left, the order in which routers of every make agree. Letters are folded as `foldPath` folds them. null: nothing fits, or
   * only in another spelling than listed while a second pattern fits too, which a backend that folds less would take.
   */
  readonly find: (reading: string) => T | null;
  /** Whether some pattern fits the reading closely, as `fitsClosely` says. */
  readonly holds: (reading: string) => boolean;
}

/** Of patterns of one shape the first counts. */
export function compilePathTable<T extends { readonly pattern: PathPattern }>(entries: readonly T[]): PathTable<T> {
  const root = newNode<T>();
  for (const entry of entries) insert(root, entry);
  return {
    find(reading) {
      const segments = segmentsOf(reading);
      const folded = isAscii(reading) ? segmentsOf(reading.toLowerCase()) : segments.map(foldPath);
      const [first, second] = collect(root, folded);
      if (first === undefined) return null;
      return second === undefined || isSpelledAs(first.pattern, segments) ? first : null;
    },
    holds: (reading) => collect(root, segmentsOf(lowerAscii(reading))).length > 0,
  };
}

interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  parameter: Node<T> | null;
  /** What ends here. */
  end: T | null;
  /** What goes on from here in `**`. */
  rest: T | null;
}

const newNode = <T>(): Node<T> => ({ literals: new Map(), parameter: null, end: null, rest: null });

function insert<T extends { readonly pattern: PathPattern }>(root: Node<T>, entry: T): void {
  let node = root;
  for (const segment of entry.pattern.segments) {
    if (segment === null) node = node.parameter ??= newNode();
    else {
      const name = segment.toLowerCase();
      const next = node.literals.get(name) ?? newNode<T>();
      node.literals.set(name, next);
      node = next;
    }
  }
  if (entry.pattern.rest) node.rest ??= entry;
  else node.end ??= entry;
}

/** Everything that fits, the most specific first. An empty segment fits nothing. */
function collect<T>(root: Node<T>, segments: readonly string[]): T[] {
  const found: T[] = [];
  if (segments.includes('')) return found;
  const descend = (node: Node<T>, at: number): void => {
    if (at === segments.length) {
      if (node.end !== null) found.push(node.end);
      return;
    }
    const literal = node.literals.get(segments[at] as string);
    if (literal !== undefined) descend(literal, at + 1);
    if (node.parameter !== null) descend(node.parameter, at + 1);
    if (node.rest !== null) found.push(node.rest);
  };
  descend(root, 0);
  return found;
}

const isSpelledAs = ({ segments }: PathPattern, read: readonly string[]): boolean =>
  segments.every((literal, i) => literal === null || literal === read[i]);

/** Letters beyond ASCII keep their case: to backends that compare bytes they are others. */
const lowerAscii = (text: string): string =>
  isAscii(text) ? text.toLowerCase() : text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
