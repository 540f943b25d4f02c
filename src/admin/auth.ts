/**
 * Who may use the admin API: whoever sends an admin token, or the cookie of a session that was opened with one. Addresses that
 * guess are slowed; those that never sent a wrong token are not. What the holder of a token may do is not decided here.
 */
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { fieldValues } from '../lib/header-list.ts';
import { createFailureLimiter } from '../tokens/failure-limiter.ts';
import type { Log } from '../observability/log.ts';
import { OWN_COOKIE } from '../upstream/own-cookie.ts';
import type { AdminToken, AdminTokens } from './admin-tokens.ts';
import type { Caller } from './operation.ts';
import type { AdminProblem } from './problem.ts';
import { SESSION_SECONDS, type Session, type Sessions } from './sessions.ts';

export interface AuthPorts {
  readonly tokens: AdminTokens;
  readonly sessions: Sessions;
  readonly log: Pick<Log, 'warn'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface Authenticator {
  /** The caller of a request, or why it is refused. */
  readonly authenticate: (request: IncomingMessage) => Caller | AdminProblem;
  /** A new session for whoever knows the token; the one that the request came with, if any, ends. */
  readonly signIn: (request: IncomingMessage, token: string) => SignedIn | AdminProblem;
  /** Ends the session that the request came with, and gives the cookie that forgets it. */
  readonly signOut: (request: IncomingMessage) => string;
  /** Whether a caller who was let in may go on. */
  readonly isValid: (caller: Caller) => boolean;
}

export interface SignedIn {
  readonly cookie: string;
  readonly session: Session;
}

export function createAuthenticator({ tokens, sessions, log, now }: AuthPorts): Authenticator {
  const failures = createFailureLimiter();
  tokens.follow(() => sessions.endWithout(tokens.holds));

  /** Whose token was sent, or why it is refused. */
  const judge = (request: IncomingMessage, sent: string): AdminToken | AdminProblem => {
    const address = peerAddress(request);
    // Before the comparison: a right guess must not be told from a wrong one while the address is slowed.
    const seconds = failures.secondsToWait(address, now());
    if (seconds > 0) return tooManyFailures(seconds);
    const token = tokens.find(sent);
    if (token !== null) return token;
    failures.fail(address, now());
    log.warn('admin_token_refused', { address });
    return unauthorized('invalid_token', 'This is no admin token.');
  };

  const sessionOf = (request: IncomingMessage): Session | null => {
    const id = sessionCookie(request);
    return id === null ? null : sessions.use(id);
  };

  return {
    authenticate(request) {
      const [authorization, ...others] = fieldValues(request.rawHeaders, 'authorization');
      if (authorization !== undefined) {
        const sent = others.length > 0 ? null : bearerToken(authorization);
        if (sent === null) return unauthorized('invalid_token', 'Send one token, as "Authorization: Bearer <token>".');
        const token = judge(request, sent);
        return 'code' in token ? token : { token, session: null };
      }
      const session = sessionOf(request);
      if (session !== null) return { token: session.token, session };
      return unauthorized('missing_token', 'Send an admin token as "Authorization: Bearer <token>", or sign in.');
    },
    signIn(request, sent) {
      const token = judge(request, sent);
      if ('code' in token) return token;
      const old = sessionCookie(request);
      if (old !== null) sessions.end(old);
      const { id, ...session } = sessions.open(token);
      return { cookie: cookieOf(request, id, SESSION_SECONDS), session };
    },
    signOut(request) {
      const id = sessionCookie(request);
      if (id !== null) sessions.end(id);
      return cookieOf(request, '', 0);
    },
    isValid: ({ token, session }) => tokens.holds(token) && (session === null || sessions.isOpen(session.name)),
  };
}

/**
 * The address of the socket's peer; an IPv4 address reads the same on a port that also listens on IPv6. Headers are not asked:
 * whoever stands in front of the port is the one who is known here.
 */
export const peerAddress = ({ socket }: IncomingMessage): string =>
  (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/i, '');

/** RFC 6750 2.1. */
const bearerToken = (authorization: string): string | null => /^bearer +(\S.*)/i.exec(authorization)?.[1] ?? null;

/**
 * Sent to the API alone. `Secure` where the page came over TLS, to this port or to a proxy in front of it: over plain HTTP a
 * browser would not keep such a cookie.
 */
function cookieOf({ headers, socket }: IncomingMessage, value: string, maxAgeSeconds: number): string {
  const overTls = socket instanceof TLSSocket || headers.origin?.toLowerCase().startsWith('https://') === true;
  const secure = overTls ? '; Secure' : '';
  return `${OWN_COOKIE}=${value}; Path=/api; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure}`;
}

function sessionCookie({ headers }: IncomingMessage): string | null {
  const prefix = `${OWN_COOKIE}=`;
  const found = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return found.find((pair) => pair.startsWith(prefix))?.slice(prefix.length) ?? null;
}

const unauthorized = (code: 'missing_token' | 'invalid_token', detail: string): AdminProblem => ({
  code,
  detail,
  headers: { 'www-authenticate': 'Bearer realm="Postern admin"' },
});

const tooManyFailures = (seconds: number): AdminProblem => ({
  code: 'too_many_failures',
  detail: `Too many wrong tokens came from this address. Try again in ${seconds} s.`,
  headers: { 'retry-after': String(seconds) },
});

/** Of a caller who was let in, and whose token or session is over by now. */
export const ENDED = unauthorized('invalid_token', 'The token or the session has ended meanwhile. Nothing was done.');
