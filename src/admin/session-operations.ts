/**
 * Signing in to the console and out of it: the admin token once, then a cookie that no script can read.
 */
import type { FastifyRequest } from 'fastify';
import { isoTime } from '../observability/iso-time.ts';
import type { Audit } from './audit.ts';
import { peerAddress, type Authenticator } from './auth.ts';
import { readInput, type Answer, type Operation } from './operation.ts';
import { problem } from './problem.ts';
import { SessionRequest } from './schemas.ts';

export function sessionOperations(auth: Authenticator, audit: Audit): Operation[] {
  const signIn = (request: FastifyRequest): Answer => {
    const read = readInput(SessionRequest, request.body);
    if (!read.ok) return read.problem;
    const signedIn = auth.signIn(request.raw, read.value.token);
    if ('code' in signedIn) return signedIn;
    const { cookie, session } = signedIn;
    const caller = { who: 'session', session: session.name } as const;
    audit({ caller, address: peerAddress(request.raw) }, 'sign_in');
    return { status: 204, headers: { 'set-cookie': cookie } };
  };
  const signOut = (request: FastifyRequest): Answer => ({
    status: 204,
    headers: { 'set-cookie': auth.signOut(request.raw) },
  });
  const show = (request: FastifyRequest): Answer => {
    const session = auth.sessionOf(request.raw);
    if (session === null) return problem('not_found', 'There is no session. Sign in with the admin token.');
    return { status: 200, body: { expiresAt: isoTime(session.endsAt) } };
  };
  const done = { status: 204, schema: null } as const;
  return [
    {
      method: 'POST',
      path: '/api/session',
      operationId: 'signIn',
      summary: 'Open a session with the admin token.',
      body: 'SessionRequest',
      success: done,
      headers: ['Set-Cookie'],
      open: true,
      enter: signIn,
      problems: ['invalid_token', 'too_many_failures'],
    },
    {
      method: 'GET',
      path: '/api/session',
      operationId: 'getSession',
      summary: 'Whether there is a session.',
      success: { status: 200, schema: 'Session' },
      problems: ['not_found'],
      enter: show,
    },
    {
      method: 'DELETE',
      path: '/api/session',
      operationId: 'signOut',
      summary: 'End the session.',
      success: done,
      headers: ['Set-Cookie'],
      problems: [],
      open: true,
      enter: signOut,
    },
  ];
}
