/**
 * Where a connection stands, and what follows from it: how long it may rest, and what its end means for the exchange on it.
 */
import { failureFrom, failureOf, type UpstreamFailure } from '../failure.ts';

/** `new` until its first request; `about to send` from each further one until the end of the turn. */
export type Phase = 'new' | 'connecting' | 'resting' | 'about to send' | 'sent' | 'answering' | 'gone';

/** The end of a connection, by an error or without a word (null), as the failure of the exchange on it. */
export function failureIn(phase: Phase, error: Error | null): UpstreamFailure {
  switch (phase) {
    case 'sent':
      return error === null ? failureOf('reset', 'the connection ended before the answer') : failureFrom(error, 'sent');
    case 'answering':
      return error === null
        ? failureOf('truncated', 'the connection ended within the answer')
        : failureFrom(error, 'answering');
    default:
      return error === null ? failureOf('reset', 'the connection had ended') : failureFrom(error, 'connecting');
  }
}

/** A backend that announces how long it keeps a connection may close it as soon as that: the request needs time for its way. */
const WAY_MS = 1_000;

/** How long a connection may rest, in milliseconds, where the backend announced a time for it (-1: it did not). */
export const restAfter = (announcedMs: number, keepAliveMs: number): number =>
  announcedMs === -1 ? keepAliveMs : Math.min(keepAliveMs, announcedMs - WAY_MS);
