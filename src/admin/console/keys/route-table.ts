/**
 * What a key may do in an API, as a table of methods by routes: which routes there are, which of them its list of routes names or
 * admits, and what its type leaves out. Compares patterns with patterns; requests are judged elsewhere.
 */
import type { KeyType, ListedApi } from '../api/types.ts';

export type Cell =
  /** The API lists no such route. */
  | { readonly kind: 'none' }
  /** The type of the key does not have the method. */
  | { readonly kind: 'barred' }
  /** `named`: by a line of its own; `admitted`: by that or another line. */
  | { readonly kind: 'route'; readonly line: string; readonly named: boolean; readonly admitted: boolean };

export interface RouteRow {
  readonly path: string;
  /** One for each of `methods`. */
  readonly cells: readonly Cell[];
}

export interface RouteTable {
  readonly methods: readonly string[];
  readonly rows: readonly RouteRow[];
}

const ORDER = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** The methods that keys of a type have. */
const METHODS: Readonly<Record<KeyType, readonly string[]>> = {
  'write-only': ['POST'],
  'read-only': ['GET', 'HEAD'],
  'read-write': ORDER,
  metrics: ['GET', 'HEAD', 'POST'],
};

/** `type` null: it is not known, and leaves nothing out. */
export function routeTable(
  { routes }: Pick<ListedApi, 'routes'>,
  allowed: 'all' | readonly string[],
  type: KeyType | null,
): RouteTable {
  const named = new Set(allowed === 'all' ? [] : allowed);
  const listed = new Map<string, Map<string, boolean>>();
  for (const { path, method, pages } of routes) listed.set(path, (listed.get(path) ?? new Map()).set(method, pages));
  const methods = ORDER.filter((method) => routes.some((route) => route.method === method));
  const cellAt = (path: string, method: string): Cell => {
    const pages = listed.get(path)?.get(method);
    if (pages === undefined) return { kind: 'none' };
    const mayRead = pages && (method === 'GET' || method === 'HEAD');
    if (type !== null && !METHODS[type].includes(method) && !mayRead) return { kind: 'barred' };
    const line = `${method} ${path}`;
    const admitted = allowed === 'all' || allowed.some((one) => admitsAll(one, method, path));
    return { kind: 'route', line, named: named.has(line), admitted };
  };
  return {
    methods,
    rows: [...listed.keys()].map((path) => ({ path, cells: methods.map((method) => cellAt(path, method)) })),
  };
}

/** Lines that stand for no route of these APIs. */
export function otherLines(apis: readonly Pick<ListedApi, 'routes'>[], allowed: readonly string[]): string[] {
  const known = new Set(apis.flatMap(({ routes }) => routes.map(({ method, path }) => `${method} ${path}`)));
  return allowed.filter((line) => !known.has(line));
}

/** Whether a line admits every path that a route of this method stands for. */
function admitsAll(line: string, method: string, route: string): boolean {
  const [own = '', pattern = ''] = line.split(/ +/);
  if (own !== '*' && own !== method && !(own === 'GET' && method === 'HEAD')) return false;
  const listed = segmentsOf(pattern);
  const asked = segmentsOf(route);
  const isOpen = listed.at(-1) === '**';
  const fixed = isOpen ? listed.slice(0, -1) : listed;
  if (isOpen ? asked.length <= fixed.length : asked.length !== fixed.length) return false;
  return fixed.every((segment, at) => {
    const other = asked[at] ?? '';
    return other !== '**' && (segment.startsWith(':') || segment === other.toLowerCase());
  });
}

const segmentsOf = (pattern: string): string[] =>
  pattern
    .replace(/\/$/, '')
    .split('/')
    .slice(1)
    .map((segment) => (segment.startsWith(':') ? ':' : segment.toLowerCase()));
