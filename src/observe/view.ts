/**
 * Counts as they are shown: sorted, with times as text, addresses as operators write them and routes in their parts. Only shows.
 */
import { addressText } from './address-value.ts';
import type { DayCounts, Kind } from './day-counts.ts';
import { readRouteValue, routeValue, type ObservedRoute } from './route-value.ts';
import { join, type Tally } from './tallies.ts';

/** How often a thing was seen, with times in RFC 3339. */
export interface ShownTally {
  readonly requests: number;
  readonly good: number;
  readonly firstSeen: string;
  readonly lastSeen: string;
}

export interface ShownRefusal {
  readonly reason: string;
  readonly requests: number;
  readonly lastSeen: string;
}

/** What a caller did. */
export interface Observed {
  /** When the first request was seen, and the last; null: none was. */
  readonly since: string | null;
  readonly until: string | null;
  readonly requests: number;
  readonly good: number;
  readonly addresses: readonly ({ readonly address: string } & ShownTally)[];
  readonly routes: readonly (ObservedRoute & ShownTally)[];
  readonly events: readonly ({ readonly name: string } & ShownTally)[];
  readonly origins: readonly ({ readonly origin: string } & ShownTally)[];
  readonly refused: readonly ShownRefusal[];
  readonly peak: { readonly perSecond: number; readonly perMinute: number };
  /** How often something good found no room. */
  readonly truncated: Readonly<Record<Kind, number>>;
  /** Good requests that a stricter key could not have sent, whatever their names. */
  readonly obstacles: readonly ShownRefusal[];
}

export function observedView(counts: DayCounts): Observed {
  const { requests, good, addresses, routes, events, origins, peaks } = counts;
  return {
    since: requests === 0 ? null : timeOf(counts.firstSeen),
    until: requests === 0 ? null : timeOf(counts.lastSeen),
    requests,
    good,
    addresses: sorted(valuesOf(addresses)).map(([value, tally]) => ({ address: addressText(value), ...shown(tally) })),
    routes: sorted(joinedRoutes(valuesOf(routes))).flatMap(([value, tally]) => {
      const route = readRouteValue(value);
      return route === null ? [] : [{ ...route, ...shown(tally) }];
    }),
    events: sorted(valuesOf(events)).map(([name, tally]) => ({ name, ...shown(tally) })),
    // '' stands for pages that name no origin.
    origins: sorted(valuesOf(origins)).flatMap(([origin, tally]) =>
      origin === '' ? [] : [{ origin, ...shown(tally) }],
    ),
    refused: reasonsOf(counts.refused),
    peak: { perSecond: peaks.perSecond, perMinute: peaks.perMinute },
    truncated: {
      addresses: addresses.truncated,
      routes: routes.truncated,
      events: events.truncated,
      origins: origins.truncated,
    },
    obstacles: reasonsOf(counts.obstacles),
  };
}

type Entry = [value: string, tally: Tally];

const valuesOf = ({ good, others }: DayCounts[Kind]): Entry[] => [...good, ...others];

/** What is used most comes first; of equals, in the order of their text. */
const sorted = (entries: readonly Entry[]): Entry[] =>
  entries.toSorted(
    ([a, one], [b, other]) => other.good - one.good || other.requests - one.requests || (a < b ? -1 : Number(a > b)),
  );

/** A route that was listed on one day and not on another is one route, and listed if it was so last. */
function joinedRoutes(entries: readonly Entry[]): Entry[] {
  const found = new Map<string, { route: ObservedRoute; tally: Tally }>();
  for (const [value, tally] of entries) {
    const route = readRouteValue(value);
    if (route === null) continue;
    const name = routeValue({ ...route, listed: false });
    const known = found.get(name);
    if (known === undefined) found.set(name, { route, tally: { ...tally } });
    else {
      if (tally.lastSeen > known.tally.lastSeen) known.route = route;
      join(known.tally, tally);
    }
  }
  return [...found.values()].map(({ route, tally }) => [routeValue(route), tally]);
}

export const timeOf = (at: number): string => new Date(at).toISOString();

const shown = ({ requests, good, firstSeen, lastSeen }: Tally): ShownTally => ({
  requests,
  good,
  firstSeen: timeOf(firstSeen),
  lastSeen: timeOf(lastSeen),
});

const reasonsOf = (map: ReadonlyMap<string, Tally>): ShownRefusal[] =>
  sorted([...map]).map(([reason, { requests, lastSeen }]) => ({ reason, requests, lastSeen: timeOf(lastSeen) }));
