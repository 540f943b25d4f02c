/**
 * Builds the field lists of both directions: what passes, in the sender's order and spelling, then what Postern adds.
 * Pure: reads no connection and no clock, and changes no value that passes.
 */
import { fieldValues, hasField } from '../lib/header-list.ts';
import { withoutMethodCookies } from '../lib/method-override.ts';
import { withoutEventCookies } from '../policy/event-cookies.ts';
import type { CompiledRoute } from '../policy/route.ts';
import type { UpstreamAuthorization } from '../policy/ruleset.ts';
import { type FieldRule, ruleOf } from './field-rules.ts';
import { withoutOwnCookie } from './own-cookie.ts';

export interface UpstreamHeadersInput {
  /** The client's fields, names and values alternating. */
  readonly rawHeaders: readonly string[];
  /** Every Connection value of the client. */
  readonly connection: readonly string[];
  /** Lower-case names of fields that hold a credential: `Connection` takes neither the client's away nor its replacement. */
  readonly credentialFields: readonly string[];
  /** The complete value: the trusted chain and the peer. */
  readonly forwardedFor: string;
  readonly forwardedProto: 'http' | 'https';
  /** The client's Host. */
  readonly forwardedHost: string | undefined;
  readonly requestId: string;
  /** null when no key is known (report mode). */
  readonly key: { readonly id: string; readonly type: string } | null;
  readonly authorization: UpstreamAuthorization;
  /** No method was judged, so that one in a header field or a cookie contradicts nothing. */
  readonly methodUnjudged: boolean;
  /** The body sent on is not the one received: what describes that one stays behind. */
  readonly bodyChanged: boolean;
  /** Events were judged on this route: no cookie may hold others. null: none were. */
  readonly eventRoute: CompiledRoute | null;
  /** The body was judged without a content coding, and goes so. */
  readonly bodyDecoded: boolean;
  /** What the body is called where the client did not say, or said nothing in an empty field; null: nothing is added. */
  readonly contentType: string | null;
}

export interface ClientHeadersInput {
  /** The backend's fields, hop-by-hop ones included. */
  readonly rawHeaders: readonly string[];
  /** Postern's CORS fields, flat; they replace the backend's. null leaves the backend's alone. */
  readonly cors: readonly string[] | null;
  /** Further fields, flat; they replace the backend's of the same name, except that lists (Vary, Cache-Status) grow. */
  readonly added: readonly string[];
}

/** The scheme the client used: a trusted proxy's word if it is one of two, else what this connection is. */
export function forwardedProto(trustedValue: string | undefined, secure: boolean): 'http' | 'https' {
  if (trustedValue === 'http' || trustedValue === 'https') return trustedValue;
  return secure ? 'https' : 'http';
}

/** The fields for the backend. Host and framing are left to the dispatcher. */
export function upstreamHeaders(input: UpstreamHeadersInput): string[] {
  const { rawHeaders } = input;
  const nominated = nominatedBy(input.connection);
  const fields: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const rule = ruleOf(name);
    if (!passesUpstream(rule, input)) continue;
    if (isNominated(rule, nominated) && !input.credentialFields.includes(rule.name)) continue;
    const value = rawHeaders[i + 1] as string;
    if (input.contentType !== null && rule.name === 'content-type') continue;
    const passing = rule.name === 'cookie' ? cookieFor(value, input) : value;
    if (passing !== '' || rule.name !== 'cookie') fields.push(name, passing);
  }
  if (input.contentType !== null) fields.push('Content-Type', input.contentType);
  fields.push('X-Forwarded-For', input.forwardedFor, 'X-Forwarded-Proto', input.forwardedProto);
  if (input.forwardedHost !== undefined) fields.push('X-Forwarded-Host', input.forwardedHost);
  fields.push('X-Request-Id', input.requestId);
  if (input.key !== null) fields.push('Postern-Key-Id', input.key.id, 'Postern-Key-Type', input.key.type);
  if (input.authorization.kind === 'literal') fields.push('Authorization', input.authorization.value);
  return fields;
}

/** The fields for the client. Set-Cookie and every other repetition stay as they came. */
export function clientHeaders(input: ClientHeadersInput): string[] {
  const { rawHeaders, cors, added } = input;
  const nominated = nominatedBy(fieldValues(rawHeaders, 'connection'));
  const replaced = namesIn(added);
  const fields: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const rule = ruleOf(name);
    if (!passesToClient(rule, input) || isNominated(rule, nominated) || replaced.includes(rule.name)) continue;
    fields.push(name, rawHeaders[i + 1] as string);
  }
  for (const part of added) fields.push(part);
  if (cors !== null) for (const part of cors) fields.push(part);
  return fields;
}

/** The trailer fields for the client, as pairs: those that a recipient may meet after the content (RFC 9110 6.5.1). */
export function clientTrailers(rawTrailers: readonly string[]): [string, string][] {
  const trailers: [string, string][] = [];
  for (let i = 0; i < rawTrailers.length; i += 2) {
    const name = rawTrailers[i] as string;
    if (ruleOf(name).mayTrail) trailers.push([name, rawTrailers[i + 1] as string]);
  }
  return trailers;
}

function cookieFor(value: string, { eventRoute, methodUnjudged }: UpstreamHeadersInput): string {
  const cookie = methodUnjudged ? withoutOwnCookie(value) : withoutMethodCookies(withoutOwnCookie(value));
  return eventRoute === null ? cookie : withoutEventCookies(cookie, eventRoute);
}

function passesUpstream(rule: FieldRule, input: UpstreamHeadersInput): boolean {
  const { toUpstream } = rule;
  if (toUpstream === 'authorization') return input.authorization.kind === 'pass';
  if (toUpstream === 'coding') return !input.bodyDecoded;
  if (toUpstream === 'method') return input.methodUnjudged;
  return toUpstream === 'pass' || (toUpstream === 'body' && !input.bodyChanged);
}

function passesToClient(rule: FieldRule, input: ClientHeadersInput): boolean {
  const { toClient } = rule;
  if (toClient === 'trailer') return hasField(input.rawHeaders, 'transfer-encoding');
  return toClient === 'pass' || (toClient === 'cors' && input.cors === null);
}

function isNominated(rule: FieldRule, nominated: ReadonlySet<string> | null): boolean {
  return nominated !== null && rule.mayBeNominated && nominated.has(rule.name);
}

/** The field names that `Connection` declares hop-by-hop, in lower case; null for the everyday values, which name none. */
function nominatedBy(values: readonly string[]): ReadonlySet<string> | null {
  let nominated: Set<string> | null = null;
  for (const value of values) {
    if (value === 'keep-alive' || value === 'close' || value === 'Keep-Alive') continue;
    for (const option of value.split(',')) {
      nominated ??= new Set();
      nominated.add(option.trim().toLowerCase());
    }
  }
  return nominated;
}

/** Lists to which every intermediary adds its own member (RFC 9110 12.5.5, RFC 9211). */
const GROWING_LISTS: readonly string[] = ['vary', 'cache-status'];

function namesIn(fields: readonly string[]): readonly string[] {
  const names: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const { name } = ruleOf(fields[i] as string);
    if (!GROWING_LISTS.includes(name)) names.push(name);
  }
  return names;
}
