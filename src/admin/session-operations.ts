/**
 * Signing in to the console and out of it: an admin token once, then a cookie that no script can read.
 */
import type { FastifyRequest } from 'fastify';
import { isoTime } from '../observability/iso-time.ts';
import type { Audit } from './audit.ts';
import { peerAddress, type Authenticator } from './auth.ts';
import { readInput, type Answer, type Call, type Operation } from './operation.ts';
import type { RejectionStreams } from './rejection-streams.ts';
import { SessionRequest } from './schemas.ts';

/** A token is shown here once. */
export const SIGN_IN_PATH = '/api/session';

export interface SessionPorts {
  readonly auth: Authenticator;
  readonly audit: Audit;
  readonly streams: Pick<RejectionStreams, 'endInvalid'>;
}

export function sessionOperations({ auth, audit, streams }: SessionPorts): Operation[] {
  const signIn = (request: FastifyRequest): Answer => {
    const read = readInput(SessionRequest, request.body);
    if (!read.ok) return read.problem;
    const signedIn = auth.signIn(request.raw, read.value.token);
    if ('code' in signedIn) return signedIn;
    const { cookie, session } = signedIn;
    const caller = { token: session.token, session };
    audit({ caller, address: peerAddress(request.raw) }, 'sign_in');
    return { status: 204, headers: { 'set-cookie': cookie } };
  };
  const signOut = (request: FastifyRequest): Answer => {
    const cookie = auth.signOut(request.raw);
    streams.endInvalid();
    return { status: 204, headers: { 'set-cookie': cookie } };
  };
  const show = ({ caller: { token, session } }: Call): Answer => ({
    status: 200,
    body: { who: token.id, role: token.role, expiresAt: session === null ? null : isoTime(session.endsAt) },
  });
  const done = { status: 204, schema: null } as const;
  return [
    {
      method: 'POST',
      path: SIGN_IN_PATH,
      operationId: 'signIn',
      summary: 'Open a session with an admin token.',
      access: 'open',
      body: 'SessionRequest',
      success: done,
      headers: ['Set-Cookie'],
      enter: signIn,
      problems: ['invalid_token', 'too_many_failures'],
    },
    {
      method: 'GET',
      path: SIGN_IN_PATH,
      operationId: 'getSession',
      summary: 'Whose token or session it is, and what it may do.',
      access: 'viewer',
      success: { status: 200, schema: 'Session' },
      problems: [],
      handle: show,
    },
    {
      method: 'DELETE',
      path: SIGN_IN_PATH,
      operationId: 'signOut',
      summary: 'End the session.',
      access: 'open',
      success: done,
      headers: ['Set-Cookie'],
      problems: [],
      enter: signOut,
    },
  ];
}
