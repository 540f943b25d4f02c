/**
 * The routes of one API, as all its callers used them, each with the keys that did. Of a caller it keeps nothing else. Only shows.
 */
import type { DayCounts } from './day-counts.ts';
import { readRouteValue } from './route-value.ts';
import { observedView, type Observed } from './view.ts';
import { unboundedCounts } from './store.ts';

export type UsedRoute = Observed['routes'][number] & { readonly keys: readonly string[] };

export interface ApiRoutes {
  /** Adds what a caller did: a key by its id, or those without a known one by "". */
  readonly add: (name: string, counts: DayCounts) => void;
  /** Of all that were added, what is used most first. */
  readonly shown: () => UsedRoute[];
}

export function createApiRoutes(api: string): ApiRoutes {
  const all = unboundedCounts();
  const users = new Map<string, Set<string>>();
  return {
    add(name, counts) {
      for (const [value, tally] of [...counts.routes.good, ...counts.routes.others]) {
        const route = readRouteValue(value);
        if (route?.api !== api) continue;
        all.addValue('routes', value, tally);
        const used = nameOf(route);
        users.set(used, (users.get(used) ?? new Set()).add(name));
      }
    },
    shown: () => observedView(all).routes.map((route) => ({ ...route, keys: [...(users.get(nameOf(route)) ?? [])] })),
  };
}

const nameOf = ({ method, path }: { readonly method: string; readonly path: string }): string => `${method} ${path}`;
