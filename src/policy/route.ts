/**
 * The route rung: which listed route a request takes, whatever spelling of its path a backend would still accept.
 * It lists and matches; that a key limited to specific events may use listed routes alone is decided in scope.ts.
 */
import {
  type BackendReading,
  findRouteProblems,
  isParameter,
  type RouteDefinition,
} from '../config/route-definition.ts';
import { parseSelector, type EventSelector } from '../config/selector.ts';
import { foldPath, readPath, segmentsOf } from '../lib/path-reading.ts';
import { foldParameterName } from '../lib/query.ts';

export interface CompiledRoute {
  readonly method: string;
  readonly pattern: string;
  readonly selector: EventSelector | null;
  readonly unnamed: 'allow' | 'disallow';
  /** Names as `foldParameterName` makes them, those of credentials included. */
  readonly query: ReadonlySet<string>;
  readonly forms: boolean;
  readonly rewrite: string | null;
  readonly backend: BackendReading;
}

export interface RouteMatch {
  readonly route: CompiledRoute;
  /** The path to forward, rewritten if the route says so. */
  readonly target: string;
}

export interface Router {
  /**
   * The listed route that a normalized path takes with this method, or null. HEAD takes the GET routes. Null too when two
   * backends could find two routes, or one of them none: what a listed route promises must hold for every reading.
   *
   * Null is safe for keys limited to specific events, because they may use listed pairs of method and path alone: an event
   * path with another method is not listed, so it needs no lookup of its own.
   */
  readonly match: (method: string, path: string) => RouteMatch | null;
  readonly routes: readonly CompiledRoute[];
}

/**
 * Compiles routes that have no problems; throws on the first that has one. `credentials`: query parameters in which the API
 * looks for credentials, so that every route may have them.
 */
export function compileRoutes(definitions: readonly RouteDefinition[], credentials: readonly string[] = []): Router {
  const [problem] = findRouteProblems(definitions);
  if (problem !== undefined) throw new Error(`route ${problem.index + 1}: ${problem.why}`);
  const patterns = definitions.map((definition) => compilePattern(definition, credentials));
  const tables = new Map<string, RouteTable>();
  for (const method of new Set(['HEAD', ...patterns.map(({ route }) => route.method)]))
    tables.set(method, routeTable(patternsFor(method, patterns)));

  const match: Router['match'] = (method, path) => {
    const table = tables.get(method);
    if (table === undefined) return null;
    const asListed = table.asListed.get(path);
    if (asListed !== undefined) return asListed;
    const readings = readPath(path);
    const found = table.find(readings[0] as string);
    if (found === null) return null;
    for (let i = 1; i < readings.length; i++) if (table.find(readings[i] as string) !== found) return null;
    return { route: found.route, target: found.rewrite === null ? path : fill(found.rewrite, path) };
  };
  return { match, routes: patterns.map(({ route }) => route) };
}

interface Pattern {
  readonly route: CompiledRoute;
  /** null: any text but none. */
  readonly segments: readonly (string | null)[];
  readonly foldedSegments: readonly (string | null)[];
  readonly rewrite: readonly (string | number)[] | null;
}

/** The routes of one method. */
interface RouteTable {
  /** By pattern: the answer for a path that is spelled as its literal route is, ready to hand out. */
  readonly asListed: ReadonlyMap<string, RouteMatch>;
  /** The route of one reading; null: none, or another one for a backend that minds the spelling. */
  readonly find: (reading: string) => Pattern | null;
}

function compilePattern(definition: RouteDefinition, credentials: readonly string[]): Pattern {
  const { method, path, events, rewrite } = definition;
  const names = segmentsOf(path);
  const segments = names.map((segment) => (isParameter(segment) ? null : segment));
  const selector = events === undefined ? null : parseSelector(events);
  return {
    route: {
      method,
      pattern: path,
      selector,
      unnamed: definition.unnamed ?? 'disallow',
      query: new Set([...(definition.query ?? []), ...credentials].map(foldParameterName)),
      forms: definition.forms ?? false,
      rewrite: rewrite ?? null,
      backend: definition.backend ?? {},
    },
    segments,
    foldedSegments: segments.map((segment) => segment && foldPath(segment)),
    rewrite:
      rewrite === undefined
        ? null
        : segmentsOf(rewrite).map((segment) => (isParameter(segment) ? names.indexOf(segment) : segment)),
  };
}

/** A method's own routes, and for HEAD the GET routes (RFC 9110 9.3.2) that it does not list itself. */
function patternsFor(method: string, patterns: readonly Pattern[]): readonly Pattern[] {
  const own = patterns.filter(({ route }) => route.method === method);
  if (method !== 'HEAD') return own;
  const isOwn = (shape: string): boolean => own.some((pattern) => shapeOf(pattern) === shape);
  return [...own, ...patterns.filter((pattern) => pattern.route.method === 'GET' && !isOwn(shapeOf(pattern)))];
}

const shapeOf = ({ foldedSegments }: Pattern): string => JSON.stringify(foldedSegments);

function routeTable(patterns: readonly Pattern[]): RouteTable {
  const literals = patterns.filter(({ segments }) => !segments.includes(null));
  const byLength = new Map(patterns.map(({ segments }): [number, Pattern[]] => [segments.length, []]));
  for (const pattern of [...patterns].sort(bySpecificity)) byLength.get(pattern.segments.length)?.push(pattern);
  const find: RouteTable['find'] = (reading) => {
    const segments = segmentsOf(reading);
    const text = foldPath(reading);
    const folded = text === reading ? segments : segmentsOf(text);
    let found: Pattern | null = null;
    for (const pattern of byLength.get(segments.length) ?? []) {
      if (!fits(pattern.foldedSegments, folded)) continue;
      // In another spelling than listed, a backend that folds less may miss this route and take the next.
      if (found !== null) return null;
      if (fits(pattern.segments, segments)) return pattern;
      found = pattern;
    }
    return found;
  };
  const asListed = literals.map((pattern): [string, RouteMatch] => {
    const { route, rewrite } = pattern;
    return [route.pattern, { route, target: rewrite === null ? route.pattern : fill(rewrite, route.pattern) }];
  });
  return { asListed: new Map(asListed), find };
}

/** Literal segments before parameters, from the left: the order in which routers of every make agree. */
function bySpecificity(a: Pattern, b: Pattern): number {
  const parameterAt = (pattern: Pattern): string => pattern.segments.map((s) => (s === null ? '1' : '0')).join('');
  const [left, right] = [parameterAt(a), parameterAt(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function fits(pattern: readonly (string | null)[], segments: readonly string[]): boolean {
  for (let i = 0; i < pattern.length; i++) {
    const literal = pattern[i];
    if (literal === null ? segments[i] === '' : literal !== segments[i]) return false;
  }
  return true;
}

/** Parameters go upstream in the spelling received, so that nothing is decoded or encoded anew. */
function fill(rewrite: readonly (string | number)[], path: string): string {
  const received = segmentsOf(path);
  return rewrite.map((part) => `/${typeof part === 'string' ? part : (received[part] ?? '')}`).join('');
}
