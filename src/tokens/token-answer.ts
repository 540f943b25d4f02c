/**
 * How the answers of the token endpoint are written: tokens in both forms, and refusals in the words of RFC 6749 5.2.
 * Decides nothing.
 */
import { REFUSALS, type OAuthError, type Refusal } from '../refusal.ts';
import type { IssuedToken } from './token.ts';

/** An answer of Postern's own, less its Content-Length. */
export interface TokenAnswer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
}

export function jsonToken(requestId: string, { accessToken, expiresIn }: IssuedToken): TokenAnswer {
  const body = { accessToken, tokenType: 'Bearer', expiresIn };
  return { status: 200, headers: ownHeaders(requestId), body: JSON.stringify(body) };
}

/** RFC 6749 5.1. */
export function oauthToken(requestId: string, { accessToken, expiresIn }: IssuedToken): TokenAnswer {
  const body = { access_token: accessToken, token_type: 'Bearer', expires_in: expiresIn };
  return { status: 200, headers: ownHeaders(requestId), body: JSON.stringify(body) };
}

/** RFC 6749 5.2. `realm`: the API that the token would be for. */
export function oauthRefusal(requestId: string, reason: Refusal, realm: string): TokenAnswer {
  const told = reason.oauth ?? oauthError(reason);
  const { status } = REFUSALS[reason.code];
  const headers = ownHeaders(requestId);
  // RFC 9110 11.6.1: a 401 names a scheme that would do.
  if (status === 401) headers.push('WWW-Authenticate', `Basic realm="${realm}", charset="UTF-8"`);
  if (reason.allow !== undefined) headers.push('Allow', reason.allow);
  if (reason.retryAfter !== undefined) headers.push('Retry-After', String(reason.retryAfter));
  return { status, headers, body: JSON.stringify({ error: told.error, error_description: told.why }) };
}

/** RFC 6749 5.1: what holds a token is never kept, by caches of HTTP/1.0 either. */
function ownHeaders(requestId: string): string[] {
  const headers = ['Content-Type', 'application/json', 'Cache-Control', 'no-store', 'Pragma', 'no-cache'];
  headers.push('X-Request-Id', requestId);
  return headers;
}

function oauthError(reason: Refusal): OAuthError {
  const why = REFUSALS[reason.code].detail;
  switch (reason.code) {
    case 'invalid_client':
      return { error: 'invalid_client', why };
    case 'ip_not_allowed':
    case 'browser_not_allowed':
    case 'origin_not_allowed':
      return { error: 'access_denied', why };
    case 'rate_limited':
      return { error: 'temporarily_unavailable', why };
    case 'internal_error':
      return { error: 'server_error', why };
    default:
      return { error: 'invalid_request', why };
  }
}
