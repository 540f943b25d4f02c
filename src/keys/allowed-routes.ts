/**
 * The routes that a key may use, as lines of "METHOD PATH". A path is on the list only if it is there in every way in which some
 * backend would read it. What else the key may do is decided elsewhere.
 */
import {
  compilePathTable,
  parsePattern,
  patternProblem,
  type PathPattern,
  type PathTable,
} from '../lib/path-pattern.ts';
import { readPath } from '../lib/path-reading.ts';

export interface RouteList {
  /** As they were written. */
  readonly lines: readonly string[];
  /**
   * Whether a method and a normalized path are on the list. Letter case (A to Z) and one trailing slash do not matter; GET on the
   * list admits HEAD, and `*` every method.
   */
  readonly admits: (method: string, path: string) => boolean;
}

/** The methods that a line may begin with. */
export const LISTED_METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', '*'];

/** What is wrong with a line as written, as the rest of a sentence; null: nothing. */
export function allowedRouteProblem(line: string): string | null {
  const [method = '', path = '', ...more] = partsOf(line);
  if (!LISTED_METHODS.includes(method)) {
    const upper = LISTED_METHODS.find((known) => known === method.toUpperCase());
    return upper === undefined
      ? `must begin with a method (${LISTED_METHODS.join(', ')}), such as "GET /v1/users/:id"`
      : `must have its method in upper-case letters: ${upper}`;
  }
  if (path === '' || more.length > 0) return 'must be a method and a path, such as "GET /v1/users/:id"';
  const why = patternProblem(path);
  if (why !== null) return `is not usable: path ${JSON.stringify(path)} ${why}`;
  // Literal text in routes; on a list of what is allowed, somebody meant a pattern.
  return /[*{}]/.test(path.replace(/\/\*\*\/?$/, ''))
    ? 'must not hold *, { or } in its path: write :name for one segment, and ** as the last for one or more'
    : null;
}

/**
 * Compiles lines that have no problem. A list is compiled when it is first asked: there may be very many, most of them of keys
 * that nobody uses today.
 */
export function compileAllowedRoutes(lines: readonly string[]): RouteList {
  let tables: MethodTables | null = null;
  return {
    lines,
    admits(method, path) {
      tables ??= compileTables(lines);
      const table = tables.byMethod.get(method) ?? tables.others;
      return table.literals.has(path) || readPath(path).every(table.paths.holds);
    },
  };
}

interface Line {
  readonly method: string;
  readonly pattern: PathPattern;
}

/** The lines that hold for one method. */
interface MethodTable {
  /** Paths without parameters, as written: most requests are spelled so, and such a path has one reading. */
  readonly literals: ReadonlySet<string>;
  readonly paths: PathTable<Line>;
}

interface MethodTables {
  readonly byMethod: ReadonlyMap<string, MethodTable>;
  /** For methods that no line names: the lines for every method. */
  readonly others: MethodTable;
}

function compileTables(written: readonly string[]): MethodTables {
  const lines = written.map((line): Line => {
    const [method = '', path = ''] = partsOf(line);
    return { method, pattern: parsePattern(path) };
  });
  const tableOf = (methods: readonly string[]): MethodTable =>
    compileTable(lines.filter(({ method }) => methods.includes(method)));
  const named = new Set(['HEAD', ...lines.map(({ method }) => method)]);
  return {
    byMethod: new Map(
      [...named].map((method) => [method, tableOf(method === 'HEAD' ? ['HEAD', 'GET', '*'] : [method, '*'])]),
    ),
    others: tableOf(['*']),
  };
}

function compileTable(lines: readonly Line[]): MethodTable {
  const literals = lines.filter(({ pattern }) => !pattern.rest && !pattern.segments.includes(null));
  return { literals: new Set(literals.map(({ pattern }) => pattern.text)), paths: compilePathTable(lines) };
}

const partsOf = (line: string): string[] => line.split(/ +/);
