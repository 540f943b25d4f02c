/**
 * Whether the answer to a request may be kept, for how long and for whom, and what of the request, beside its method, target, Host
 * and body, may shape that answer. Asks no cache.
 */
import { handOver } from '../policy/credential-handover.ts';
import { isMetricsQuery } from '../policy/own-endpoint.ts';
import type { ApiRules, UpstreamAuthorization } from '../policy/ruleset.ts';
import { USER_FIELDS } from '../policy/user-fields.ts';
import { forwardedProto } from '../upstream/headers.ts';
import { clientOf, type Passage, type Routed } from './passage.ts';

/** Whether the cache is asked for the answer: of a route that says so or a query of the metrics API, if nothing stood against it. */
export function mayBeCached(passage: Passage): boolean {
  const { api, facts, route, identity, wouldReject } = passage;
  if (api === null || wouldReject !== null || !CACHED_METHODS.has(facts.method)) return false;
  // In report mode the backend still judges the caller itself, on every request.
  if (api.enforcement !== 'enforce') return false;
  // Two fields for one coding: which of them the backend goes by is no part of the key.
  if (facts.headers.contentEncodingCount > 1 || facts.headers.contentTypeCount > 1) return false;
  if (identity === null && route?.route.isPublic !== true) return false;
  return (route?.route.cacheMs ?? null) !== null || isQueryOfMetrics(passage);
}

const CACHED_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST']);

const isQueryOfMetrics = ({ api, facts, path }: Passage): boolean =>
  api !== null && facts.method === 'POST' && isMetricsQuery(api, path);

/** How long the answer is fresh, in milliseconds; null: it is not kept. */
export const freshMsOf = ({ route, identity }: Passage): number | null =>
  route?.route.cacheMs ?? identity?.key.cacheTtlMs ?? null;

/** Whether callers who know nothing of each other would share the answer: those without a key, or with one that stands in a page. */
export const isForStrangers = ({ identity }: Passage): boolean =>
  identity === null || (identity.key.allowBrowsers && identity.key.type !== 'metrics');

/**
 * What else may shape the answer, as one unambiguous text. A visitor's session always may, and so may the user that a field names,
 * and what the backend gets where a credential may stand: also one that is passed on to it, or stands for the caller's. Of strangers
 * every field that is not known to be harmless may: none of them can have what the backend makes of a field of his kept for the others.
 */
export function shapeOf(passage: Routed): string {
  const { facts, api, route, identity } = passage;
  const { cookies, namesUser, forwardedProto: told } = facts.headers;
  const proto = forwardedProto(clientOf(passage).fromTrustedProxy ? told : undefined, facts.secure);
  // The backend is told it, and it may change while an answer is kept.
  const type = identity?.key.type ?? null;
  // Two routes may lead to one path of two backends.
  const upstream = route?.route.upstream ?? null;
  const isAnybodys = cookies.length === 0 && !namesUser && !isForStrangers(passage);
  if (upstream === null && isAnybodys && sendsOneCredential(api)) return `${proto} ${type}`;
  const { rawHeaders, authorization } = handOver(passage, api);
  const sent = authorization.kind === 'pass' ? facts.headers.authorization : textOf(authorization);
  return JSON.stringify([proto, type, upstream, cookies, sent, shapingFields(passage, rawHeaders)]);
}

/** Whatever the caller shows, the backend gets the same. */
const sendsOneCredential = ({ authorization: { basic, bearer }, credentialFields }: ApiRules): boolean =>
  bearer.kind !== 'pass' && basic === bearer && credentialFields.length === 0;

const textOf = (authorization: UpstreamAuthorization): string | null =>
  authorization.kind === 'literal' ? authorization.value : null;

/** `rawHeaders`: without the credentials that the backend does not get. */
function shapingFields(passage: Routed, rawHeaders: readonly string[]): string[] {
  const { credentialFields } = passage.api;
  const isStrangers = isForStrangers(passage);
  const fields: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    const isOnes = credentialFields.includes(name) || USER_FIELDS.has(name);
    if (isOnes || (isStrangers && !HARMLESS.has(name) && !OF_BROWSERS.test(name)))
      fields.push(name, rawHeaders[i + 1] as string);
  }
  return fields;
}

/** What browsers say of themselves (Fetch Metadata, Client Hints). */
const OF_BROWSERS = /^sec-(?:fetch-|ch-|gpc$|purpose$)/;

/**
 * Part of the key already, not passed on, replaced by Postern's own, varied by where a backend cares, or different on each request
 * and looked at by nobody but tracing.
 */
const HARMLESS: ReadonlySet<string> = new Set(
  [
    'host authorization cookie content-type content-encoding content-length transfer-encoding connection',
    'keep-alive te expect upgrade upgrade-insecure-requests priority dnt cache-control pragma',
    'accept-encoding user-agent referer save-data x-forwarded-for x-forwarded-proto x-forwarded-host',
    'x-real-ip forwarded true-client-ip cf-connecting-ip cf-ray cdn-loop via x-amz-cf-id x-amzn-trace-id',
    'x-cloud-trace-context x-request-id x-correlation-id traceparent tracestate baggage sentry-trace',
    'uber-trace-id b3 x-b3-traceid x-b3-spanid x-b3-parentspanid x-b3-sampled x-datadog-trace-id',
    'x-datadog-parent-id x-datadog-sampling-priority x-datadog-origin x-datadog-tags newrelic',
  ].flatMap((names) => names.split(' ')),
);
