/**
 * Which fields of one route cannot stand together, because one of them would mean nothing: better said than passed over. That a
 * list of routes is usable is said in route-definition.ts.
 */

/** The fields that are asked about, as parsed: with their defaults filled in. */
export interface RouteFields {
  readonly method: string;
  readonly events?: unknown;
  readonly public: boolean;
  readonly pages: boolean;
  readonly cacheMinutes: number | null;
  readonly maxBodyBytes: number | null;
}

interface Conflict {
  readonly field: keyof RouteFields;
  readonly stands: (route: RouteFields) => boolean;
  readonly why: string;
}

const isRead = ({ method }: RouteFields): boolean => method === 'GET' || method === 'HEAD';
const hasEvents = ({ events }: RouteFields): boolean => events !== undefined;

const CONFLICTS: readonly Conflict[] = [
  {
    field: 'public',
    stands: (route) => route.public && hasEvents(route),
    why: 'means nothing on a route with `events`: which events are allowed is said by keys; remove one of them',
  },
  {
    field: 'pages',
    stands: (route) => route.pages && route.public,
    why: 'means nothing on a public route, which needs no key at all; remove it',
  },
  {
    field: 'pages',
    stands: (route) => route.pages && !route.public && !isRead(route),
    why: 'is for GET and HEAD: write-only keys may POST anyway, and nothing else',
  },
  {
    field: 'cacheMinutes',
    stands: (route) => route.cacheMinutes !== null && route.method !== 'GET' && route.method !== 'POST',
    why: 'is for GET, whose answers HEAD gets too, and POST',
  },
  {
    field: 'cacheMinutes',
    stands: (route) => route.cacheMinutes !== null && hasEvents(route),
    why: 'cannot stand on a route with `events`: events that are sent again would not reach the backend',
  },
  {
    field: 'maxBodyBytes',
    stands: (route) => route.maxBodyBytes !== null && isRead(route),
    why: 'means nothing for a method without a body',
  },
];

/** What cannot stand in this route, by field. */
export function routeConflicts(route: RouteFields): readonly { readonly field: string; readonly why: string }[] {
  return CONFLICTS.filter(({ stands }) => stands(route));
}
