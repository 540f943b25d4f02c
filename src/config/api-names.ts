/** What protected APIs are called, and under which paths they are found. Loads nothing, so that every part of the program can afford it. */

/** The name of a protected API: one of those that postern.yaml lists under `apis`. Labels of metrics and lines of the log carry it. */
export type ApiName = string;

export const API_NAME = /^[a-z][a-z0-9-]{0,31}$/;

/** The API that has access tokens, a cache and its own place under `/metrics` without being asked. */
export const METRICS_API = 'metrics';

/** The APIs whose routes are those of `userflux` where they name none. */
export const USERFLUX_APIS: ReadonlySet<ApiName> = new Set(['integration', METRICS_API]);

/** The path prefixes of an API; `paths`: those that it writes itself, or null. */
export function pathsOf(name: ApiName, paths: readonly string[] | null): readonly string[] {
  return paths ?? (name === METRICS_API ? ['/metrics'] : ['/']);
}
