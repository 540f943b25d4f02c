/**
 * The routes of one API, as all its callers used them, each with the keys that did. Only shows.
 */
import type { DayCounts } from './day-counts.ts';
import { readRouteValue } from './route-value.ts';
import { observedView, type Observed } from './view.ts';
import { unboundedCounts } from './store.ts';

/** A key by its id, or the callers without a known one by "". */
export interface CallerCounts {
  readonly name: string;
  readonly counts: DayCounts;
}

export type UsedRoute = Observed['routes'][number] & { readonly keys: readonly string[] };

export function routesOfApi(callers: readonly CallerCounts[], api: string): UsedRoute[] {
  const all = unboundedCounts();
  const users = new Map<string, Set<string>>();
  for (const { name, counts } of callers) {
    for (const [value, tally] of [...counts.routes.good, ...counts.routes.others]) {
      const route = readRouteValue(value);
      if (route?.api !== api) continue;
      all.addValue('routes', value, tally);
      const used = nameOf(route);
      users.set(used, (users.get(used) ?? new Set()).add(name));
    }
  }
  return observedView(all).routes.map((route) => ({ ...route, keys: [...(users.get(nameOf(route)) ?? [])] }));
}

const nameOf = ({ method, path }: { readonly method: string; readonly path: string }): string => `${method} ${path}`;
