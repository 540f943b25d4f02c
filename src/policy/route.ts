/**
 * The route rung: which listed route a request takes, whatever spelling of its path a backend would still accept.
 * It lists and matches; that a key limited to specific events may use listed routes alone is decided in scope.ts.
 */
import { eventPlaces, type BackendReading, type EventPlaces } from '../config/event-definition.ts';
import type { RouteDefinition } from '../config/route-definition.ts';
import type { EnvelopeRule } from '../event-filter/envelope.ts';
import { formRule } from '../event-filter/form.ts';
import {
  compilePathTable,
  endsOpen,
  fitsClosely,
  isParameter,
  parsePattern,
  shapeOf,
  type PathPattern,
  type PathTable,
} from '../lib/path-pattern.ts';
import { readPath, segmentsOf } from '../lib/path-reading.ts';
import { listParameters, type ListedParameters } from '../lib/query.ts';

export interface CompiledRoute {
  readonly method: string;
  readonly pattern: string;
  /**
   * Whether the route may grant anything: false for a path in a spelling beyond letter case (`ſ`, `é`), which a backend that
   * minds it takes for another path. What the route demands holds for it all the same.
   */
  readonly isSure: boolean;
  /** Where its requests carry events; null: they carry none. */
  readonly events: EventPlaces | null;
  /** What the query may hold beside events, credentials included. */
  readonly query: ListedParameters;
  readonly forms: boolean;
  /** In which forms a body may come that is looked into. */
  readonly envelope: EnvelopeRule;
  readonly rewrite: string | null;
  readonly backend: BackendReading;
  /** Needs no credential. */
  readonly isPublic: boolean;
  /** May be read with a write-only key. */
  readonly pages: boolean;
  /** How long answers are kept, in milliseconds; null: not at all. */
  readonly cacheMs: number | null;
  /** These four hold in place of the API's; null: the API's. */
  readonly maxBodyBytes: number | null;
  readonly timeoutMs: number | null;
  readonly idleTimeoutMs: number | null;
  /** An origin, or the address of a socket, as the API's `upstream` is. */
  readonly upstream: string | null;
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
  /** In the path of some route stands a key. */
  readonly hasKeyInPath: boolean;
}

/**
 * Compiles routes in which `findRouteProblems` finds nothing. `credentials`: query parameters in which the API looks for credentials,
 * so that every route may have them. `inBody`: members of a body's object in which it does. No form may have either.
 */
export function compileRoutes(
  definitions: readonly RouteDefinition[],
  credentials: readonly string[] = [],
  inBody: readonly string[] = [],
): Router {
  // There may be thousands, and most list no parameter of their own.
  const credentialsAlone = listParameters(credentials);
  const entries = definitions.map((definition) => {
    const { query = [] } = definition;
    const listed = query.length === 0 ? credentialsAlone : listParameters([...query, ...credentials]);
    return compileEntry(definition, listed, [...credentials, ...inBody]);
  });
  const tables = new Map<string, RouteTable>();
  for (const method of new Set(['HEAD', ...entries.map(({ route }) => route.method)]))
    tables.set(method, routeTable(entriesFor(method, entries)));

  const match: Router['match'] = (method, path) => {
    const table = tables.get(method);
    if (table === undefined) return null;
    const asListed = table.asListed.get(path);
    if (asListed !== undefined) return asListed;
    const readings = readPath(path);
    const found = table.paths.find(readings[0] as string);
    if (found === null) return null;
    for (let i = 1; i < readings.length; i++) if (table.paths.find(readings[i] as string) !== found) return null;
    return {
      route: readings.every((reading) => fitsClosely(found.pattern, reading)) ? found.route : looseOf(found),
      target: found.rewrite === null ? path : fill(found.rewrite, path),
    };
  };
  const hasKeyInPath = entries.some(({ route }) => route.backend.keyInPath === true);
  return { match, routes: entries.map(({ route }) => route), hasKeyInPath };
}

interface Entry {
  readonly pattern: PathPattern;
  readonly route: CompiledRoute;
  /**
   * The same for a path that only some backends take for this route: it demands what the route does, and grants nothing. Made when
   * there is such a path.
   */
  loose: CompiledRoute | null;
  /** Literal segments, places of the received ones, and `**` for those from a place on. */
  readonly rewrite: readonly (string | number | { readonly from: number })[] | null;
}

/** The routes of one method. */
interface RouteTable {
  /** By pattern: the answer for a path that is spelled as its literal route is, ready to hand out. */
  readonly asListed: ReadonlyMap<string, RouteMatch>;
  readonly paths: PathTable<Entry>;
}

/** The limits and the upstream of a route are those of what is at its path, which need not be what this path leads to. */
const NOTHING_GRANTED = {
  isSure: false,
  forms: false,
  envelope: { form: null, gzip: false },
  isPublic: false,
  pages: false,
  cacheMs: null,
  maxBodyBytes: null,
  timeoutMs: null,
  idleTimeoutMs: null,
  upstream: null,
} as const satisfies Partial<CompiledRoute>;

function compileEntry(definition: RouteDefinition, query: ListedParameters, credentials: readonly string[]): Entry {
  const { form, rewrite } = definition;
  const events = eventPlaces(definition);
  const route: CompiledRoute = {
    method: definition.method,
    pattern: definition.path,
    isSure: true,
    events,
    query,
    forms: definition.forms ?? false,
    envelope: {
      form: form === undefined ? null : formRule(form, events === null ? null : query, credentials),
      gzip: definition.gzip ?? false,
    },
    rewrite: rewrite ?? null,
    backend: definition.backend ?? {},
    isPublic: definition.public ?? false,
    pages: definition.pages ?? false,
    cacheMs: scaled(definition.cacheMinutes, 60_000),
    maxBodyBytes: definition.maxBodyBytes ?? null,
    timeoutMs: scaled(definition.timeoutSeconds, 1000),
    idleTimeoutMs: scaled(definition.idleTimeoutSeconds, 1000),
    upstream: definition.upstream ?? null,
  };
  return {
    pattern: parsePattern(definition.path),
    route,
    loose: null,
    rewrite: rewrite === undefined ? null : compileRewrite(rewrite, definition.path),
  };
}

const looseOf = (entry: Entry): CompiledRoute => (entry.loose ??= { ...entry.route, ...NOTHING_GRANTED });

const scaled = (value: number | null | undefined, factor: number): number | null =>
  value === null || value === undefined ? null : Math.round(value * factor);

function compileRewrite(rewrite: string, path: string): NonNullable<Entry['rewrite']> {
  const names = segmentsOf(path);
  const isOpen = endsOpen(rewrite);
  return segmentsOf(rewrite).map((segment, index, all) => {
    if (isOpen && index === all.length - 1) return { from: names.length - 1 };
    return isParameter(segment) ? names.indexOf(segment) : segment;
  });
}

/** A method's own routes, and for HEAD the GET routes (RFC 9110 9.3.2) that it does not list itself. */
function entriesFor(method: string, entries: readonly Entry[]): readonly Entry[] {
  const own = entries.filter(({ route }) => route.method === method);
  if (method !== 'HEAD') return own;
  const reading = entries.filter(({ route }) => route.method === 'GET');
  if (own.length === 0) return reading;
  const shapes = new Set(own.map(({ route }) => shapeOf(route.pattern)));
  return [...own, ...reading.filter(({ route }) => !shapes.has(shapeOf(route.pattern)))];
}

function routeTable(entries: readonly Entry[]): RouteTable {
  const literals = entries.filter(({ pattern }) => !pattern.rest && !pattern.segments.includes(null));
  const asListed = literals.map(({ route, rewrite }): [string, RouteMatch] => [
    route.pattern,
    { route, target: rewrite === null ? route.pattern : fill(rewrite, route.pattern) },
  ]);
  return { asListed: new Map(asListed), paths: compilePathTable(entries) };
}

/** Parameters go upstream in the spelling received, so that nothing is decoded or encoded anew. */
function fill(rewrite: NonNullable<Entry['rewrite']>, path: string): string {
  const received = segmentsOf(path);
  return rewrite
    .map((part) => {
      if (typeof part === 'string') return `/${part}`;
      if (typeof part === 'number') return `/${received[part] ?? ''}`;
      return `/${received.slice(part.from).join('/')}${path.endsWith('/') ? '/' : ''}`;
    })
    .join('');
}
