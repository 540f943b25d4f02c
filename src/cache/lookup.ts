/**
 * One query on its way through the cache: found fresh, waited for together with others, or passed on alone. Ends in exactly one
 * answer, unless its client goes away first.
 */
import type { Boarding, SingleFlight } from '../lib/single-flight.ts';
import type { Flight, ResponseSink } from '../upstream/dispatch.ts';
import { failureOf } from '../upstream/failure.ts';
import { variantKey, type CacheKeyParts } from './cache-key.ts';
import { ageOf, freshFor, freshHit, isFromLater, keptAnswer, staleHit } from './kept-answer.ts';
import {
  BYPASSED,
  COLLAPSED,
  FAILED,
  REFRESHED,
  REFRESHED_UNSTORED,
  STORED,
  UNSTORABLE,
  type CacheContext,
  type CacheQuery,
  type CacheSink,
  type CacheVerdict,
} from './query.ts';
import type { Answer, AnswerEntry, CacheEntry } from './store.ts';
import { callUpstream, type Shared } from './shared-answer.ts';
import { cacheDirective } from './storability.ts';

export interface LookupContext extends CacheContext {
  readonly flights: SingleFlight<Shared>;
  /** Under which key a query is found, before any header that its answers vary by. */
  readonly keyOf: (query: CacheKeyParts) => string;
}

export class CacheLookup implements Flight {
  readonly #context: LookupContext;
  readonly #query: CacheQuery;
  readonly #sink: CacheSink;
  #baseKey = '';
  #refreshes = false;
  #maxAge = Infinity;
  #triedAgain = false;
  #left = false;
  /** Expired, and good enough while the backend fails. */
  #stale: AnswerEntry | null = null;
  #boarding: Boarding<Shared> | null = null;
  #flight: Flight | null = null;

  constructor(context: LookupContext, query: CacheQuery, sink: CacheSink) {
    this.#context = context;
    this.#query = query;
    this.#sink = sink;
  }

  begin(): void {
    const { ttlMs, cacheControl, isHead, isConditional } = this.#query;
    const directive = cacheDirective(cacheControl);
    if (isConditional || directive.kind === 'bypass') return this.#passAlone(BYPASSED);
    if (ttlMs === null) return this.#passAlone(UNSTORABLE);
    // What a refresh would bring has no body to keep.
    if (isHead && directive.kind === 'refresh') return this.#passAlone(BYPASSED);
    this.#refreshes = directive.kind === 'refresh';
    if (directive.kind === 'use') this.#maxAge = directive.maxAge;
    this.#baseKey = this.#context.keyOf(this.#query);
    this.#find();
  }

  abort(): void {
    this.#left = true;
    this.#boarding?.leave();
    this.#flight?.abort();
  }

  resume(): void {
    this.#flight?.resume();
  }

  #find(): void {
    this.#stale = null;
    const entry = this.#context.store.get(this.#baseKey);
    // An answer from memory waits for nothing, and is not paid for as if it did.
    if (entry instanceof Promise) this.#whenRead(entry, (read) => this.#choose(read));
    else this.#choose(entry);
  }

  #choose(entry: CacheEntry | undefined): void {
    if (entry?.kind !== 'vary') return this.#decide(this.#baseKey, entry ?? null);
    const key = this.#keyFor(entry.names);
    const variant = this.#context.store.get(key);
    if (variant instanceof Promise) this.#whenRead(variant, (read) => this.#decide(key, answerIn(read)));
    else this.#decide(key, answerIn(variant));
  }

  #whenRead(entry: Promise<CacheEntry | undefined>, use: (entry: CacheEntry | undefined) => void): void {
    entry.then((read) => !this.#left && use(read)).catch((error: unknown) => this.#fail(error));
  }

  /** `key`: what the answer stands under, as far as known. `entry`: the answer, if there is one. */
  #decide(key: string, entry: AnswerEntry | null): void {
    if (entry !== null && !this.#refreshes && this.#answerFrom(entry)) return;
    if (this.#query.isHead) this.#passAlone(UNSTORABLE);
    else this.#board(key);
  }

  /** Asks the backend, or waits with others for what it is asked already. */
  #board(key: string): void {
    const freshMs = this.#freshMs();
    const start = (isLatest: () => boolean) =>
      callUpstream(this.#context, { query: this.#query, baseKey: this.#baseKey, flightKey: key, freshMs }, isLatest);
    const { flights } = this.#context;
    // What refreshes must not be told what somebody asked before it came.
    const boarding = this.#refreshes ? flights.lead(key, start) : flights.join(key, start);
    this.#boarding = boarding;
    boarding.result
      .then(
        (shared) => !this.#left && this.#settle(shared, boarding),
        // A bug on the way of the leader: those who wait must still get an answer.
        (error: unknown) =>
          !this.#left && this.#settle({ kind: 'failed', failure: failureOf('unknown', String(error)) }, boarding),
      )
      .catch((error: unknown) => this.#fail(error));
  }

  /** An answer that cannot be written must not end the process. */
  #fail(error: unknown): void {
    if (!this.#left) this.#sink.onFailure(failureOf('unknown', String(error)));
  }

  /** Whether the entry was fresh, and so answered the query. */
  #answerFrom(entry: AnswerEntry): boolean {
    const now = this.#context.now();
    if (isFromLater(entry, now)) return false;
    if (ageOf(entry, now) > this.#maxAge) {
      this.#refreshes = true;
      return false;
    }
    const left = freshFor(entry, this.#freshMs(), now);
    if (left <= 0) {
      if (left > -this.#context.settings.staleIfErrorMs) this.#stale = entry;
      return false;
    }
    this.#sendKept(entry, now, freshHit(left));
    return true;
  }

  #settle(shared: Shared, boarding: Boarding<Shared>): void {
    switch (shared.kind) {
      case 'answer':
        if (!boarding.leads && this.#keyFor(shared.vary) !== shared.key) return this.#tryAgain(boarding);
        return this.#send(shared.answer, boarding.leads ? this.#fetched(shared.stored) : COLLAPSED);
      case 'error':
        if (this.#stale !== null) return this.#sendStale(this.#stale);
        if (!boarding.leads && !shared.shareable) return this.#passAlone(UNSTORABLE);
        return this.#send(shared.answer, this.#failed(boarding));
      case 'failed':
        if (this.#stale !== null) return this.#sendStale(this.#stale);
        this.#sink.onVerdict(this.#failed(boarding));
        return this.#sink.onFailure(shared.failure);
      case 'stream':
        return this.#settleStream(shared, boarding);
    }
  }

  #settleStream(shared: Shared & { readonly kind: 'stream' }, boarding: Boarding<Shared>): void {
    if (this.#stale !== null && shared.status >= 500) {
      boarding.leave();
      return this.#sendStale(this.#stale);
    }
    const verdict = this.#refreshes ? REFRESHED_UNSTORED : UNSTORABLE;
    const flight = shared.take(this.#marked(verdict));
    if (flight !== null) this.#flight = flight;
    else {
      boarding.leave();
      this.#passAlone(verdict);
    }
  }

  /** The answer depends on headers in which this query differs from the leader's: now it is known in which. */
  #tryAgain(boarding: Boarding<Shared>): void {
    boarding.leave();
    if (this.#triedAgain) return this.#passAlone(UNSTORABLE);
    this.#triedAgain = true;
    this.#find();
  }

  /** One call for this query and nobody else, its answer not kept. */
  #passAlone(verdict: CacheVerdict): void {
    this.#boarding = null;
    this.#flight = this.#query.send(this.#marked(verdict));
  }

  #send(answer: Answer, verdict: CacheVerdict): void {
    this.#sink.onVerdict(verdict);
    this.#sink.onAnswer({ ...answer, headers: [...answer.headers, 'Cache-Status', verdict.status] });
  }

  #sendKept(entry: AnswerEntry, now: number, verdict: CacheVerdict): void {
    this.#sink.onVerdict(verdict);
    this.#sink.onAnswer(keptAnswer(entry, now, verdict));
  }

  #sendStale(entry: AnswerEntry): void {
    const now = this.#context.now();
    this.#sendKept(entry, now, staleHit(freshFor(entry, this.#freshMs(), now)));
  }

  /** The sink as a stream sees it: told the verdict first, its response marked with it, left alone once the client has gone. */
  #marked(verdict: CacheVerdict): ResponseSink {
    const sink = this.#sink;
    let hasResponse = false;
    return {
      onResponse: (status, headers, statusText) => {
        hasResponse = true;
        sink.onVerdict(verdict);
        sink.onResponse(status, [...headers, 'Cache-Status', verdict.status], statusText);
      },
      onData: (chunk) => sink.onData(chunk),
      onEnd: (trailers) => sink.onEnd(trailers),
      onFailure: (failure) => {
        if (this.#left) return;
        if (!hasResponse) sink.onVerdict(verdict);
        sink.onFailure(failure);
      },
    };
  }

  #fetched(stored: boolean): CacheVerdict {
    if (this.#refreshes) return stored ? REFRESHED : REFRESHED_UNSTORED;
    return stored ? STORED : UNSTORABLE;
  }

  #failed(boarding: Boarding<Shared>): CacheVerdict {
    if (!boarding.leads) return COLLAPSED;
    return this.#refreshes ? REFRESHED_UNSTORED : FAILED;
  }

  #keyFor(vary: readonly string[]): string {
    return vary.length === 0 ? this.#baseKey : variantKey(this.#baseKey, vary, this.#query.headers());
  }

  #freshMs(): number {
    return this.#query.ttlMs ?? 0;
  }
}

const answerIn = (entry: CacheEntry | undefined): AnswerEntry | null => (entry?.kind === 'answer' ? entry : null);
