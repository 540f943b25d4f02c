/**
 * What exactly the backend is sent of an admitted request, and what of its answer the client gets. Composes targets and header
 * lists; moves no bytes and decides nothing.
 */
import { handOver } from '../policy/credential-handover.ts';
import { declaredLength } from '../policy/facts.ts';
import type { UpstreamRequest } from '../upstream/dispatch.ts';
import { clientHeaders, forwardedProto, upstreamHeaders } from '../upstream/headers.ts';
import type { Upstream } from '../upstream/pool.ts';
import { corsHeadersFor } from './cors-headers.ts';
import type { Exchange } from './exchange.ts';
import { clientOf, type Routed } from './passage.ts';

/** Path and query as they go to the backend, without a credential that is in them. */
export function targetOf(exchange: Routed<Exchange>): string {
  const path = exchange.route?.target ?? exchange.path;
  return path + (exchange.query === '' ? '' : handOver(exchange, exchange.api).query);
}

/** How the client came: by the word of a trusted proxy, or as it is connected. */
export function schemeOf(exchange: Exchange): 'http' | 'https' {
  const { headers, secure } = exchange.facts;
  return forwardedProto(clientOf(exchange).fromTrustedProxy ? headers.forwardedProto : undefined, secure);
}

/** The request that the backend is sent. */
export function upstreamRequest(exchange: Routed<Exchange>, upstream: Upstream): UpstreamRequest {
  const { facts, api, body, identity, route } = exchange;
  const { forwardedFor } = clientOf(exchange);
  const handover = handOver(exchange, api);
  return {
    method: facts.method,
    target: (route?.target ?? exchange.path) + handover.query,
    headers: upstreamHeaders({
      rawHeaders: handover.rawHeaders,
      connection: facts.headers.connection,
      credentialFields: api.credentialFields,
      forwardedFor,
      forwardedProto: schemeOf(exchange),
      forwardedHost: facts.headers.host,
      requestId: exchange.requestId,
      key: identity?.key ?? null,
      authorization: handover.authorization,
      methodUnjudged: api.enforcement === 'report',
      bodyChanged: exchange.bodyChanged,
      eventRoute: exchange.eventsJudged ? (route?.route ?? null) : null,
      bodyDecoded: exchange.bodyJudged,
      contentType: exchange.typeOfUntyped,
    }),
    host: upstream.preserveHost ? (facts.headers.host ?? upstream.host) : upstream.host,
    body: body === 'unread' ? null : body === 'stream' ? exchange.req : body,
    contentLength: declaredLength(facts),
    holder: identity === null ? '' : identity.key.id,
  };
}

/** What is left of the key's rate limit, as the IETF's draft on RateLimit fields says it. */
export function quotaHeaders({ identity, quota }: Exchange): readonly string[] {
  const limit = identity?.key.rateLimit ?? null;
  if (quota === null || limit === null) return NO_HEADERS;
  const policy = `"key";q=${limit.requests};w=${limit.windowSeconds}`;
  return ['RateLimit-Policy', policy, 'RateLimit', `"key";r=${quota.remaining};t=${quota.resetSeconds}`];
}

const NO_HEADERS: readonly string[] = [];

/** The header list of the backend's answer as the client gets it. What is added takes the place of what the backend says of that. */
export function answerHeaders(exchange: Exchange, rawHeaders: readonly string[]): string[] {
  const { removedEvents, requestId, wouldReject } = exchange;
  const own = ['X-Request-Id', requestId, ...quotaHeaders(exchange)];
  if (removedEvents > 0 && wouldReject === null) own.push('Postern-Removed-Events', String(removedEvents));
  return clientHeaders({ rawHeaders, cors: corsOfAnswer(exchange), added: own });
}

/** The same of an answer that was kept, whose fields were those of another request: only what is each request's own is left to add. */
export function keptHeaders(exchange: Exchange, headers: readonly string[]): string[] {
  return exchange.removedEvents === 0 && exchange.quota === null && corsOfAnswer(exchange) === null
    ? [...headers, 'X-Request-Id', exchange.requestId]
    : answerHeaders(exchange, headers);
}

/**
 * For keys that no page may use, the backend's own CORS fields stand as they are (null). So they do in an API in report mode, whose
 * backend answers preflights itself, and for a page that a key's report mode alone lets through.
 */
function corsOfAnswer(exchange: Exchange): readonly string[] | null {
  if (exchange.identity?.key.allowBrowsers !== true || exchange.api?.enforcement === 'report') return null;
  const cors = corsHeadersFor(exchange);
  return cors.length === 0 && exchange.wouldReject !== null ? null : cors;
}
