import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import t from 'tap';
import { createAdminTokens } from '../../src/admin/admin-tokens.ts';
import { createAuthenticator, peerAddress } from '../../src/admin/auth.ts';
import type { Caller } from '../../src/admin/operation.ts';
import { createSessions } from '../../src/admin/sessions.ts';
import { ConfigSchema, type Config } from '../../src/config/schema.ts';
import { ADMIN_TOKEN, EDITOR } from '../support/admin-client.ts';

const BEARER = ['Authorization', `Bearer ${ADMIN_TOKEN}`];
const WRONG = ['Authorization', 'Bearer hunter2'];

function requestOf(rawHeaders: readonly string[], remoteAddress = '192.0.2.1'): IncomingMessage {
  const headers: Record<string, string> = {};
  for (let i = 0; i < rawHeaders.length; i += 2)
    headers[(rawHeaders[i] as string).toLowerCase()] ??= rawHeaders[i + 1] as string;
  return { rawHeaders, headers, socket: { remoteAddress } } as unknown as IncomingMessage;
}

const adminOf = (admin: object): Config['admin'] =>
  ConfigSchema.parse({ admin, apis: { integration: { upstream: 'http://127.0.0.1:9' } } }).admin;

function authenticator(admin = adminOf({ token: ADMIN_TOKEN })) {
  let [now, seed] = [1_000_000, 0];
  const logged: unknown[] = [];
  const tokens = createAdminTokens(admin);
  const auth = createAuthenticator({
    tokens,
    sessions: createSessions({ now: () => now, random: (bytes) => new Uint8Array(bytes).fill(++seed) }),
    log: { warn: (event, fields) => void logged.push({ event, ...fields }) },
    now: () => now,
  });
  /** Who was let in, or the code of the refusal. */
  const verdict = (rawHeaders: readonly string[], address?: string): string => {
    const caller = auth.authenticate(requestOf(rawHeaders, address));
    return 'code' in caller ? caller.code : caller.session === null ? 'token' : 'session';
  };
  /** A session, as the header that a browser sends from then on. */
  const signIn = (token = ADMIN_TOKEN, sent: readonly string[] = []): string[] => {
    const signedIn = auth.signIn(requestOf(sent), token);
    return 'code' in signedIn ? [signedIn.code] : ['Cookie', signedIn.cookie.split(';', 1)[0] as string];
  };
  return { ...auth, tokens, verdict, signIn, logged, advance: (seconds: number) => void (now += seconds * 1000) };
}

t.test('what cannot be read as one token is refused, but is no guess', async (t) => {
  const { verdict, logged } = authenticator();
  for (const sent of ['', 'Bearer', 'Bearer ', `Bearer\t${ADMIN_TOKEN}`, ADMIN_TOKEN, `Basic ${ADMIN_TOKEN}`])
    for (let i = 0; i < 5; i++) t.equal(verdict(['Authorization', sent]), 'invalid_token', sent);
  for (const sent of [`Bearer${ADMIN_TOKEN}`, `xBearer ${ADMIN_TOKEN}`, `x Bearer ${ADMIN_TOKEN}`])
    for (let i = 0; i < 5; i++) t.equal(verdict(['Authorization', sent]), 'invalid_token', sent);
  for (let i = 0; i < 10; i++) t.equal(verdict([...BEARER, 'authorization', BEARER[1] as string]), 'invalid_token');
  t.equal(verdict(BEARER), 'token');
  t.same(logged, []);
});

t.test('a token that was sent decides, to its last letter, whatever session comes with it', async (t) => {
  const { verdict, signIn } = authenticator();
  const cookie = signIn();
  t.equal(verdict(cookie), 'session');
  t.equal(verdict([...cookie, ...WRONG]), 'invalid_token');
  t.equal(verdict(['Cookie', 'postern_session=over', ...BEARER]), 'token');
  for (const sent of [ADMIN_TOKEN.slice(0, -1), `${ADMIN_TOKEN}x`, ADMIN_TOKEN.toUpperCase()])
    t.equal(verdict(['Authorization', `Bearer ${sent}`]), 'invalid_token', sent);
});

t.test(
  'an address may guess again a minute after the oldest of ten guesses, whatever it tried meanwhile',
  async (t) => {
    const { verdict, authenticate, advance } = authenticator();
    for (let i = 0; i < 10; i++, advance(1)) t.equal(verdict(WRONG), 'invalid_token');
    const right = authenticate(requestOf(BEARER));
    t.match(right, { code: 'too_many_failures', detail: / 50 s\.$/, headers: { 'retry-after': '50' } });
    for (let i = 0; i < 20; i++) t.same(authenticate(requestOf(WRONG)), right, 'told alike, right or wrong');
    advance(49.5);
    t.match(authenticate(requestOf(BEARER)), { headers: { 'retry-after': '1' } }, 'never 0');
    advance(0.5);
    t.equal(verdict(WRONG), 'invalid_token');
    t.equal(verdict(BEARER), 'too_many_failures', 'one guess is free, the next is not yet');
    advance(1);
    t.equal(verdict(BEARER), 'token');
  },
);

t.test('a guess of one letter is one', async (t) => {
  const { verdict } = authenticator();
  for (let i = 0; i < 10; i++) t.equal(verdict(['Authorization', 'BEARER  x']), 'invalid_token');
  t.equal(verdict(BEARER), 'too_many_failures');
});

t.test('guesses at every door of one address are counted together', async (t) => {
  const { verdict, signIn, logged } = authenticator();
  for (let i = 0; i < 4; i++) t.same(signIn('hunter2'), ['invalid_token']);
  for (let i = 0; i < 3; i++) t.equal(verdict(WRONG), 'invalid_token');
  for (let i = 0; i < 3; i++) t.equal(verdict(WRONG, '::ffff:192.0.2.1'), 'invalid_token');
  t.same(signIn(), ['too_many_failures']);
  t.equal(verdict(BEARER, '::ffff:192.0.2.1'), 'too_many_failures');
  t.equal(verdict(BEARER, '192.0.2.10'), 'token');
  t.equal(logged.length, 10);
  for (const line of logged) t.strictSame(line, { event: 'admin_token_refused', address: '192.0.2.1' });
});

t.test('a wrong token signs nobody in and leaves the old session open, which the right one ends', async (t) => {
  const { verdict, signIn } = authenticator();
  const old = signIn();
  t.same(signIn('hunter2', old), ['invalid_token']);
  t.equal(verdict(old), 'session');
  t.equal(verdict(signIn(ADMIN_TOKEN, old)), 'session');
  t.equal(verdict(old), 'missing_token');
});

t.test('the cookie of a session is found among others, under its own name alone', async (t) => {
  const { verdict, signIn } = authenticator();
  const [, cookie = ''] = signIn();
  const id = cookie.slice('postern_session='.length);
  for (const sent of [`a=b; ${cookie}`, `${cookie};a=b`, `xpostern_session=x;  ${cookie} `])
    t.equal(verdict(['Cookie', sent]), 'session', sent);
  for (const name of ['xpostern_session=', 'POSTERN_SESSION=', 'postern_session2=', 'a=postern_session=', ''])
    t.equal(verdict(['Cookie', name + id]), 'missing_token', name);
  t.equal(verdict(['Cookie', 'postern_session=;;=;']), 'missing_token');
});

t.test('whoever was let in may go on until the session ends, and signing out ends no other', async (t) => {
  const { authenticate, isValid, signIn, signOut, verdict } = authenticator();
  const [cookie, other] = [signIn(), signIn()];
  const mine = requestOf(cookie);
  const caller = authenticate(mine);
  if ('code' in caller) throw new Error(caller.code);
  t.match(signOut(requestOf([])), /^postern_session=; .*Max-Age=0/, 'a cookie that opens nothing is forgotten too');
  t.ok(isValid(caller));
  signOut(mine);
  t.notOk(isValid(caller));
  t.equal(verdict(cookie), 'missing_token');
  t.equal(verdict(other), 'session');
  t.ok(isValid({ token: EDITOR, session: null }));
});

t.test('a token that is taken away or changed lets nobody go on, at once, and its namesake is another', async (t) => {
  const anna = { id: 'anna', value: 'the-token-of-anna', role: 'viewer' };
  const other = { id: 'other', value: 'the-token-of-another', role: 'editor' };
  const BEARER_OF_ANNA = ['Authorization', 'Bearer the-token-of-anna'];
  const changes = [
    ['taken away', [other]],
    ['another text', [{ ...anna, value: 'the-next-token-of-anna' }, other]],
    ['another role', [{ ...anna, role: 'editor' }, other]],
    ['another name', [{ ...anna, id: 'bea' }, other]],
  ] as const;
  for (const [what, tokens] of changes) {
    const auth = authenticator(adminOf({ tokens: [anna, other] }));
    const [hers, others] = [auth.signIn('the-token-of-anna'), auth.signIn('the-token-of-another')];
    const callers = [BEARER_OF_ANNA, hers, others].map((sent) => auth.authenticate(requestOf(sent)) as Caller);
    t.same(callers.map(auth.isValid), [true, true, true]);
    auth.tokens.replace(adminOf({ tokens: [other, { ...anna }] }));
    t.same(callers.map(auth.isValid), [true, true, true], 'read again, but the same');
    auth.tokens.replace(adminOf({ tokens }));
    t.same(callers.map(auth.isValid), [false, false, true], what);
    t.same(
      [hers, others].map((sent) => auth.verdict(sent)),
      ['missing_token', 'session'],
      what,
    );
    auth.tokens.replace(adminOf({ tokens: [anna] }));
    t.equal(auth.verdict(hers), 'missing_token', 'a session that has ended does not come back with its token');
    t.equal(auth.verdict(others), 'missing_token');
  }
});

t.test('an IPv4 address reads the same on every kind of port', async (t) => {
  const of = (remoteAddress: string | undefined) =>
    peerAddress({ socket: { remoteAddress } } as unknown as IncomingMessage);
  t.equal(of('::ffff:192.0.2.1'), '192.0.2.1');
  t.equal(of('192.0.2.1'), '192.0.2.1');
  t.equal(of('::FFFF:192.0.2.1'), '192.0.2.1');
  t.equal(of('1::ffff:192.0.2.1'), '1::ffff:192.0.2.1');
  t.equal(of('::ffff:0:1'), '::ffff:0:1');
  t.equal(of('2001:db8::1'), '2001:db8::1');
  t.equal(of(undefined), '');
});

t.test(
  'the cookie is for the API alone, out of reach of scripts, and of plain HTTP where the page came over TLS',
  async (t) => {
    const { signIn } = createAuthenticator({
      tokens: createAdminTokens(adminOf({ token: ADMIN_TOKEN })),
      sessions: createSessions({ now: () => 0, random: (bytes) => new Uint8Array(bytes) }),
      log: { warn: () => undefined },
      now: () => 0,
    });
    const cookie = (...sent: string[]): string => {
      const signedIn = signIn(requestOf(sent), ADMIN_TOKEN);
      return 'code' in signedIn ? signedIn.code : signedIn.cookie.replace(/^postern_session=[\w-]{43}/, 'ID');
    };
    const plain = 'ID; Path=/api; Max-Age=43200; HttpOnly; SameSite=Strict';
    t.equal(cookie(), plain);
    t.equal(cookie('Origin', 'http://localhost:9090'), plain);
    t.equal(cookie('Origin', 'https://admin.example.com'), `${plain}; Secure`);
    t.equal(cookie('Origin', 'HTTPS://admin.example.com'), `${plain}; Secure`);
    const socket = Object.create(TLSSocket.prototype, { remoteAddress: { value: '192.0.2.1' } }) as TLSSocket;
    const overTls = signIn(Object.assign(requestOf([]), { socket }), ADMIN_TOKEN);
    t.match('code' in overTls ? overTls.code : overTls.cookie, /; SameSite=Strict; Secure$/, 'whatever sends it');
  },
);
