/**
 * What the observations say of each field of a key by itself: the narrowest value that refuses nothing good, with what it rests on,
 * or why there is none.
 */
import { allowedRouteProblem, LISTED_METHODS } from '../keys/allowed-routes.ts';
import type { Key, KeyType, RateLimit } from '../keys/key.ts';
import { shapeOf } from '../lib/path-pattern.ts';
import type { Ruleset } from '../policy/ruleset.ts';
import { isConfinedToMethods } from '../policy/scope.ts';
import { UNKNOWN_ADDRESS } from './address-value.ts';
import { suggestAddresses } from './address-suggestion.ts';
import type { DayCounts } from './day-counts.ts';
import { judgeRoute } from './replay.ts';
import { readRouteValue, type ObservedRoute } from './route-value.ts';
import { join, type Tally } from './tallies.ts';
import { timeOf } from './view.ts';

/** Something that was seen in good requests. */
export interface Because {
  readonly value: string;
  readonly requests: number;
  readonly lastSeen: string;
}

/**
 * Why a field is not suggested: nothing of it was seen, not all of it could be kept, an address could not be known, requests went to
 * routes that no API lists, events could not be judged, forms came that only a key for every method may send, no list of origins can
 * be said beside it, or what was seen cannot be written down.
 */
export type WhyNot =
  | 'nothing_seen'
  | 'truncated'
  | 'unknown_address'
  | 'unlisted_routes'
  | 'unreadable_events'
  | 'forms'
  | 'origins_unknown'
  | 'not_expressible';

export type Proposal<T> = { readonly value: T; readonly because: readonly Because[] } | { readonly whyNot: WhyNot };

/** How candidates are judged. */
export interface Judged {
  readonly rules: Pick<Ruleset, 'apis' | 'keys'>;
  /** The key as it is but for these fields; null: they cannot be written. */
  readonly keyWith: (fields: object) => Key | null;
}

/** From the narrowest on. */
const TYPES = ['write-only', 'read-only', 'read-write'] as const;

/** Of the types that routes of any API are for. */
export function narrowestType(counts: DayCounts, judged: Judged): Proposal<KeyType> {
  const routes = goodRoutes(counts);
  if (counts.routes.truncated > 0) return { whyNot: 'truncated' };
  if (routes.length === 0) return { whyNot: 'nothing_seen' };
  const methods = new Map<string, Tally>();
  for (const { route, tally } of routes) addTo(methods, route.method, tally);
  const fits = (type: KeyType): boolean => {
    const key = judged.keyWith({ type, allowedRoutes: 'all', allowedEvents: 'all' });
    if (key === null || (counts.obstacles.has('forms') && isConfinedToMethods(key))) return false;
    return routes.every(
      ({ route }) => judgeRoute({ key, rules: judged.rules }, route)?.reason !== 'method_not_allowed',
    );
  };
  return { value: TYPES.find(fits) ?? 'read-write', because: becauseOf(methods) };
}

export function proposeRoutes(counts: DayCounts): Proposal<readonly string[]> {
  if (counts.routes.truncated > 0) return { whyNot: 'truncated' };
  if (counts.obstacles.has('forms')) return { whyNot: 'forms' };
  const lines = new Map<string, { line: string; tally: Tally }>();
  for (const { route, tally } of goodRoutes(counts)) {
    // No key may use any other method: what such a request did cannot be allowed.
    if (!LISTED_METHODS.includes(route.method)) continue;
    const line = `${route.method} ${route.path}`;
    if (allowedRouteProblem(line) !== null) return { whyNot: 'not_expressible' };
    const shape = `${route.method} ${shapeOf(route.path)}`;
    const known = lines.get(shape);
    if (known === undefined) lines.set(shape, { line, tally: { ...tally } });
    else join(known.tally, tally);
  }
  return listed([...lines.values()].map(({ line, tally }) => [line, tally]));
}

export function proposeAddresses(counts: DayCounts): Proposal<readonly string[]> {
  const { good, truncated } = counts.addresses;
  if (truncated > 0) return { whyNot: 'truncated' };
  if (good.has(UNKNOWN_ADDRESS)) return { whyNot: 'unknown_address' };
  return listed(suggestAddresses(good).map(({ value, tally }) => [value, tally]));
}

/** Limiting a key to events also limits it to listed routes, and to bodies that can be judged. */
export function proposeEvents(counts: DayCounts, type: KeyType, judged: Judged): Proposal<readonly string[]> {
  const { good, truncated } = counts.events;
  if (truncated > 0) return { whyNot: 'truncated' };
  if (counts.obstacles.has('unreadable_events')) return { whyNot: 'unreadable_events' };
  if (counts.obstacles.has('forms')) return { whyNot: 'forms' };
  if (good.size === 0) return { whyNot: 'nothing_seen' };
  if (counts.routes.truncated > 0) return { whyNot: 'unlisted_routes' };
  const key = judged.keyWith({ type, allowedRoutes: 'all', allowedEvents: [] });
  if (key === null) return { whyNot: 'not_expressible' };
  const isRefused = ({ route }: GoodRoute): boolean =>
    judgeRoute({ key, rules: judged.rules }, route)?.reason === 'route_not_allowed';
  return goodRoutes(counts).some(isRefused) ? { whyNot: 'unlisted_routes' } : listed([...good]);
}

/** Where no page was seen, no origin is admitted. */
export function proposeOrigins(counts: DayCounts): Proposal<readonly string[]> {
  const { good, truncated } = counts.origins;
  if (truncated > 0) return { whyNot: 'truncated' };
  if (counts.good === 0) return { whyNot: 'nothing_seen' };
  const because = becauseOf(good);
  return { value: because.map(({ value }) => value).filter((origin) => origin !== ''), because };
}

/** Twice the busiest minute: a minute that begins in the midst of another one may hold as much as both. */
export function proposeRate(counts: DayCounts): Proposal<RateLimit> {
  const { perMinute } = counts.peaks;
  if (perMinute === 0) return { whyNot: 'nothing_seen' };
  return {
    value: { requests: 2 * perMinute, windowSeconds: 60 },
    because: [
      { value: 'requests in the busiest minute', requests: perMinute, lastSeen: timeOf(goodSpan(counts).lastSeen) },
    ],
  };
}

/** When the first and the last request came from where good ones come. Strangers make no time pass. */
export function goodSpan(counts: DayCounts): Pick<Tally, 'firstSeen' | 'lastSeen'> {
  const tallies = [...counts.addresses.good.values()];
  // There was no room for a single address.
  if (tallies.length === 0) return counts;
  return {
    firstSeen: Math.min(...tallies.map(({ firstSeen }) => firstSeen)),
    lastSeen: Math.max(...tallies.map(({ lastSeen }) => lastSeen)),
  };
}

interface GoodRoute {
  readonly route: ObservedRoute;
  readonly tally: Tally;
}

const goodRoutes = (counts: DayCounts): GoodRoute[] =>
  [...counts.routes.good].flatMap(([value, tally]) => {
    const route = readRouteValue(value);
    return route === null ? [] : [{ route, tally }];
  });

/** A list of what was seen, what is used most first. */
function listed(entries: readonly (readonly [string, Tally])[]): Proposal<readonly string[]> {
  if (entries.length === 0) return { whyNot: 'nothing_seen' };
  const because = becauseOf(entries);
  return { value: because.map(({ value }) => value), because };
}

const becauseOf = (entries: Iterable<readonly [string, Tally]>): Because[] =>
  [...entries]
    .map(([value, { good, lastSeen }]) => ({ value, requests: good, lastSeen: timeOf(lastSeen) }))
    .toSorted((a, b) => b.requests - a.requests || (a.value < b.value ? -1 : Number(a.value > b.value)));

function addTo(tallies: Map<string, Tally>, name: string, tally: Tally): void {
  const known = tallies.get(name);
  if (known === undefined) tallies.set(name, { ...tally });
  else join(known, tally);
}
