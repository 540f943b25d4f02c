/**
 * What becomes of the caller's credential on the way to the backend: it is taken out of the header fields and the query, or
 * replaced in its place by the configured upstream credential. `Authorization` itself is written by upstream/headers, a body
 * by body-credential.
 */
import { foldFieldName } from '../lib/header-list.ts';
import { queryParameters } from '../lib/query.ts';
import type { Facts } from './facts.ts';
import type { ApiRules, UpstreamAuthorization } from './ruleset.ts';

export interface HandedRequest {
  readonly facts: Facts;
  /** '' or `?...`. */
  readonly query: string;
  /** A credential in the body was taken out or replaced already. */
  readonly bodyHandedOver: boolean;
}

export interface Handover {
  readonly rawHeaders: readonly string[];
  /** '' or `?...`. */
  readonly query: string;
  readonly authorization: UpstreamAuthorization;
}

/** What stands for the caller's credential. An API in report mode fronts a backend that still checks credentials itself. */
export function authorizationFor({ enforcement, authorization }: ApiRules): UpstreamAuthorization {
  return enforcement === 'report' ? { kind: 'pass' } : authorization;
}

/**
 * Applies the upstream authorization to every place where a credential may stand, and takes out every field that a lenient
 * backend would read as a header that was judged. With `bearer` and `basic-username` alone, which is the default, nothing is
 * copied.
 */
export function handOver({ facts, query, bodyHandedOver }: HandedRequest, api: ApiRules): Handover {
  const authorization = authorizationFor(api);
  const locations = api.credential;
  let { rawHeaders } = facts;
  let handedQuery = query;
  for (const location of locations)
    if (location.kind === 'header') rawHeaders = withoutLookAlikes(rawHeaders, location.name);
  if (authorization.kind === 'pass') return { rawHeaders, query, authorization };
  const replacement = authorization.kind === 'literal' ? authorization.value : null;
  for (const location of locations) {
    if (location.kind === 'header') rawHeaders = replaceHeader(rawHeaders, location.name, replacement);
    else if (location.kind === 'query') handedQuery = replaceParameter(handedQuery, location.name, replacement);
  }
  const moved = bodyHandedOver || rawHeaders !== facts.rawHeaders || handedQuery !== query;
  // A replaced credential went out in its own place: a second copy in Authorization would be one that nobody asked for.
  const isSecondCopy = moved && facts.headers.authorization === undefined;
  return { rawHeaders, query: handedQuery, authorization: isSecondCopy ? { kind: 'strip' } : authorization };
}

/** `X_API_Key` is `X-API-Key` to a backend that folds names, and so is `HTTP_X_API_Key` to one that looks for CGI's name. */
function withoutLookAlikes(rawHeaders: readonly string[], name: string): readonly string[] {
  const folded = foldFieldName(name);
  const isLookAlike = (field: string): boolean => {
    if (field.toLowerCase() === name) return false;
    const read = foldFieldName(field);
    return read === folded || read === `http-${folded}`;
  };
  const found = rawHeaders.some((field, i) => i % 2 === 0 && isLookAlike(field));
  return found ? rawHeaders.filter((_, i) => !isLookAlike(rawHeaders[i - (i % 2)] as string)) : rawHeaders;
}

function replaceHeader(rawHeaders: readonly string[], name: string, value: string | null): readonly string[] {
  const kept: string[] = [];
  let found = false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const field = rawHeaders[i] as string;
    if (field.length !== name.length || field.toLowerCase() !== name) kept.push(field, rawHeaders[i + 1] as string);
    else {
      found = true;
      if (value !== null) kept.push(field, value);
    }
  }
  return found ? kept : rawHeaders;
}

/** Every other byte of the query stays as it is. */
function replaceParameter(query: string, name: string, value: string | null): string {
  const pairs: string[] = [];
  let found = false;
  for (const parameter of queryParameters(query)) {
    const written = query.slice(parameter.start, parameter.end);
    if (parameter.name !== name) pairs.push(written);
    else {
      found = true;
      if (value !== null) pairs.push(`${written.split('=', 1)[0]}=${encodeURIComponent(value)}`);
    }
  }
  if (!found) return query;
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}
