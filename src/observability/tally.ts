/**
 * What is counted of the requests of one stretch of time: all of them, and of those that were refused why, by which key, from which
 * address, for which path and event. Bounded: whatever a client can invent is counted by `lib/frequent.ts`. Knows no clock.
 */
import { ownText } from '../lib/own-text.ts';
import type { Mode } from '../keys/key.ts';
import { countValue, createFrequent, mergeFrequent, type Frequent } from '../lib/frequent.ts';
import { upstreamErrorIn, type Outcome, type Rejection, type UpstreamErrorKind } from './outcome.ts';

/** What a list of the most refused is made of. */
export const DIMENSIONS = ['reasons', 'keys', 'addresses', 'paths', 'events'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export interface Refused extends Readonly<Record<Dimension, Frequent>> {
  total: number;
}

export interface Tally {
  requests: number;
  /** By key; "" for callers that no key recognised. */
  readonly requestsByKey: Frequent;
  readonly enforce: Refused;
  readonly report: Refused;
  readonly upstreamErrors: Map<UpstreamErrorKind, number>;
  /** Events that were cut out of bodies, by key. */
  readonly removedEvents: Frequent;
}

/** More than there are reasons. */
const REASONS = 64;
/** Keys are no client's invention, but there may be ten thousand. */
const KEYS = 256;
const INVENTED = 64;

const createRefused = (): Refused => ({
  total: 0,
  reasons: createFrequent(REASONS),
  keys: createFrequent(KEYS),
  addresses: createFrequent(INVENTED, ownText),
  paths: createFrequent(INVENTED, ownText),
  events: createFrequent(INVENTED, ownText),
});

export const createTally = (): Tally => ({
  requests: 0,
  requestsByKey: createFrequent(KEYS),
  enforce: createRefused(),
  report: createRefused(),
  upstreamErrors: new Map(),
  removedEvents: createFrequent(KEYS),
});

/** `rejection`: what is listed of the request if it was refused, or would have been. */
export function countOutcome(tally: Tally, outcome: Outcome, rejection: Rejection | null): void {
  tally.requests++;
  countValue(tally.requestsByKey, outcome.keyId, '', outcome.now);
  if (rejection !== null) countRejection(tally[rejection.mode], rejection, outcome.now);
  if (outcome.removedEvents > 0) countRemoved(tally, outcome, rejection);
  const error = upstreamErrorIn(outcome);
  if (error !== null) tally.upstreamErrors.set(error, (tally.upstreamErrors.get(error) ?? 0) + 1);
}

/** In report mode nothing was cut. Names of a request that was refused besides are counted with it. */
function countRemoved(tally: Tally, outcome: Outcome, rejection: Rejection | null): void {
  if (outcome.wouldReject !== null) return;
  countValue(tally.removedEvents, outcome.keyId, '', outcome.now, outcome.removedEvents);
  if (rejection === null)
    for (const event of outcome.events) countValue(tally.enforce.events, event, 'event_not_allowed', outcome.now);
}

function countRejection(refused: Refused, rejection: Rejection, now: number): void {
  const { reason, keyId, clientIp, path, events } = rejection;
  refused.total++;
  countValue(refused.reasons, reason, '', now);
  countValue(refused.keys, keyId, reason, now);
  if (clientIp !== '') countValue(refused.addresses, clientIp, reason, now);
  if (path !== '') countValue(refused.paths, path, reason, now);
  if (events !== undefined) for (const event of events) countValue(refused.events, event, reason, now);
}

export function mergeTally(into: Tally, from: Tally): void {
  into.requests += from.requests;
  mergeFrequent(into.requestsByKey, from.requestsByKey);
  for (const mode of ['enforce', 'report'] satisfies Mode[]) {
    into[mode].total += from[mode].total;
    for (const dimension of DIMENSIONS) mergeFrequent(into[mode][dimension], from[mode][dimension]);
  }
  for (const [kind, count] of from.upstreamErrors)
    into.upstreamErrors.set(kind, (into.upstreamErrors.get(kind) ?? 0) + count);
  mergeFrequent(into.removedEvents, from.removedEvents);
}
