/**
 * What time makes of a kept answer: how old it is, how long it is fresh yet, and how it is told to a client (RFC 9111 4.2, RFC 9211).
 * Times are milliseconds since the epoch, lengths of time milliseconds. Reads no clock.
 */
import type { CacheVerdict } from './query.ts';
import type { Answer, AnswerEntry } from './store.ts';

/** An entry from later than this is not fresh but wrong: a clock went back, or another replica's is ahead. */
const MAX_STORED_AHEAD_MS = 5000;

/** RFC 9111 4.2.3, in whole seconds. */
export function ageOf(entry: AnswerEntry, now: number): number {
  return entry.initialAge + Math.max(0, Math.floor((now - entry.storedAt) / 1000));
}

export const isFromLater = (entry: AnswerEntry, now: number): boolean => entry.storedAt > now + MAX_STORED_AHEAD_MS;

/** How long it is fresh yet; 0 or less: no more. `freshMs`: what holds now, which may have become shorter since. */
export const freshFor = (entry: AnswerEntry, freshMs: number, now: number): number =>
  entry.storedAt + Math.min(entry.freshMs, freshMs) - now;

export const freshHit = (left: number): CacheVerdict => ({
  result: 'hit',
  status: `postern; hit; ttl=${Math.floor(left / 1000)}`,
});

/** Expired, and served while the backend fails. */
export const staleHit = (left: number): CacheVerdict => ({
  result: 'stale',
  status: `postern; hit; ttl=${Math.min(Math.floor(left / 1000), -1)}; detail=stale-if-error`,
});

/** The answer as it is sent now. */
export function keptAnswer(entry: AnswerEntry, now: number, verdict: CacheVerdict): Answer {
  const { status, statusText, body } = entry;
  const headers = [...entry.headers, 'Age', String(ageOf(entry, now)), 'Cache-Status', verdict.status];
  return { status, statusText, body, headers };
}
