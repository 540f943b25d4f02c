/**
 * One query on its way through the cache: found fresh, waited for together with others, or passed on alone. Ends in exactly one
 * answer, unless its client goes away first.
 */
import type { Boarding, SingleFlight } from '../lib/single-flight.ts';
import type { Flight, ResponseSink } from '../upstream/dispatch.ts';
import { failureOf } from '../upstream/failure.ts';
import { cacheKey, variantKey } from './cache-key.ts';
import type { CacheContext, CacheQuery, CacheSink, CacheVerdict } from './query.ts';
import type { Answer, AnswerEntry, CacheEntry } from './store.ts';
import { callUpstream, type Shared } from './shared-answer.ts';
import { cacheDirective } from './storability.ts';

const STORED: CacheVerdict = { result: 'miss', status: 'postern; fwd=miss; stored' };
const COLLAPSED: CacheVerdict = { result: 'coalesced', status: 'postern; fwd=miss; collapsed' };
const REFRESHED: CacheVerdict = { result: 'refresh', status: 'postern; fwd=request; stored' };
const REFRESHED_UNSTORED: CacheVerdict = { result: 'refresh', status: 'postern; fwd=request' };
const UNSTORABLE: CacheVerdict = { result: 'uncacheable', status: 'postern; fwd=miss' };
const BYPASSED: CacheVerdict = { result: 'uncacheable', status: 'postern; fwd=request' };
/** The query may be kept, the answer of a backend that fails may not. */
const FAILED: CacheVerdict = { result: 'miss', status: 'postern; fwd=miss' };

/** An entry from later than this is not fresh but wrong: a clock went back, or another replica's is ahead. */
const MAX_STORED_AHEAD_MS = 5000;

/** The key that a query's answer stands under, as far as known, and the answer, if there is one. */
interface Found {
  readonly key: string;
  readonly entry: AnswerEntry | null;
}

export interface LookupContext extends CacheContext {
  readonly flights: SingleFlight<Shared>;
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
    const { key, cacheControl } = this.#query;
    const directive = cacheDirective(cacheControl);
    if (directive.kind === 'bypass') return this.#passAlone(BYPASSED);
    if (key.cacheTtlMs === null) return this.#passAlone(UNSTORABLE);
    this.#refreshes = directive.kind === 'refresh';
    if (directive.kind === 'use') this.#maxAge = directive.maxAge;
    this.#baseKey = cacheKey(this.#context.settings.scope, this.#query);
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
    this.#read(this.#baseKey, (entry) => {
      if (entry?.kind !== 'vary') return this.#decide({ key: this.#baseKey, entry: entry ?? null });
      const key = this.#keyFor(entry.names);
      this.#read(key, (variant) => this.#decide({ key, entry: variant?.kind === 'answer' ? variant : null }));
    });
  }

  /** At once when the store answers at once: an answer from memory waits for nothing. */
  #read(key: string, use: (entry: CacheEntry | undefined) => void): void {
    const useUnlessLeft = (entry: CacheEntry | undefined): void => {
      if (!this.#left) use(entry);
    };
    const entry = this.#context.store.get(key);
    if (entry instanceof Promise) entry.then(useUnlessLeft).catch((error: unknown) => this.#fail(error));
    else useUnlessLeft(entry);
  }

  #decide({ key, entry }: Found): void {
    if (entry !== null && !this.#refreshes && this.#answerFrom(entry)) return;
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
    if (entry.storedAt > now + MAX_STORED_AHEAD_MS) return false;
    if (ageOf(entry, now) > this.#maxAge) {
      this.#refreshes = true;
      return false;
    }
    // The key's setting may have become shorter since.
    const left = entry.storedAt + Math.min(entry.freshMs, this.#freshMs()) - now;
    if (left <= 0) {
      if (left > -this.#context.settings.staleIfErrorMs) this.#stale = entry;
      return false;
    }
    this.#sendKept(entry, now, { result: 'hit', status: `postern; hit; ttl=${Math.floor(left / 1000)}` });
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
    const { status, statusText, body } = entry;
    const age = String(ageOf(entry, now));
    this.#sink.onVerdict(verdict);
    this.#sink.onAnswer({
      status,
      statusText,
      body,
      headers: [...entry.headers, 'Age', age, 'Cache-Status', verdict.status],
    });
  }

  #sendStale(entry: AnswerEntry): void {
    const now = this.#context.now();
    const over = Math.floor((entry.storedAt + Math.min(entry.freshMs, this.#freshMs()) - now) / 1000);
    this.#sendKept(entry, now, {
      result: 'stale',
      status: `postern; hit; ttl=${Math.min(over, -1)}; detail=stale-if-error`,
    });
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
    return this.#query.key.cacheTtlMs ?? 0;
  }
}

/** RFC 9111 4.2.3, in whole seconds. */
function ageOf(entry: AnswerEntry, now: number): number {
  return entry.initialAge + Math.max(0, Math.floor((now - entry.storedAt) / 1000));
}
