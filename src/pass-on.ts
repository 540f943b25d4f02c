/**
 * The last rung of an admitted request's way: what exactly the backend is sent, and what of its answer the client gets.
 * Composes targets and headers; the verdicts were spoken before, and upstream/ moves the bytes.
 */
import { bodyTooLarge } from './data-port/admitted-body.ts';
import { corsHeadersFor } from './data-port/cors-headers.ts';
import { CLIENT_GONE, type Admitted } from './data-port/exchange.ts';
import type { Gateway } from './gateway.ts';
import type { Key } from './keys/key.ts';
import { atTurnEnd } from './lib/turn-end.ts';
import { endWhole } from './lib/whole-answer.ts';
import type { CacheQuery, CacheSink, CacheVerdict } from './metrics-api/cache-query.ts';
import type { Answer } from './metrics-api/cache-store.ts';
import type { ResponseCache } from './metrics-api/response-cache.ts';
import type { Identity } from './policy/credential.ts';
import { handOver } from './policy/credential-handover.ts';
import { declaredLength } from './policy/facts.ts';
import { clientOf } from './policy/pipeline.ts';
import { refusal } from './policy/refusal.ts';
import type { ApiRules } from './policy/ruleset.ts';
import { dispatch, type Flight, type ResponseSink, type UpstreamRequest } from './upstream/dispatch.ts';
import type { UpstreamFailure } from './upstream/failure.ts';
import { forward, reasonOf, type ForwardResult } from './upstream/forward.ts';
import { clientHeaders, forwardedProto, upstreamHeaders } from './upstream/headers.ts';
import type { Upstream } from './upstream/pool.ts';
import { breakOffWhenStalled } from './upstream/stall.ts';

export interface PassOnPorts {
  readonly gateway: Pick<Gateway, 'refuse' | 'settle'>;
  /** The connections to an API's backend, as they belong to these rules. */
  readonly upstreamOf: (api: ApiRules) => Upstream;
  /** The cache of an API's answers, if this exchange may be answered from it. */
  readonly cacheFor: (exchange: Admitted) => ResponseCache | null;
  /** The process is about to end: answers tell clients to take their next request elsewhere. */
  readonly draining: () => boolean;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** Makes the function that forwards an admitted request, or answers it from the cache, and streams the answer to the client. */
export function createPassOn(ports: PassOnPorts): (exchange: Admitted) => void {
  const { gateway, upstreamOf, cacheFor, draining, now } = ports;
  const begin = (exchange: Admitted): void => {
    const { req, res, passage } = exchange;
    const upstream = upstreamOf(passage.api);
    const cache = cacheFor(exchange);
    const query = cache === null ? null : new CachedQuery(exchange, upstream, gateway).ask(cache);
    // Answered from the cache within the call: there is nothing to forward.
    if (exchange.settled) return;
    const forwarding = forward({
      upstream,
      req,
      res,
      now,
      request: query === null ? upstreamRequest(exchange, upstream) : query.request(),
      send: query === null ? null : (sink) => query.take(sink),
      maxBodyBytes: passage.api.maxBodyBytes,
      answerHeaders: (_status, rawHeaders) => {
        if (draining()) res.shouldKeepAlive = false;
        return answerHeaders(exchange, rawHeaders);
      },
      onSettled: (result) => settle(gateway, exchange, result),
    });
    if (!exchange.settled) exchange.abort = forwarding.abort;
  };
  return (exchange) => {
    if (exchange.settled) return;
    try {
      begin(exchange);
    } catch (error) {
      // The framework would swallow it, and the client would wait for ever.
      gateway.refuse(exchange, refusal('internal_error', `not passed on: ${(error as Error).message}`));
    }
  };
}

/** The request that the backend is sent. */
export function upstreamRequest(exchange: Admitted, upstream: Upstream): UpstreamRequest {
  const { facts, passage, body } = exchange;
  const { api, identity, route } = passage;
  const { fromTrustedProxy, forwardedFor } = clientOf(passage);
  const handover = handOver(passage, api);
  return {
    method: facts.method,
    target: (route?.target ?? passage.path) + handover.query,
    headers: upstreamHeaders({
      rawHeaders: handover.rawHeaders,
      connection: facts.headers.connection,
      credentialFields: api.credentialFields,
      forwardedFor,
      forwardedProto: forwardedProto(fromTrustedProxy ? facts.headers.forwardedProto : undefined, facts.secure),
      forwardedHost: facts.headers.host,
      requestId: exchange.requestId,
      key: identity?.key ?? null,
      authorization: handover.authorization,
      bodyChanged: exchange.bodyChanged,
    }),
    host: upstream.preserveHost ? (facts.headers.host ?? upstream.host) : upstream.host,
    body: body === 'none' ? null : body === 'stream' ? exchange.req : body,
    contentLength: declaredLength(facts),
    holder: identity === null ? '' : identity.key.id,
  };
}

/** The header list of the backend's answer as the client gets it. */
export function answerHeaders(
  exchange: Admitted,
  rawHeaders: readonly string[],
  added: readonly string[] = [],
): string[] {
  const { passage, removedEvents, requestId } = exchange;
  // Only write-only keys are for web pages; for the others the backend's own CORS fields stand as they are. So they do for
  // a page that report mode alone lets through.
  const cors = passage.identity?.key.type === 'write-only' ? corsHeadersFor(passage) : null;
  const isReported = cors?.length === 0 && passage.wouldReject !== null;
  const own = ['X-Request-Id', requestId, ...added];
  if (removedEvents > 0 && passage.wouldReject === null) own.push('Postern-Removed-Events', String(removedEvents));
  return clientHeaders({ rawHeaders, cors: isReported ? null : cors, added: own });
}

/**
 * Between the client and the backend while a cache is asked: the query that it is asked, and where its answer goes. A kept
 * answer is written whole, any other streams as without a cache. One object, since a hit pays for each.
 */
class CachedQuery implements CacheQuery, CacheSink {
  readonly key: Key;
  readonly method: string;
  readonly target: string;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly cacheControl: string | undefined;
  readonly body: Buffer;
  readonly #exchange: Admitted;
  readonly #upstream: Upstream;
  readonly #gateway: PassOnPorts['gateway'];
  #request: UpstreamRequest | null = null;
  #flight: Flight | null = null;
  #taker: ResponseSink | null = null;

  constructor(exchange: Admitted, upstream: Upstream, gateway: PassOnPorts['gateway']) {
    const { facts, passage } = exchange;
    this.key = (passage.identity as Identity).key;
    this.method = facts.method;
    this.target = (passage.route?.target ?? passage.path) + passage.query;
    this.contentType = facts.headers.contentType;
    this.contentEncoding = facts.headers.contentEncoding;
    this.cacheControl = facts.headers.cacheControl;
    this.body = exchange.body as Buffer;
    this.#exchange = exchange;
    this.#upstream = upstream;
    this.#gateway = gateway;
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
    return dispatch(this.#upstream, this.request(), sink);
  }

  onVerdict(verdict: CacheVerdict): void {
    this.#exchange.cache = verdict;
  }

  onAnswer({ status, statusText, headers, body }: Answer): void {
    const exchange = this.#exchange;
    if (exchange.settled) return;
    const { res } = exchange;
    res.writeHead(status, reasonOf(statusText), [...headers, 'X-Request-Id', exchange.requestId]);
    atTurnEnd(() => {
      if (res.destroyed) return;
      endWhole(res, body);
      if (res.writableLength > 0) breakOffWhenStalled(res, this.#upstream.idleTimeoutMs);
    });
    exchange.abort?.();
    this.#gateway.settle(exchange, { status });
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

function settle(gateway: PassOnPorts['gateway'], exchange: Admitted, result: ForwardResult): void {
  switch (result.kind) {
    case 'answered':
      return gateway.settle(exchange, { status: result.status, upstreamSeconds: result.upstreamSeconds });
    case 'client_gone':
      return gateway.settle(exchange, { status: CLIENT_GONE });
    case 'body_too_large':
      return gateway.refuse(exchange, bodyTooLarge(exchange));
    case 'failed': {
      const { code, kind, why } = result.failure;
      return gateway.refuse(exchange, refusal(code, why), { upstreamFailure: kind });
    }
  }
}
