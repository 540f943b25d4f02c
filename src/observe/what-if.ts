/**
 * What a key would have refused of the good traffic that was observed, dimension by dimension. Every verdict is that of the check
 * that requests meet.
 */
import { keyState } from '../keys/snapshot.ts';
import { isConfinedToMethods } from '../policy/scope.ts';
import type { Refusal } from '../refusal.ts';
import { addressText } from './address-value.ts';
import type { DayCounts, Kind, Obstacle } from './day-counts.ts';
import { judgeAddress, judgeOrigin, judgeRoute, type Judge } from './replay.ts';
import { readRouteValue } from './route-value.ts';
import type { Tally } from './tallies.ts';
import { timeOf } from './view.ts';

export interface WouldRefuse {
  /** The code of the refusal. */
  readonly reason: string;
  /** The address, route, event or origin, or what the requests had in common. */
  readonly what: string;
  /** Good ones. */
  readonly requests: number;
  readonly lastSeen: string;
}

export interface WhatIf {
  /** Good ones that were observed. */
  readonly requests: number;
  readonly wouldRefuse: readonly WouldRefuse[];
}

/** `judge.key` is the key as it would be at `now`, in milliseconds since the epoch. */
export function whatIf(counts: DayCounts, judge: Judge, now: number): WhatIf {
  const { key } = judge;
  const state = keyState(key, now);
  if (state !== 'active') return { requests: counts.good, wouldRefuse: everything(counts, state) };
  const wouldRefuse = [
    ...ofKind(counts, 'addresses', addressText, (value) => judgeAddress(judge, value)),
    ...ofKind(counts, 'routes', routeText, (value) => {
      const route = readRouteValue(value);
      return route === null ? null : judgeRoute(judge, route);
    }),
    ...ofKind(counts, 'origins', originText, (origin) => judgeOrigin(judge, origin)),
    ...ofKind(counts, 'events', String, (name) =>
      key.allowedEvents === null || key.allowedEvents.has(name) ? null : { reason: 'event_not_allowed' },
    ),
    ...(isConfinedToMethods(key) ? ofObstacle(counts, 'forms', 'unsupported_media_type', FORMS) : []),
    ...(key.allowedEvents === null ? [] : ofObstacle(counts, 'unreadable_events', 'invalid_event_body', UNREADABLE)),
    ...overTheRate(counts, judge),
  ];
  return { requests: counts.good, wouldRefuse };
}

const FORMS = 'forms, and queries with a _method';
const UNREADABLE = 'bodies whose events could not be judged';

type Verdict = Pick<Refusal, 'reason'> | null;

/** The good things of a kind that are refused, what is used most first. */
function ofKind(
  counts: DayCounts,
  kind: Kind,
  textOf: (value: string) => string,
  judge: (value: string) => Verdict,
): WouldRefuse[] {
  const refused: WouldRefuse[] = [];
  for (const [value, tally] of counts[kind].good) {
    const verdict = judge(value);
    if (verdict !== null) refused.push(entryOf(verdict.reason, textOf(value), tally.good, tally));
  }
  return refused.toSorted((a, b) => b.requests - a.requests || (a.what < b.what ? -1 : Number(a.what > b.what)));
}

function routeText(value: string): string {
  const route = readRouteValue(value);
  return route === null ? value : `${route.method} ${route.path}`;
}

const originText = (origin: string): string => (origin === '' ? 'pages that name no origin' : origin);

function ofObstacle(counts: DayCounts, obstacle: Obstacle, reason: string, what: string): WouldRefuse[] {
  const tally = counts.obstacles.get(obstacle);
  return tally === undefined ? [] : [entryOf(reason, what, tally.requests, tally)];
}

/** By the busiest second and minute: how the requests of another window were spread is not known. */
function overTheRate(counts: DayCounts, { key: { rateLimit } }: Judge): WouldRefuse[] {
  if (rateLimit === null) return [];
  const { perSecond, perMinute } = counts.peaks;
  const { requests, windowSeconds } = rateLimit;
  const [peak, window] = windowSeconds < 60 && perSecond > requests ? [perSecond, 'second'] : [perMinute, 'minute'];
  const most = window === 'minute' ? requests * Math.max(1, 60 / windowSeconds) : requests;
  if (peak <= most) return [];
  const what = `${peak} requests in one ${window}`;
  // Which of them were good is not known; no more than there were.
  const refused = Math.min(counts.good, Math.ceil(peak - most));
  return refused === 0 ? [] : [{ reason: 'rate_limited', what, requests: refused, lastSeen: timeOf(counts.lastSeen) }];
}

const everything = (counts: DayCounts, reason: string): WouldRefuse[] =>
  counts.good === 0
    ? []
    : [
        {
          reason,
          what: 'every request',
          requests: counts.good,
          lastSeen: timeOf(counts.lastSeen),
        },
      ];

const entryOf = (reason: string, what: string, requests: number, { lastSeen }: Tally): WouldRefuse => ({
  reason,
  what,
  requests,
  lastSeen: timeOf(lastSeen),
});
