/**
 * What becomes of the caller's credential on the way to the backend: it is taken out of the header fields and the query, or
 * replaced in its place by the configured upstream credential. `Authorization` itself is written by upstream/headers, a body
 * by body-credential.
 */
import { foldFieldName } from '../lib/header-list.ts';
import { queryParameters } from '../lib/query.ts';
import type { Facts } from './facts.ts';
import type { ApiRules, CredentialLocation, UpstreamAuthorization } from './ruleset.ts';

export interface HandedRequest {
  readonly facts: Facts;
  /** '' or `?...`. */
  readonly query: string;
  /** A credential for the backend stands in the body. */
  readonly bodyHandedOver: boolean;
}

export interface Handover {
  readonly rawHeaders: readonly string[];
  /** '' or `?...`. */
  readonly query: string;
  readonly authorization: UpstreamAuthorization;
}

const PASS: UpstreamAuthorization = { kind: 'pass' };
const STRIP: UpstreamAuthorization = { kind: 'strip' };

/**
 * Applies the upstream's credentials to every place where a credential may stand, and takes out every field that a lenient
 * backend would read as a header that was judged. With `bearer` and `basic-username` alone, which is the default, nothing is
 * copied. An API in report mode fronts a backend that still checks credentials itself: there all of them pass.
 */
export function handOver({ facts, query, bodyHandedOver }: HandedRequest, api: ApiRules): Handover {
  if (api.enforcement === 'report') return { rawHeaders: facts.rawHeaders, query, authorization: PASS };
  const locations = api.credential;
  let { rawHeaders } = facts;
  let handedQuery = query;
  /** Some place but `Authorization` holds a credential for the backend. */
  let stands = bodyHandedOver;
  for (let i = 0; i < locations.length; i++) {
    const location = locations[i] as CredentialLocation;
    if (location.kind !== 'header' && location.kind !== 'query') continue;
    const handed = api.authorization.places[i] as UpstreamAuthorization;
    const value = handed.kind === 'literal' ? handed.value : null;
    if (location.kind === 'header') {
      const own = withoutLookAlikes(rawHeaders, location.name);
      rawHeaders = handed.kind === 'pass' ? own : replaceHeader(own, location.name, value);
      if (value !== null && rawHeaders !== own) stands = true;
    } else if (handed.kind !== 'pass') {
      const replaced = replaceParameter(handedQuery, location.name, value);
      if (value !== null && replaced !== handedQuery) stands = true;
      handedQuery = replaced;
    }
  }
  return { rawHeaders, query: handedQuery, authorization: inAuthorization(facts, api, stands) };
}

/** A credential that went out in its own place is not sent a second time in `Authorization`, where nobody asked for it. */
function inAuthorization(
  { headers: { authorization: sent } }: Facts,
  { authorization }: ApiRules,
  stands: boolean,
): UpstreamAuthorization {
  if (sent === undefined) return stands && authorization.bearer.kind === 'literal' ? STRIP : authorization.bearer;
  return authorization.basic !== authorization.bearer && /^basic(?: |$)/i.test(sent)
    ? authorization.basic
    : authorization.bearer;
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
