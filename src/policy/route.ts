/**
 * Step 3, the route: which listed route a request takes, whatever spelling of its path a backend would still accept.
 * It lists and matches; that a key limited to specific events may use listed routes alone is decided in scope.ts.
 */
import { parseSelector, type EventSelector } from '../event-filter/selector.ts';
import { normalizeTarget } from '../lib/path-normalization.ts';
import { foldPath, isPlainPath, readPath, withoutTrailingSlash } from '../lib/path-reading.ts';
import { foldParameterName } from '../lib/query.ts';

/** A route as an operator writes it. */
export interface RouteDefinition {
  readonly method: string;
  /** Segments are literal or `:name`, which stands for one whole segment. */
  readonly path: string;
  /** Where the body names its events; without it the route carries none. */
  readonly events?: string | undefined;
  /** What holds for batch items without an event name. */
  readonly unnamed?: 'allow' | 'disallow' | undefined;
  /** The query parameters that keys limited to specific events may send beside events. */
  readonly query?: readonly string[] | undefined;
  /** The backend takes forms, and reads no method from them. */
  readonly forms?: boolean | undefined;
  /** The path sent upstream; may use the parameters of `path`. */
  readonly rewrite?: string | undefined;
  /** What the backend reads besides what `events` says. Presets know it of their vendors; nobody writes it. */
  readonly backend?: BackendReading | undefined;
}

/** In which further ways a vendor's backend finds events in a request. */
export interface BackendReading {
  /** It reads a body that is not JSON as base64, passing over what is no base64. */
  readonly base64?: boolean;
  /** Members of a body's object from which it takes events in place of those that `events` names. */
  readonly containers?: readonly string[];
  /** It reads events where nobody looks: the route is none for keys limited to specific events. */
  readonly unseen?: boolean;
}

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

/** What is wrong with routes as written, for the operator; `index` is the route's place in the list. */
export function findRouteProblems(definitions: readonly RouteDefinition[]): readonly { index: number; why: string }[] {
  const shapes = new Map<string, RouteDefinition>();
  return definitions.flatMap((definition, index) => {
    const own = routeProblem(definition);
    if (own !== null) return [{ index, why: own }];
    const shape = `${definition.method} ${foldPath(definition.path).replace(/\/:[^/]+/g, '/:')}`;
    const earlier = shapes.get(shape);
    shapes.set(shape, definition);
    if (earlier === undefined) return [];
    return [{ index, why: `${definition.method} ${definition.path} matches the same paths as ${earlier.path}` }];
  });
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

/** Whether a path belongs to the metrics API in any of its readings: `/metrics`, and what is under it. */
export function isMetricsPath(path: string): boolean {
  if (isPlainPath(path)) return /^\/metrics(?:\/|$)/i.test(path);
  return readPath(path).some((reading) => {
    const folded = foldPath(reading);
    return folded === '/metrics' || folded.startsWith('/metrics/');
  });
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

function routeProblem({ method, path, events, rewrite }: RouteDefinition): string | null {
  if (!/^[A-Z][A-Z-]*$/.test(method)) return `method ${JSON.stringify(method)} is not in upper-case letters`;
  const why = pathProblem(path);
  if (why !== null) return `path ${JSON.stringify(path)} ${why}`;
  const names = parameterNames(path);
  if (new Set(names).size < names.length) return `path ${JSON.stringify(path)} names a parameter twice`;
  if (events !== undefined && parseSelector(events) === null) return `events ${JSON.stringify(events)} is no selector`;
  if (events !== undefined && (method === 'GET' || method === 'HEAD')) return `a ${method} request carries no events`;
  if (rewrite === undefined) return null;
  const rewriteWhy = pathProblem(rewrite);
  if (rewriteWhy !== null) return `rewrite ${JSON.stringify(rewrite)} ${rewriteWhy}`;
  const unknown = parameterNames(rewrite).find((name) => !names.includes(name));
  return unknown === undefined ? null : `rewrite ${JSON.stringify(rewrite)} uses :${unknown}, which path does not name`;
}

/** A pattern that no request's path could equal is a mistake: the literal parts must be what `normalizeTarget` lets through. */
function pathProblem(path: string): string | null {
  if (!path.startsWith('/')) return 'does not start with a slash';
  if (!/^[!-~]*$/.test(path) || path.includes('%')) return 'holds a character that is not plain visible ASCII';
  if (parameterNames(path).some((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))) return 'has a malformed :parameter';
  const target = normalizeTarget(path, NO_QUIRKS);
  if (!target.ok) return `is ambiguous: ${target.why}`;
  return target.value.query === '' ? null : 'holds a query';
}

const NO_QUIRKS: ReadonlySet<never> = new Set<never>();

const segmentsOf = (path: string): string[] => withoutTrailingSlash(path).split('/').slice(1);

const isParameter = (segment: string): boolean => segment.startsWith(':');

const parameterNames = (path: string): string[] =>
  segmentsOf(path)
    .filter(isParameter)
    .map((segment) => segment.slice(1));

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
