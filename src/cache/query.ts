/**
 * What the parts of the response cache tell one another: a query that may be answered from it, and who takes the answer.
 * Types alone.
 */
import type { CacheResult } from '../observability/outcome.ts';
import type { Flight, ResponseSink } from '../upstream/dispatch.ts';
import type { CacheKeyParts } from './cache-key.ts';
import type { Answer, CacheStore } from './store.ts';

export interface ResponseCacheSettings {
  /** See `scopeOf`. */
  readonly scope: string;
  /** Bodies above it are passed on and not kept. */
  readonly maxEntryBytes: number;
  /** For how long an expired answer is served while the backend fails. */
  readonly staleIfErrorMs: number;
}

/** What all queries of one cache have in common. */
export interface CacheContext {
  readonly settings: ResponseCacheSettings;
  readonly store: CacheStore;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** One admitted query, its body read. */
export interface CacheQuery extends CacheKeyParts {
  /** How long an answer is fresh; null: answers to this query are not kept. */
  readonly ttlMs: number | null;
  /** Asks for no more than the head of the answer to the same query by GET. */
  readonly isHead: boolean;
  /** Asks for a part of the answer, or under a condition: only the backend can say what comes of that. */
  readonly isConditional: boolean;
  /** Callers who know nothing of each other are given one entry: no `private` answer is kept for them. */
  readonly isShared: boolean;
  readonly cacheControl: string | undefined;
  /** The header list as forwarded; asked for only when answers vary by headers. */
  headers(): readonly string[];
  /** Asks the backend. Called at most once, and not at all when the answer is kept or already on its way. */
  send(sink: ResponseSink): Flight;
}

/** What was done with a query: for the counters, and as the value of `Cache-Status`. */
export interface CacheVerdict {
  readonly result: CacheResult;
  readonly status: string;
}

export const STORED: CacheVerdict = { result: 'miss', status: 'postern; fwd=miss; stored' };
export const COLLAPSED: CacheVerdict = { result: 'coalesced', status: 'postern; fwd=miss; collapsed' };
export const REFRESHED: CacheVerdict = { result: 'refresh', status: 'postern; fwd=request; stored' };
export const REFRESHED_UNSTORED: CacheVerdict = { result: 'refresh', status: 'postern; fwd=request' };
export const UNSTORABLE: CacheVerdict = { result: 'uncacheable', status: 'postern; fwd=miss' };
export const BYPASSED: CacheVerdict = { result: 'uncacheable', status: 'postern; fwd=request' };
/** The query may be kept, the answer of a backend that fails may not. */
export const FAILED: CacheVerdict = { result: 'miss', status: 'postern; fwd=miss' };

/**
 * Takes the answer. `onVerdict` comes first and once, then either `onAnswer` alone or the calls of a `ResponseSink`. Answers
 * carry their `Cache-Status` (and `Age`) already; a refusal made of `onFailure` needs the verdict's.
 */
export interface CacheSink extends ResponseSink {
  onVerdict(verdict: CacheVerdict): void;
  /** A whole answer, ready to send: without hop-by-hop fields, with its Content-Length; only `X-Request-Id` is left to add. */
  onAnswer(answer: Answer): void;
}
