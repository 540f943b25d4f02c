/**
 * Stands between the client and the backend while a cache is asked: the query that it is asked, and where its answer goes. A kept
 * answer is written whole, any other streams as without a cache.
 */
import { atTurnEnd } from '../lib/turn-end.ts';
import { endWhole } from '../lib/whole-answer.ts';
import type { CacheHolder } from '../cache/cache-key.ts';
import type { ResponseCache } from '../cache/response-cache.ts';
import type { CacheQuery, CacheSink, CacheVerdict } from '../cache/query.ts';
import type { Answer } from '../cache/store.ts';
import type { Flight, ResponseSink, UpstreamRequest } from '../upstream/dispatch.ts';
import type { UpstreamFailure } from '../upstream/failure.ts';
import { reasonOf } from '../upstream/forward.ts';
import type { Upstream } from '../upstream/pool.ts';
import { breakOffWhenStalled } from '../upstream/stall.ts';
import type { Ending } from './ending.ts';
import type { Exchange } from './exchange.ts';
import type { Routed } from './passage.ts';
import { freshMsOf, isForStrangers, shapeOf } from './cache-shape.ts';
import { keptHeaders, targetOf, upstreamRequest } from './fields.ts';
import { dispatchFor } from './traced-dispatch.ts';

export interface CachedQuerySettings {
  readonly exchange: Routed<Exchange>;
  readonly body: Buffer;
  readonly upstream: Upstream;
  readonly world: CachedQueryWorld;
}

export interface CachedQueryWorld {
  readonly ending: Ending;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** Of a route that needs no key. */
const EVERYBODY: CacheHolder = { id: '', apiKeyDigest: null };

/** One object, since a hit pays for each. */
export class CachedQuery implements CacheQuery, CacheSink {
  readonly holder: CacheHolder;
  readonly ttlMs: number | null;
  readonly isHead: boolean;
  readonly isConditional: boolean;
  readonly isShared: boolean;
  readonly method: string;
  readonly host: string | undefined;
  readonly target: string;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly shape: string;
  readonly cacheControl: string | undefined;
  readonly body: Buffer;
  readonly #exchange: Routed<Exchange>;
  readonly #upstream: Upstream;
  readonly #world: CachedQueryWorld;
  #request: UpstreamRequest | null = null;
  #flight: Flight | null = null;
  #taker: ResponseSink | null = null;

  constructor({ exchange, body, upstream, world }: CachedQuerySettings) {
    const { facts, identity } = exchange;
    this.holder = identity?.key ?? EVERYBODY;
    this.ttlMs = freshMsOf(exchange);
    this.isHead = facts.method === 'HEAD';
    this.isConditional = facts.headers.isConditional;
    this.isShared = isForStrangers(exchange);
    this.method = this.isHead ? 'GET' : facts.method;
    // Else the backend gets a name of its own as Host, and the client's where only strangers could make something of it.
    this.host = upstream.preserveHost || this.isShared ? facts.headers.host : undefined;
    this.target = targetOf(exchange);
    this.contentType = facts.headers.contentType;
    this.contentEncoding = facts.headers.contentEncoding;
    this.shape = shapeOf(exchange);
    this.cacheControl = facts.headers.cacheControl;
    this.body = body;
    this.#exchange = exchange;
    this.#upstream = upstream;
    this.#world = world;
  }

  ask(cache: ResponseCache): this {
    this.#flight = cache.fetch(this, this);
    return this;
  }

  /** Connects whoever takes the answer, if it was not there at once. */
  take(sink: ResponseSink): Flight {
    this.#taker = sink;
    return this.#flight as Flight;
  }

  /** Made when it is needed: a hit needs none. */
  request(): UpstreamRequest {
    return (this.#request ??= upstreamRequest(this.#exchange, this.#upstream));
  }

  headers(): readonly string[] {
    return this.request().headers;
  }

  send(sink: ResponseSink): Flight {
    const exchange = this.#exchange;
    const { now } = this.#world;
    const startedAt = now();
    return dispatchFor(exchange)(this.#upstream, this.request(), {
      onResponse: (status, headers, statusText) => {
        exchange.upstreamSeconds = (now() - startedAt) / 1000;
        sink.onResponse(status, headers, statusText);
      },
      onData: (chunk) => sink.onData(chunk),
      onEnd: (trailers) => sink.onEnd(trailers),
      onFailure: (failure) => {
        exchange.upstreamFailure = failure.kind;
        sink.onFailure(failure);
      },
    });
  }

  onVerdict(verdict: CacheVerdict): void {
    this.#exchange.cache = verdict;
  }

  onAnswer({ status, statusText, headers, body }: Answer): void {
    const exchange = this.#exchange;
    if (exchange.settled) return;
    const { res } = exchange;
    res.writeHead(status, reasonOf(statusText), keptHeaders(exchange, headers));
    atTurnEnd(() => {
      if (res.destroyed) return;
      endWhole(res, this.isHead ? '' : body);
      if (res.writableLength > 0) breakOffWhenStalled(res, this.#upstream.idleTimeoutMs);
    });
    exchange.abort?.();
    this.#world.ending.settle(exchange, { status });
  }

  onResponse(status: number, headers: readonly string[], statusText: string): void {
    this.#taker?.onResponse(status, headers, statusText);
  }

  onData(chunk: Buffer): boolean {
    return this.#taker?.onData(chunk) ?? true;
  }

  onEnd(trailers: readonly string[]): void {
    this.#taker?.onEnd(trailers);
  }

  onFailure(failure: UpstreamFailure): void {
    this.#taker?.onFailure(failure);
  }
}
