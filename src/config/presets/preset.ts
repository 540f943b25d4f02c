/**
 * What a preset says of a vendor: the routes of its backend, and how its clients ask. Facts, taken from what the vendor's own clients
 * send and, where it is public, from what its server reads. It decides nothing.
 */
import type { RouteDefinition } from '../route-definition.ts';

export interface Preset {
  /**
   * A route is listed without `events` only if its backend reads no event there, whatever the body says: a key limited to specific
   * events may use it unseen. Keys that are not limited may use every route, listed or not. A parameter that can hold events is in
   * no `query`.
   */
  readonly routes: readonly RouteDefinition[];
  /** Where the vendor's clients put the key, as in `credential`, beside `bearer`. */
  readonly credential: readonly string[];
  /** Header fields that its client in a page sends, and that a browser asks about. In lower case. */
  readonly headers: readonly string[];
  /** Whether its client in a page sends cookies along, and then has to read the answer. */
  readonly sendsCookies: boolean;
  /** Whether its clients look for an HTTP status, as a number, under `code` of an answer. */
  readonly readsStatusInCode: boolean;
  /** The packages and versions that this was taken from. */
  readonly clients: Readonly<Record<string, string>>;
}

/** What holds of a route beside its method, its path and its events. */
export type Rest = Omit<RouteDefinition, 'method' | 'path' | 'events'>;

export const post = (path: string, events?: RouteDefinition['events'], rest: Rest = {}): RouteDefinition => ({
  ...rest,
  method: 'POST',
  path,
  events,
});

export const get = (path: string, rest: Rest = {}): RouteDefinition => ({ ...rest, method: 'GET', path });

/** What everybody may read who knows the key that stands in its path: who reads the page does. */
export const KEY_IN_PATH: Rest = { public: true, backend: { keyInPath: true } };

/** What some backend takes for a container of events. No client of these vendors sends two of them. */
export const CONTAINERS: readonly string[] = ['batch', 'events', 'data'];
