/**
 * Reads a token request: the JSON form, or OAuth 2.0 client credentials (RFC 6749 4.4) with the client's credentials by HTTP
 * Basic or in the body. Says which client and secret were shown, or what is wrong with the request. Believes nobody.
 */
import { checkMedia } from '../event-filter/media.ts';
import type { OAuthError } from '../refusal.ts';

export type TokenForm = 'json' | 'oauth';

/** What is known of a token request before its body. */
export interface TokenRequestHead {
  readonly contentType: string | undefined;
  readonly authorization: string | undefined;
}

export type ReadTokenRequest =
  | { readonly kind: 'pair'; readonly pairs: readonly ClientPair[] }
  /** `why` is for the caller: it quotes nothing of the request. */
  | { readonly kind: 'error'; readonly error: OAuthError['error']; readonly why: string };

/** Further ones are other readings of the same text. */
export interface ClientPair {
  readonly apiKey: string;
  readonly clientSecret: string;
}

/**
 * Which form a request has; null: neither. `untyped`: it has no type, and is a form unless its body is something else. The type is read as leniently as
 * clients write it, since nobody else reads it: in any case, with any parameters, as long as the charset is UTF-8.
 */
export function tokenForm({ contentType = '', authorization = '' }: TokenRequestHead): TokenForm | 'untyped' | null {
  if (contentType.trim() === '') return BASIC_SCHEME.test(authorization) ? 'oauth' : 'untyped';
  if (FORM_TYPE.test(contentType)) return isUtf8(contentType) ? 'oauth' : null;
  return JSON_TYPE.test(contentType) && checkMedia(contentType) === null ? 'json' : null;
}

/** Whether a body that came without a type can be a form. */
export function mayBeForm(body: Buffer): boolean {
  return /^[!-z%~]*=/.test(body.toString('latin1', 0, 256));
}

/** Whether whoever sent this expects errors in the words of OAuth, even to what is neither form. */
export function speaksOAuth({ contentType = '', authorization = '' }: TokenRequestHead): boolean {
  return FORM_TYPE.test(contentType) || (BASIC_SCHEME.test(authorization) && !JSON_TYPE.test(contentType));
}

const FORM_TYPE = /^application\/x-www-form-urlencoded[ \t]*(?:;|$)/i;
const JSON_TYPE = /^application\/json[ \t]*(?:;|$)/i;
const BASIC_SCHEME = /^basic(?: |$)/i;
/** ASCII is UTF-8 too. */
const UTF8_NAMES = new Set(['utf-8', 'utf8', 'us-ascii'].flatMap((name) => [name, `"${name}"`]));
const CHARSET = /;[ \t]*charset[ \t]*=([^;]*)/gi;

function isUtf8(contentType: string): boolean {
  return [...contentType.matchAll(CHARSET)].every(([, charset = '']) => UTF8_NAMES.has(charset.trim().toLowerCase()));
}

/** `{"clientSecret","environmentApiKey"}`; further members are passed over. */
export function readJsonRequest(body: Buffer): ReadTokenRequest {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    return wrong('invalid_request', 'The body is not valid JSON in UTF-8.');
  }
  if (typeof value !== 'object' || value === null) return wrong('invalid_request', 'The body is not a JSON object.');
  const { clientSecret, environmentApiKey } = value as Readonly<Record<string, unknown>>;
  if (
    typeof clientSecret !== 'string' ||
    typeof environmentApiKey !== 'string' ||
    clientSecret === '' ||
    environmentApiKey === ''
  )
    return wrong('invalid_request', 'clientSecret and environmentApiKey are needed, as text.');
  return pair(environmentApiKey, clientSecret);
}

/** RFC 6749 4.4.2. `authorization`: the request's header, undefined when there is none. */
export function readOAuthRequest(body: Buffer, authorization: string | undefined): ReadTokenRequest {
  const fields = readFields(body);
  if (fields === null) return wrong('invalid_request', 'The form is malformed or repeats a parameter.');
  const grantType = fields.get('grant_type');
  if (grantType === undefined) return wrong('invalid_request', 'grant_type is needed.');
  if (grantType !== 'client_credentials')
    return wrong('unsupported_grant_type', 'grant_type must be client_credentials.');
  if (fields.has('scope')) return wrong('invalid_scope', 'Access tokens have no scopes here.');
  if (authorization !== undefined) return readBasic(authorization, fields);
  const apiKey = fields.get('client_id');
  const clientSecret = fields.get('client_secret');
  if (clientSecret === undefined && fields.has('client_assertion'))
    return wrong('invalid_client', 'Clients are known by their secret alone here, not by an assertion.');
  if (apiKey === undefined || clientSecret === undefined)
    return wrong('invalid_request', 'client_id and client_secret are needed, by HTTP Basic or in the body.');
  return pair(apiKey, clientSecret);
}

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i;

/**
 * RFC 6749 2.3.1: id and secret are form-encoded before they are joined; many clients join them as they are, so they are read
 * in both ways. 2.3: one method of authentication, not two.
 */
function readBasic(authorization: string, fields: ReadonlyMap<string, string>): ReadTokenRequest {
  if (!BASIC_SCHEME.test(authorization))
    return wrong('invalid_client', 'The only authentication scheme known here is Basic.');
  const bytes = Buffer.from(BASIC.exec(authorization)?.[1] ?? '', 'base64');
  const text = utf8(bytes) ?? '';
  const colon = text.indexOf(':');
  const written = { apiKey: text.slice(0, Math.max(colon, 0)), clientSecret: text.slice(colon + 1) };
  if (written.apiKey === '' || written.clientSecret === '')
    return wrong('invalid_request', 'The Basic credentials are malformed: base64 of client id, colon, client secret.');
  const decoded = { apiKey: formDecoded(written.apiKey), clientSecret: formDecoded(written.clientSecret) };
  const pairs = isPair(decoded) && !isEqual(decoded, written) ? [decoded, written] : [written];
  const named = fields.get('client_id');
  if (fields.has('client_secret') || (named !== undefined && pairs.every(({ apiKey }) => apiKey !== named)))
    return wrong('invalid_request', 'Client credentials stand both in Authorization and in the body.');
  return { kind: 'pair', pairs };
}

const isPair = (read: { readonly [Name in keyof ClientPair]: string | null }): read is ClientPair =>
  read.apiKey !== null && read.clientSecret !== null;

const isEqual = (a: ClientPair, b: ClientPair): boolean => a.apiKey === b.apiKey && a.clientSecret === b.clientSecret;

/** null when a parameter is repeated (RFC 6749 3.2) or an escape is broken. A parameter without value counts as absent (3.1). */
function readFields(body: Buffer): Map<string, string> | null {
  const text = utf8(body);
  if (text === null) return null;
  const seen = new Set<string>();
  const fields = new Map<string, string>();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = formDecoded(equals === -1 ? pair : pair.slice(0, equals));
    const value = formDecoded(equals === -1 ? '' : pair.slice(equals + 1));
    if (name === null || value === null || seen.has(name)) return null;
    seen.add(name);
    if (value !== '') fields.set(name, value);
  }
  return fields;
}

function formDecoded(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null;
  }
}

function utf8(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

const pair = (apiKey: string, clientSecret: string): ReadTokenRequest => ({
  kind: 'pair',
  pairs: [{ apiKey, clientSecret }],
});

const wrong = (error: OAuthError['error'], why: string): ReadTokenRequest => ({ kind: 'error', error, why });
