/**
 * The last rung of an admitted request's way: what exactly the backend is sent, and what of its answer the client gets.
 * Composes targets and headers; the verdicts were spoken before, and upstream/ moves the bytes.
 */
import { corsHeadersFor } from './data-port/cors-headers.ts';
import { CLIENT_GONE, type Admitted, type Gateway } from './gateway.ts';
import { handOver } from './policy/credential-handover.ts';
import { clientOf } from './policy/pipeline.ts';
import { refusal } from './policy/refusal.ts';
import type { ApiRules } from './policy/ruleset.ts';
import type { UpstreamRequest } from './upstream/dispatch.ts';
import { forward, type ForwardResult } from './upstream/forward.ts';
import { clientHeaders, forwardedProto, upstreamHeaders } from './upstream/headers.ts';
import type { Upstream } from './upstream/pool.ts';

export interface PassOnPorts {
  readonly gateway: Pick<Gateway, 'refuse' | 'settle'>;
  /** The connections to an API's backend, as they belong to these rules. */
  readonly upstreamOf: (api: ApiRules) => Upstream;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** Makes the function that forwards an admitted request and streams its answer to the client. */
export function createPassOn({ gateway, upstreamOf, now }: PassOnPorts): (exchange: Admitted) => void {
  return (exchange) => {
    const { req, res, passage } = exchange;
    const upstream = upstreamOf(passage.api);
    const flight = forward({
      ...{ upstream, req, res, now },
      request: upstreamRequest(exchange, upstream),
      maxBodyBytes: passage.api.maxBodyBytes,
      answerHeaders: (_status, rawHeaders) => answerHeaders(exchange, rawHeaders),
      onSettled: (result) => settle(gateway, exchange, result),
    });
    exchange.abort = flight.abort;
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
  // Only write-only keys are for web pages; for the others the backend's own CORS fields stand as they are.
  const isForPages = passage.identity?.key.type === 'write-only' && passage.wouldReject === null;
  const own = ['X-Request-Id', requestId, ...added];
  if (removedEvents > 0 && exchange.bodyChanged) own.push('Postern-Removed-Events', String(removedEvents));
  return clientHeaders({ rawHeaders, cors: isForPages ? corsHeadersFor(passage) : null, added: own });
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
