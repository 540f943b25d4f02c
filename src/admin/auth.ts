/**
 * Who may use the admin API: whoever sends the admin token, or the cookie of a session that was opened with it. Addresses that
 * guess are slowed; those that never sent a wrong token are not.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { sha256Hex } from '../lib/digest.ts';
import { fieldValues } from '../lib/header-list.ts';
import { createFailureLimiter } from '../tokens/failure-limiter.ts';
import type { Log } from '../observability/log.ts';
import { OWN_COOKIE } from '../upstream/own-cookie.ts';
import type { Caller } from './operation.ts';
import type { AdminProblem } from './problem.ts';
import { SESSION_SECONDS, type Session, type Sessions } from './sessions.ts';

export interface AuthPorts {
  readonly token: string;
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
  /** When the session that the request came with ends; null when there is none. */
  readonly sessionOf: (request: IncomingMessage) => Session | null;
  /** Whether a caller who was let in may go on. */
  readonly isValid: (caller: Caller) => boolean;
}

export interface SignedIn {
  readonly cookie: string;
  readonly session: Session;
}

export function createAuthenticator({ token, sessions, log, now }: AuthPorts): Authenticator {
  const failures = createFailureLimiter();
  const wanted = digestBytes(token);

  /** Why a token that was sent is refused, or null. */
  const judge = (request: IncomingMessage, sent: string): AdminProblem | null => {
    const address = peerAddress(request);
    // Before the comparison: a right guess must not be told from a wrong one while the address is slowed.
    const seconds = failures.secondsToWait(address, now());
    if (seconds > 0) return tooManyFailures(seconds);
    if (timingSafeEqual(digestBytes(sent), wanted)) return null;
    failures.fail(address, now());
    log.warn('admin_token_refused', { address });
    return unauthorized('invalid_token', 'The token is not the admin token.');
  };

  const sessionOf = (request: IncomingMessage): Session | null => {
    const id = sessionCookie(request);
    return id === null ? null : sessions.use(id);
  };

  return {
    sessionOf,
    authenticate(request) {
      const [authorization, ...others] = fieldValues(request.rawHeaders, 'authorization');
      if (authorization !== undefined) {
        const sent = others.length > 0 ? null : bearerToken(authorization);
        if (sent === null) return unauthorized('invalid_token', 'Send one token, as "Authorization: Bearer <token>".');
        return judge(request, sent) ?? { who: 'token' };
      }
      const session = sessionOf(request);
      if (session !== null) return { who: 'session', session: session.name };
      return unauthorized('missing_token', 'Send the admin token as "Authorization: Bearer <token>", or sign in.');
    },
    signIn(request, sent) {
      const refused = judge(request, sent);
      if (refused !== null) return refused;
      const old = sessionCookie(request);
      if (old !== null) sessions.end(old);
      const { id, ...session } = sessions.open();
      return { cookie: cookieOf(request, id, SESSION_SECONDS), session };
    },
    signOut(request) {
      const id = sessionCookie(request);
      if (id !== null) sessions.end(id);
      return cookieOf(request, '', 0);
    },
    isValid: (caller) => caller.who === 'token' || sessions.isOpen(caller.session),
  };
}

/**
 * The address of the socket's peer; an IPv4 address reads the same on a port that also listens on IPv6. Headers are not asked:
 * whoever stands in front of the port is the one who is known here.
 */
export const peerAddress = ({ socket }: IncomingMessage): string =>
  (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/i, '');

const digestBytes = (text: string): Buffer => Buffer.from(sha256Hex(text), 'hex');

/** RFC 6750 2.1. */
const bearerToken = (authorization: string): string | null => /^bearer +(\S.*)$/i.exec(authorization)?.[1] ?? null;

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
