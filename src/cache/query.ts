/**
 * What the parts of the response cache tell one another: a query that may be answered from it, and who takes the answer.
 * Types alone.
 */
import type { Key } from '../keys/key.ts';
import type { CacheResult } from '../observability/outcome.ts';
import type { Flight, ResponseSink } from '../upstream/dispatch.ts';
import type { Answer, CacheStore } from './store.ts';

export interface ResponseCacheSettings {
  /** See `cacheScope`. */
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
export interface CacheQuery {
  readonly key: Key;
  readonly method: string;
  /** As in `CacheKeyParts`. */
  readonly host?: string | undefined;
  /** Path and query as forwarded. */
  readonly target: string;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly cacheControl: string | undefined;
  readonly body: Buffer;
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

/**
 * Takes the answer. `onVerdict` comes first and once, then either `onAnswer` alone or the calls of a `ResponseSink`. Answers
 * carry their `Cache-Status` (and `Age`) already; a refusal made of `onFailure` needs the verdict's.
 */
export interface CacheSink extends ResponseSink {
  onVerdict(verdict: CacheVerdict): void;
  /** A whole answer, ready to send: without hop-by-hop fields, with its Content-Length; only `X-Request-Id` is left to add. */
  onAnswer(answer: Answer): void;
}
