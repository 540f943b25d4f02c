/**
 * The last rung of an admitted request's way: what exactly the backend is sent, and what of its answer the client gets.
 * Composes targets and headers; the verdicts were spoken before, and upstream/ moves the bytes.
 */
import { corsHeadersFor } from './data-port/cors-headers.ts';
import { CLIENT_GONE, type Admitted, type Gateway } from './gateway.ts';
import type { Key } from './keys/key.ts';
import type { ResponseCache } from './metrics-api/response-cache.ts';
import { handOver } from './policy/credential-handover.ts';
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
    const request = upstreamRequest(exchange, upstream);
    const cache = cacheFor(exchange);
    const through = cache === null ? null : throughCache({ gateway, exchange, cache, upstream, request });
    const forwarding = forward({
      ...{ upstream, req, res, now, request },
      ...(through === null ? {} : { send: through }),
      maxBodyBytes: passage.api.maxBodyBytes,
      answerHeaders: (_status, rawHeaders) => {
        if (draining()) res.shouldKeepAlive = false;
        return answerHeaders(exchange, rawHeaders);
      },
      onSettled: (result) => settle(gateway, exchange, result),
    });
    exchange.abort = forwarding.abort;
    // Answered from the cache within the call: nothing may go on listening for the end of the connection.
    if (exchange.settled) forwarding.abort();
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
  // An API in report mode stands in front of a backend that still checks credentials itself.
  const authorization = api.enforcement === 'report' ? ({ kind: 'pass' } as const) : api.authorization;
  const handover = handOver(facts, passage.query, api.credential, authorization);
  return {
    method: facts.method,
    target: (route?.target ?? passage.path) + handover.query,
    headers: upstreamHeaders({
      rawHeaders: handover.rawHeaders,
      connection: facts.headers.connection,
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
    contentLength: facts.headers.contentLength === undefined ? null : Number(facts.headers.contentLength),
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
  if (removedEvents > 0 && exchange.bodyChanged) own.push('Postern-Removed-Events', String(removedEvents));
  return clientHeaders({ rawHeaders, cors: isReported ? null : cors, added: own });
}

interface CachedQuery {
  readonly gateway: PassOnPorts['gateway'];
  readonly exchange: Admitted;
  readonly cache: ResponseCache;
  readonly upstream: Upstream;
  readonly request: UpstreamRequest;
}

/** Puts the cache between the client and the backend: a kept answer is written whole, any other streams as without it. */
function throughCache({ gateway, exchange, cache, upstream, request }: CachedQuery): (sink: ResponseSink) => Flight {
  const { facts, passage, requestId, res } = exchange;
  const key = passage.identity?.key;
  return (sink) =>
    cache.fetch(
      {
        key: key as Key,
        method: request.method,
        target: request.target,
        contentType: facts.headers.contentType,
        contentEncoding: facts.headers.contentEncoding,
        cacheControl: facts.headers.cacheControl,
        body: request.body as Buffer,
        headers: () => request.headers,
        send: (upstreamSink) => dispatch(upstream, request, upstreamSink),
      },
      {
        onVerdict: ({ result, status }) => (exchange.cache = { result, status }),
        onAnswer: ({ status, statusText, headers, body }) => {
          if (exchange.settled) return;
          res.writeHead(status, reasonOf(statusText), [...headers, 'X-Request-Id', requestId]);
          res.end(body);
          if (res.writableLength > 0) breakOffWhenStalled(res, upstream.idleTimeoutMs);
          exchange.abort?.();
          gateway.settle(exchange, { status });
        },
        onResponse: (status, headers, text) => sink.onResponse(status, headers, text),
        onData: (chunk) => sink.onData(chunk),
        onEnd: (trailers) => sink.onEnd(trailers),
        onFailure: (failure) => sink.onFailure(failure),
      },
    );
}

function settle(gateway: PassOnPorts['gateway'], exchange: Admitted, result: ForwardResult): void {
  switch (result.kind) {
    case 'answered':
      return gateway.settle(exchange, { status: result.status, upstreamSeconds: result.upstreamSeconds });
    case 'client_gone':
      return gateway.settle(exchange, { status: CLIENT_GONE });
    case 'body_too_large': {
      const { maxBodyBytes } = exchange.passage.api;
      return gateway.refuse(exchange, refusal('body_too_large', `the body is over maxBodyBytes (${maxBodyBytes})`));
    }
    case 'failed': {
      const { code, kind, why } = result.failure;
      return gateway.refuse(exchange, refusal(code, why), { upstreamFailure: kind });
    }
  }
}
