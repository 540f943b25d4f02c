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
  ['UND_ERR_CONNECT_TIMEOUT', 'connect_timeout'],
  ['UND_ERR_HEADERS_TIMEOUT', 'header_timeout'],
  ['UND_ERR_BODY_TIMEOUT', 'idle_timeout'],
  ['UND_ERR_HEADERS_OVERFLOW', 'malformed'],
  ['UND_ERR_RES_EXCEEDED_MAX_SIZE', 'malformed'],
  // Node refuses to pass on what the backend answered.
  ['ERR_INVALID_CHAR', 'malformed'],
  ['ERR_INVALID_HTTP_TOKEN', 'malformed'],
  ['ERR_HTTP_INVALID_STATUS_CODE', 'malformed'],
  ['UND_ERR_ABORTED', 'aborted'],
  ['UND_ERR_REQ_CONTENT_LENGTH_MISMATCH', 'aborted'],
  ['UND_ERR_DESTROYED', 'aborted'],
  ['UND_ERR_CLOSED', 'aborted'],
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

/** Names an error of undici or Node. Unlisted errors are `unknown`, never thrown on. */
export function failureFrom(error: unknown, phase: FlightPhase): UpstreamFailure {
  const { name = '', code = '', message = '' } = (error ?? {}) as Partial<ErrorText>;
  return failureOf(kindOf({ name, code, message }, phase), describe(code, message));
}

interface ErrorText {
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

function kindOf({ name, code, message }: ErrorText, phase: FlightPhase): UpstreamFailureKind {
  const known = KIND_OF_CODE.get(code);
  if (known !== undefined) return known;
  switch (code) {
    case 'ETIMEDOUT':
      return phase === 'connecting' ? 'connect_timeout' : BROKEN_IN[phase];
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      // Before the headers are through, undici says this of any flaw in an answer that has a length.
      return phase === 'answering' ? 'truncated' : 'malformed';
    case 'UND_ERR_SOCKET':
      // undici names these two after the fact that the peer broke the protocol; all others are a closed socket.
      return message === 'bad response' || message === 'bad upgrade' ? 'malformed' : BROKEN_IN[phase];
    case 'ECONNRESET':
    case 'ECONNABORTED':
    case 'EPIPE':
    case 'UND_ERR_INFO':
      return BROKEN_IN[phase];
    default:
  }
  // Parser errors carry no code; the end of the connection within an answer is one of them.
  if (name === 'HTTPParserError') return message.includes('Invalid EOF state') ? 'truncated' : 'malformed';
  return TLS_PREFIXES.some((prefix) => code.startsWith(prefix)) ? 'tls' : 'unknown';
}

function describe(code: string, message: string): string {
  const line = message.replace(/\s+/g, ' ').trim();
  const text = code === '' || line.includes(code) ? line : `${code}: ${line}`;
  return text.length > MAX_WHY_LENGTH ? `${text.slice(0, MAX_WHY_LENGTH)}...` : text;
}
