/**
 * The last rung of an admitted request's way: what exactly the backend is sent, and what of its answer the client gets.
 * Composes targets and headers; the verdicts were spoken before, and upstream/ moves the bytes.
 */
import { bodyTooLarge } from './data-port/admitted-body.ts';
import { corsHeadersFor } from './data-port/cors-headers.ts';
import { CLIENT_GONE, type Admitted } from './data-port/exchange.ts';
import type { Gateway } from './gateway.ts';
import { deliverAtTurnEnd } from './lib/turn-end.ts';
import { endWhole } from './lib/whole-answer.ts';
import type { Answer } from './metrics-api/cache-store.ts';
import type { ResponseCache } from './metrics-api/response-cache.ts';
import type { Identity } from './policy/credential.ts';
import { handOver } from './policy/credential-handover.ts';
import { declaredLength } from './policy/facts.ts';
import { clientOf } from './policy/pipeline.ts';
import { refusal } from './policy/refusal.ts';
import type { ApiRules } from './policy/ruleset.ts';
import { dispatch, type Flight, type ResponseSink, type UpstreamRequest } from './upstream/dispatch.ts';
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
    const kept = cache === null ? null : askCache({ gateway, exchange, cache, upstream });
    // Answered from the cache within the call: there is nothing to forward.
    if (exchange.settled) return;
    const forwarding = forward({
      upstream,
      req,
      res,
      now,
      request: kept === null ? upstreamRequest(exchange, upstream) : kept.request(),
      send: kept === null ? null : kept.send,
      maxBodyBytes: passage.api.maxBodyBytes,
      answerHeaders: (_status, rawHeaders) => {
        if (draining()) res.shouldKeepAlive = false;
        return answerHeaders(exchange, rawHeaders);
      },
      onSettled: (result) => settle(gateway, exchange, result),
    });
    exchange.abort = forwarding.abort;
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

interface CachedQuery {
  readonly gateway: PassOnPorts['gateway'];
  readonly exchange: Admitted;
  readonly cache: ResponseCache;
  readonly upstream: Upstream;
}

interface AskedCache {
  /** Made when it is needed: a hit needs none. */
  readonly request: () => UpstreamRequest;
  /** Connects whoever takes the answer, if it was not there at once. */
  readonly send: (sink: ResponseSink) => Flight;
}

/** Puts the cache between the client and the backend: a kept answer is written whole, any other streams as without it. */
function askCache(query: CachedQuery): AskedCache {
  const { exchange, cache, upstream } = query;
  const { facts, passage } = exchange;
  let made: UpstreamRequest | null = null;
  let taker: ResponseSink | null = null;
  const request = (): UpstreamRequest => (made ??= upstreamRequest(exchange, upstream));
  const flight = cache.fetch(
    {
      key: (passage.identity as Identity).key,
      method: facts.method,
      target: (passage.route?.target ?? passage.path) + passage.query,
      contentType: facts.headers.contentType,
      contentEncoding: facts.headers.contentEncoding,
      cacheControl: facts.headers.cacheControl,
      body: exchange.body as Buffer,
      headers: () => request().headers,
      send: (sink) => dispatch(upstream, request(), sink),
    },
    {
      onVerdict: (verdict) => (exchange.cache = verdict),
      onAnswer: (answer) => writeKept(query, answer),
      onResponse: (status, headers, text) => taker?.onResponse(status, headers, text),
      onData: (chunk) => taker?.onData(chunk) ?? true,
      onEnd: (trailers) => taker?.onEnd(trailers),
      onFailure: (failure) => taker?.onFailure(failure),
    },
  );
  return {
    request,
    send: (sink) => {
      taker = sink;
      return flight;
    },
  };
}

function writeKept({ gateway, exchange, upstream }: CachedQuery, answer: Answer): void {
  if (exchange.settled) return;
  const { res, requestId } = exchange;
  const { status, statusText, headers, body } = answer;
  res.writeHead(status, reasonOf(statusText), [...headers, 'X-Request-Id', requestId]);
  deliverAtTurnEnd(() => {
    if (res.destroyed) return;
    endWhole(res, body);
    if (res.writableLength > 0) breakOffWhenStalled(res, upstream.idleTimeoutMs);
  });
  exchange.abort?.();
  gateway.settle(exchange, { status });
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
