/**
 * The closed vocabulary of refusals. One table gives each code its status, its public text and its log level;
 * the response, the log line, the metric label, `explain` and docs/refusals.md all read it. Nothing here refuses anything.
 */

/** Why a request was refused, as the caller reads it in `code` of the problem document (RFC 9457). */
export type RefusalCode = keyof typeof REFUSALS;

/** How loudly a refusal is logged: `warn` for what an operator should look at, `info` for everyday refusals. */
export type RefusalLevel = 'info' | 'warn';

interface RefusalEntry {
  readonly status: number;
  readonly title: string;
  /** Public: helps the caller and gives nothing away. */
  readonly detail: string;
  readonly level: RefusalLevel;
  /** The connection is closed afterwards: what follows on it cannot be trusted to be a request. */
  readonly closes: boolean;
}

const entry = (status: number, title: string, detail: string, level: RefusalLevel = 'info'): RefusalEntry => ({
  status,
  title,
  detail,
  level,
  closes: false,
});

const closing = (status: number, title: string, detail: string): RefusalEntry => ({
  ...entry(status, title, detail),
  closes: true,
});

export const REFUSALS = {
  malformed_request: closing(400, 'Malformed Request', 'The request is not a well-formed HTTP/1.1 request.'),
  ambiguous_path: entry(400, 'Ambiguous Path', 'The path can be read in more than one way. Send it in its plain form.'),
  invalid_json: entry(400, 'Invalid JSON', 'The body is not valid JSON (RFC 8259) in UTF-8.'),
  invalid_event_body: entry(400, 'Invalid Event Body', 'The body does not have the shape that this route expects.'),
  ambiguous_body: entry(
    400,
    'Ambiguous Body',
    'A member that this server judges by is repeated, in another letter case, or beside another that means the same.',
  ),
  invalid_request: entry(400, 'Invalid Request', 'A field that this endpoint needs is missing or malformed.'),
  missing_credential: entry(401, 'Missing Credential', 'Send the API key as "Authorization: Bearer <key>".'),
  invalid_credential: entry(401, 'Invalid Credential', 'The credential is not valid here.', 'warn'),
  invalid_client: entry(401, 'Invalid Client', 'The client secret and the API key are not a valid pair.', 'warn'),
  address_denied: entry(403, 'Address Denied', 'Requests from your address are refused here.', 'warn'),
  ip_not_allowed: entry(403, 'Address Not Allowed', 'This may not be used from your address.', 'warn'),
  browser_not_allowed: entry(403, 'Browser Not Allowed', 'This credential must not be used from a web page.', 'warn'),
  origin_not_allowed: entry(403, 'Origin Not Allowed', 'This credential may not be used from this origin.', 'warn'),
  cors_not_allowed: entry(403, 'Preflight Refused', 'No key admits this origin.'),
  method_not_allowed: entry(403, 'Method Not Allowed', 'This credential may not use this method.'),
  route_not_allowed: entry(403, 'Route Not Allowed', 'This credential may not use this route.'),
  query_not_allowed: entry(403, 'Query Not Allowed', 'This credential may not send this query here.'),
  event_not_allowed: entry(403, 'Event Not Allowed', 'This credential may not send this event.'),
  no_route: entry(404, 'No Route', 'Nothing is served here.'),
  method_not_supported: closing(405, 'Method Not Supported', 'This method is not served by this server.'),
  request_timeout: closing(408, 'Request Timeout', 'The request did not arrive in time.'),
  body_too_large: entry(413, 'Body Too Large', 'The body is larger than this server accepts.'),
  unsupported_media_type: entry(415, 'Unsupported Media Type', 'Send the body as application/json in UTF-8.'),
  unsupported_encoding: entry(415, 'Unsupported Encoding', 'Send the body with at most one known content coding.'),
  expectation_failed: closing(417, 'Expectation Failed', 'The only expectation met here is 100-continue.'),
  rate_limited: entry(429, 'Rate Limited', 'Too many requests. Try again after the time in Retry-After.'),
  header_fields_too_large: closing(431, 'Header Fields Too Large', 'The header section is too large.'),
  internal_error: closing(500, 'Internal Error', 'Something went wrong here. The request was not at fault.'),
  not_implemented: closing(501, 'Not Implemented', 'The request asks for something that this server does not do.'),
  upstream_unreachable: entry(
    502,
    'Upstream Unreachable',
    'The service behind this one gave no usable answer.',
    'warn',
  ),
  not_ready: entry(503, 'Not Ready', 'The service is starting. Try again shortly.', 'warn'),
  overloaded: entry(503, 'Overloaded', 'The service is busy. Try again shortly.', 'warn'),
  upstream_timeout: entry(504, 'Upstream Timeout', 'The service behind this one did not answer in time.', 'warn'),
  version_not_supported: closing(505, 'Version Not Supported', 'Only HTTP/1.0 and HTTP/1.1 are served here.'),
} as const satisfies Record<string, RefusalEntry>;

/**
 * How a refusal is written for the clients of an API. `problem`: as RFC 9457 has it, with the code under `code`. `amplitude`: for
 * clients that read an HTTP status there, with the code under `reason`.
 */
export type RefusalForm = 'problem' | 'amplitude';

/** The metric label `reason`: the code, except that credentials tell apart what callers must not (contract: one wording). */
export type RefusalReason = Exclude<RefusalCode, 'invalid_credential'> | 'unknown' | 'disabled' | 'expired';

/** A decision against a request. */
export interface Refusal {
  readonly code: RefusalCode;
  /** Bounded vocabulary for the metric label and the log. */
  readonly reason: RefusalReason;
  /** For the operator (log, `explain`): which rule and which value decided. Never holds a secret, query value or body. */
  readonly why: string;
  /** What the caller is told in place of the code's own text: helps, gives nothing away, and holds nothing that a client sent. */
  readonly detail?: string;
  /** What decided, as the log and `explain` name it: a list and its entry, a policy, a route. */
  readonly rule?: string;
  /** The key that was recognised but may not be used: for the log and the metrics, never for the caller. */
  readonly keyId?: string;
  /** The methods for `Allow` (RFC 9110 10.2.1), where they are others than everywhere. */
  readonly allow?: string;
  /** Seconds for `Retry-After` (RFC 9110 10.2.3). */
  readonly retryAfter?: number;
  /** How it is told at the token endpoint, where the code alone does not say. */
  readonly oauth?: OAuthError;
}

/** RFC 6749 5.2, and `access_denied` and `temporarily_unavailable` of 4.1.2.1. */
export interface OAuthError {
  readonly error:
    | 'invalid_request'
    | 'invalid_client'
    | 'unsupported_grant_type'
    | 'invalid_scope'
    | 'access_denied'
    | 'temporarily_unavailable'
    | 'server_error';
  /** For the caller: helps, and gives nothing away. */
  readonly why: string;
}

/** A verdict with a value, or with the refusal that ends the request's way. */
export type Decision<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal };

/** Makes a refusal whose metric reason is its code. `rule`: what decided, where there is a choice of them. */
export const refusal = (code: Exclude<RefusalCode, 'invalid_credential'>, why: string, rule?: string): Refusal =>
  rule === undefined ? { code, reason: code, why } : { code, reason: code, why, rule };

export const allowed = <T>(value: T): Decision<T> => ({ ok: true, value });

export const refused = (reason: Refusal): { readonly ok: false; readonly refusal: Refusal } => ({
  ok: false,
  refusal: reason,
});
