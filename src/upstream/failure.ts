/**
 * Names what went wrong between Postern and the backend, in a closed vocabulary for metric labels and refusals.
 * Decides by error code and by how far the request had come; retries nothing and answers nobody.
 */

/** The metric label `kind`. `aborted` is no fault of the backend: this side gave the request up. */
export type UpstreamFailureKind =
  | 'connect'
  | 'connect_timeout'
  | 'tls'
  | 'reset'
  | 'header_timeout'
  | 'idle_timeout'
  | 'malformed'
  | 'truncated'
  | 'overloaded'
  | 'aborted'
  | 'unknown';

/** The refusals an upstream failure can turn into, as long as nothing has been answered yet. */
export type UpstreamRefusalCode = 'upstream_unreachable' | 'upstream_timeout' | 'overloaded';

export interface UpstreamFailure {
  readonly kind: UpstreamFailureKind;
  readonly code: UpstreamRefusalCode;
  /** For the operator's log: one line, never a header value or body. */
  readonly why: string;
}

/** How far the request had come: no connection yet, request written, final response headers read. */
export type FlightPhase = 'connecting' | 'sent' | 'answering';

const MAX_WHY_LENGTH = 200;

const REFUSAL_OF: Readonly<Record<UpstreamFailureKind, UpstreamRefusalCode>> = {
  connect: 'upstream_unreachable',
  connect_timeout: 'upstream_unreachable',
  tls: 'upstream_unreachable',
  reset: 'upstream_unreachable',
  header_timeout: 'upstream_timeout',
  idle_timeout: 'upstream_timeout',
  malformed: 'upstream_unreachable',
  truncated: 'upstream_unreachable',
  overloaded: 'overloaded',
  aborted: 'upstream_unreachable',
  unknown: 'upstream_unreachable',
};

/** What a connection that ended without a word means, by how far the request had come. */
const BROKEN_IN: Readonly<Record<FlightPhase, UpstreamFailureKind>> = {
  connecting: 'connect',
  sent: 'reset',
  answering: 'truncated',
};

/** Codes that mean one thing in every phase. The others are in `kindOf`. */
const KIND_OF_CODE: ReadonlyMap<string, UpstreamFailureKind> = new Map<string, UpstreamFailureKind>([
  // Node refuses to pass on what the backend answered.
  ['ERR_INVALID_CHAR', 'malformed'],
  ['ERR_INVALID_HTTP_TOKEN', 'malformed'],
  ['ERR_HTTP_INVALID_STATUS_CODE', 'malformed'],
  ['ECONNREFUSED', 'connect'],
  ['EHOSTUNREACH', 'connect'],
  ['EHOSTDOWN', 'connect'],
  ['ENETUNREACH', 'connect'],
  ['ENETDOWN', 'connect'],
  ['EADDRNOTAVAIL', 'connect'],
  ['EACCES', 'connect'],
  ['EPERM', 'connect'],
  ['EMFILE', 'connect'],
  ['ENFILE', 'connect'],
  // Of Unix sockets: no such file, a path through a file, no stream socket, a full queue.
  ['ENOENT', 'connect'],
  ['ENOTDIR', 'connect'],
  ['ELOOP', 'connect'],
  ['ENOTSOCK', 'connect'],
  ['EPROTOTYPE', 'connect'],
  ['EAGAIN', 'connect'],
  ['ENOTFOUND', 'connect'],
  ['EAI_AGAIN', 'connect'],
  ['EAI_FAIL', 'connect'],
  ['EAI_NODATA', 'connect'],
  ['EAI_NONAME', 'connect'],
  ['EPROTO', 'tls'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'tls'],
  ['HOSTNAME_MISMATCH', 'tls'],
  ['INVALID_CA', 'tls'],
  ['INVALID_PURPOSE', 'tls'],
  ['PATH_LENGTH_EXCEEDED', 'tls'],
]);

const TLS_PREFIXES = ['ERR_TLS_', 'ERR_SSL_', 'ERR_OSSL_', 'CERT_', 'CRL_', 'UNABLE_TO_', 'ERROR_IN_CERT_'] as const;

/** Makes a failure of a kind this layer decided on itself. */
export function failureOf(kind: UpstreamFailureKind, why: string): UpstreamFailure {
  return { kind, code: REFUSAL_OF[kind], why };
}

/** Names an error of Node. Unlisted errors are `unknown`, never thrown on. */
export function failureFrom(error: unknown, phase: FlightPhase): UpstreamFailure {
  const { code = '', message = '', reason } = (error ?? {}) as Partial<ErrorText>;
  return failureOf(kindOf(code, phase), describe(code, isOfOpenssl(code) && reason ? reason : message));
}

interface ErrorText {
  readonly code: string;
  readonly message: string;
  /** Of OpenSSL's errors: without the thread, the function and the line in its sources, which the message has too. */
  readonly reason: string;
}

const isOfOpenssl = (code: string): boolean => code.startsWith('ERR_SSL_') || code.startsWith('ERR_OSSL_');

function kindOf(code: string, phase: FlightPhase): UpstreamFailureKind {
  const known = KIND_OF_CODE.get(code);
  if (known !== undefined) return known;
  switch (code) {
    case 'ETIMEDOUT':
      return phase === 'connecting' ? 'connect_timeout' : BROKEN_IN[phase];
    case 'ECONNRESET':
    case 'ECONNABORTED':
    case 'EPIPE':
      return BROKEN_IN[phase];
    default:
  }
  return TLS_PREFIXES.some((prefix) => code.startsWith(prefix)) ? 'tls' : 'unknown';
}

function describe(code: string, message: string): string {
  const line = message.replace(/\s+/g, ' ').trim();
  const text = code === '' || line.includes(code) ? line : `${code}: ${line}`;
  return text.length > MAX_WHY_LENGTH ? `${text.slice(0, MAX_WHY_LENGTH)}...` : text;
}
