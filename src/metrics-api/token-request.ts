/**
 * Reads a token request: the JSON form, or OAuth 2.0 client credentials (RFC 6749 4.4) with the client's credentials by HTTP
 * Basic or in the body. Says which client and secret were shown, or what is wrong with the request. Believes nobody.
 */
import { checkMedia } from '../event-filter/media.ts';
import type { OAuthError } from '../policy/refusal.ts';

export type TokenForm = 'json' | 'oauth';

export type ReadTokenRequest =
  | { readonly kind: 'pair'; readonly apiKey: string; readonly clientSecret: string }
  /** `why` is for the caller: it quotes nothing of the request. */
  | { readonly kind: 'error'; readonly error: OAuthError['error']; readonly why: string };

/** Which form a content type announces, or null: neither. */
export function tokenForm(contentType: string | undefined): TokenForm | null {
  if (contentType === undefined) return null;
  if (FORM_TYPE.test(contentType)) return 'oauth';
  return JSON_TYPE.test(contentType) && checkMedia(contentType) === null ? 'json' : null;
}

const FORM_TYPE = /^application\/x-www-form-urlencoded[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8")[ \t]*)?$/i;
const JSON_TYPE = /^application\/json[ \t]*(?:;|$)/i;

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
  return { kind: 'pair', apiKey: environmentApiKey, clientSecret };
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
  if (apiKey === undefined || clientSecret === undefined)
    return wrong('invalid_request', 'client_id and client_secret are needed, by HTTP Basic or in the body.');
  return { kind: 'pair', apiKey, clientSecret };
}

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i;

/** RFC 6749 2.3.1: id and secret are form-encoded before they are joined. 2.3: one method of authentication, not two. */
function readBasic(authorization: string, fields: ReadonlyMap<string, string>): ReadTokenRequest {
  if (!/^basic(?: |$)/i.test(authorization))
    return wrong('invalid_client', 'The only authentication scheme known here is Basic.');
  const bytes = Buffer.from(BASIC.exec(authorization)?.[1] ?? '', 'base64');
  const text = utf8(bytes) ?? '';
  const colon = text.indexOf(':');
  const apiKey = colon === -1 ? null : formDecoded(text.slice(0, colon));
  const clientSecret = colon === -1 ? null : formDecoded(text.slice(colon + 1));
  if (!apiKey || !clientSecret)
    return wrong(
      'invalid_request',
      'The Basic credentials are malformed: base64 of form-encoded client id, colon, form-encoded secret.',
    );
  if (fields.has('client_secret') || (fields.has('client_id') && fields.get('client_id') !== apiKey))
    return wrong('invalid_request', 'Client credentials stand both in Authorization and in the body.');
  return { kind: 'pair', apiKey, clientSecret };
}

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

const wrong = (error: OAuthError['error'], why: string): ReadTokenRequest => ({ kind: 'error', error, why });
