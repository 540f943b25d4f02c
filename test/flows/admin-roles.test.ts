/** Admins with names: what each role may do, and how tokens come and go while Postern runs. */
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import t, { type Test } from 'tap';
import { sha256Hex } from '../../src/lib/digest.ts';
import { ADMIN_TOKEN, adminClient } from '../support/admin-client.ts';
import { startPostern } from '../support/postern.ts';

const VIEWER = 'the-token-of-anna-who-looks';
const EDITOR = 'the-token-of-bert-who-changes';
const viewer = { id: 'anna', role: 'viewer', hash: `sha256:${sha256Hex(VIEWER)}` };
const editor = { id: 'bert', role: 'editor', value: EDITOR };
const apis = { integration: { upstream: 'http://127.0.0.1:9' } };

async function started(t: Test, admin: Record<string, unknown>) {
  const postern = await startPostern(t, {
    config: { admin, apis },
    keys: [{ id: 'server', type: 'read-write', secret: 'the-secret-of-the-server' }],
    records: { policies: { server: { mode: 'report' } }, addressLists: { server: ['192.0.2.1'] } },
  });
  /** Puts other tokens into the configuration; resolves when they hold. */
  const reloadWith = async (next: Record<string, unknown>): Promise<void> => {
    postern.writeConfig({ admin: next, apis });
    await postern.sidecar.reload();
  };
  return { ...postern, reloadWith };
}

interface Described {
  readonly 'x-role'?: string;
  readonly operationId: string;
}

t.test('every operation, by every role', async (t) => {
  const { adminUrl } = await started(t, { token: ADMIN_TOKEN, tokens: [viewer, editor] });
  const { call, document } = await adminClient(t, adminUrl);
  const operations = Object.entries(document.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, described]) => ({
      method: method.toUpperCase(),
      path: template.replaceAll(/\{\w+\}/g, 'server'),
      ...(described as unknown as Described),
    })),
  );
  const roles = operations.map((operation) => `${operation.operationId} ${operation['x-role'] ?? 'open'}`);
  const changing = roles.filter((role) => role.endsWith(' editor')).map((role) => role.split(' ')[0]);
  t.same(changing.toSorted(), [
    'createKey',
    'deleteAddressList',
    'deleteKey',
    'deletePolicy',
    'deleteSecret',
    'purgeCache',
    'putAddressList',
    'putPolicy',
    'replaceKey',
    'rotateSecret',
  ]);
  t.same(roles.filter((role) => role.endsWith(' open')).toSorted(), ['signIn open', 'signOut open']);
  const { body: before } = await call('GET', '/api/keys');
  for (const { method, path, 'x-role': role, operationId } of operations) {
    if (operationId === 'streamRejections' || role === undefined) continue;
    const body = method === 'POST' || method === 'PUT' ? {} : undefined;
    const seen = await call(method, path, { token: VIEWER, body });
    if (role === 'editor') t.same([seen.status, seen.body.code], [403, 'forbidden'], `${method} ${path}`);
    else t.not(seen.status, 403, `${method} ${path} by a viewer`);
    if (role === 'viewer')
      t.equal(seen.status, (await call(method, path, { token: EDITOR, body })).status, `${path} answers both alike`);
  }
  t.same((await call('GET', '/api/keys')).body, before, 'a viewer changed nothing');
  for (const { method, path, 'x-role': role } of operations)
    if (role === 'editor') {
      const { status } = await call(method, path, { token: EDITOR, body: {}, ifMatch: '"stale"' });
      t.not(status, 403, `${method} ${path} by an editor`);
    }
  for (const method of ['PATCH', 'PUT', 'OPTIONS'])
    t.not((await call(method, '/api/summary', { token: VIEWER })).status, 200, method);
});

t.test('who somebody is, as a token and as a session, and a viewer can ask but not change', async (t) => {
  const { adminUrl, lines, logText } = await started(t, { token: ADMIN_TOKEN, tokens: [viewer, editor] });
  const { call } = await adminClient(t, adminUrl);
  const who = async (token: string) => (await call('GET', '/api/session', { token })).body;
  t.same(await who(ADMIN_TOKEN), { who: 'admin', role: 'editor', expiresAt: null });
  t.same(await who(EDITOR), { who: 'bert', role: 'editor', expiresAt: null });
  t.same(await who(VIEWER), { who: 'anna', role: 'viewer', expiresAt: null });
  t.equal((await call('GET', '/api/session', { token: viewer.hash })).status, 401, 'a hash is no token');
  const cookie = await signIn(adminUrl, VIEWER);
  const headers = { cookie, 'x-requested-with': 'test' };
  const asked = await call('GET', '/api/session', { token: null, headers });
  t.same([asked.body.who, asked.body.role, typeof asked.body.expiresAt], ['anna', 'viewer', 'string']);
  const question = { keyId: 'server', ip: '192.0.2.1', method: 'GET', path: '/' };
  t.equal((await call('POST', '/api/explain', { token: VIEWER, body: question })).status, 200);
  t.equal((await call('POST', '/api/cache/purge', { token: null, headers })).status, 403);
  t.equal((await call('DELETE', '/api/keys/server', { token: null, headers, ifMatch: '*' })).status, 403);
  t.equal((await call('POST', '/api/cache/purge', { token: EDITOR })).status, 204);
  const audited = lines.filter(({ msg }) => msg === 'audit').map(({ who: id, action }) => [id, action]);
  t.same(audited, [
    ['anna', 'sign_in'],
    ['bert', 'purge_cache'],
  ]);
  const shown = JSON.stringify((await call('GET', '/api/config', { token: VIEWER })).body);
  for (const secret of [ADMIN_TOKEN, EDITOR, viewer.hash, sha256Hex(VIEWER)]) {
    t.notMatch(logText(), secret);
    t.notMatch(shown, secret, 'not even to other admins');
  }
});

t.test(
  'tokens come, change and go at a reload, with their sessions and streams, and nobody else notices',
  async (t) => {
    const { adminUrl, reloadWith, lines } = await started(t, { tokens: [viewer, editor] });
    const { call } = await adminClient(t, adminUrl);
    const status = async (token: string) => (await call('GET', '/api/keys', { token })).status;
    const cookie = await signIn(adminUrl, VIEWER);
    const bySession = async () => (await call('GET', '/api/keys', { token: null, headers: { cookie } })).status;
    const streams = {
      session: await follow(t, adminUrl, { cookie }),
      token: await follow(t, adminUrl, { authorization: `Bearer ${VIEWER}` }),
      other: await follow(t, adminUrl, { authorization: `Bearer ${EDITOR}` }),
    };
    t.same([await status(VIEWER), await status(EDITOR), await bySession()], [200, 200, 200]);
    // Long before the next heartbeat, which would notice it as well.
    const signal = AbortSignal.timeout(10_000);
    const ended = Promise.all([once(streams.session, 'close', { signal }), once(streams.token, 'close', { signal })]);
    await reloadWith({ tokens: [editor, { id: 'cleo', value: ADMIN_TOKEN, role: 'viewer' }] });
    await ended;
    t.same(
      [await status(VIEWER), await status(EDITOR), await bySession(), await status(ADMIN_TOKEN)],
      [401, 200, 401, 200],
    );
    t.equal(streams.other.closed, false, 'whose token is the same goes on reading');
    t.same(
      lines.filter(({ msg }) => msg === 'config_needs_restart'),
      [],
    );

    const promoted = { id: 'cleo', value: ADMIN_TOKEN, role: 'editor' };
    const before = await signIn(adminUrl, ADMIN_TOKEN);
    await reloadWith({ tokens: [editor, promoted] });
    t.equal(
      (await call('GET', '/api/keys', { token: null, headers: { cookie: before } })).status,
      401,
      'a role changed',
    );
    t.equal((await call('POST', '/api/cache/purge', { token: ADMIN_TOKEN })).status, 204);

    await reloadWith({ tokens: [editor, editor] });
    t.same([await status(EDITOR), await status(ADMIN_TOKEN)], [200, 200], 'an invalid file changes nothing');
  },
);

t.test('a request whose token went while its body was on the way does nothing', async (t) => {
  const { adminUrl, reloadWith } = await started(t, { tokens: [editor] });
  const body = JSON.stringify({ id: 'new', type: 'read-only' });
  const headers = { authorization: `Bearer ${EDITOR}`, 'content-type': 'application/json' };
  const sent = request(`${adminUrl}/api/keys`, {
    method: 'POST',
    headers: { ...headers, 'content-length': body.length },
  });
  const answered = once(sent, 'response');
  sent.write(body.slice(0, 10));
  const client = await adminClient(t, adminUrl);
  // Requests that came later are answered, so the first has been let in.
  t.equal((await client.call('GET', '/api/keys', { token: EDITOR })).status, 200);
  await reloadWith({ token: ADMIN_TOKEN });
  sent.end(body.slice(10));
  const [answer] = (await answered) as [IncomingMessage];
  t.equal(answer.statusCode, 401);
  t.match(answer.headers['www-authenticate'], /^Bearer/);
  answer.resume();
  t.same((await client.call('GET', '/api/keys')).body.keys.length, 1);
});

t.test('the API and the console are there as long as there is a token', async (t) => {
  const { adminUrl, reloadWith } = await started(t, {});
  const bearer = { authorization: `Bearer ${EDITOR}` };
  const paths = ['/', '/api/keys', '/api/session', '/openapi.json', '/assets/x.js'];
  const statuses = () =>
    Promise.all(paths.map(async (path) => (await fetch(adminUrl + path, { headers: bearer })).status));
  const unknown = await fetch(`${adminUrl}/api/keys`);
  t.same(await statuses(), [404, 404, 404, 404, 404]);
  t.equal(unknown.headers.get('content-security-policy'), null, 'nothing tells that there is something to switch on');
  for (const method of ['POST', 'DELETE', 'PATCH'])
    t.equal((await fetch(`${adminUrl}/api/keys`, { method })).status, 404, method);
  await reloadWith({ tokens: [editor] });
  t.same((await statuses()).slice(1, 4), [200, 200, 200]);
  await reloadWith({});
  t.same(await statuses(), [404, 404, 404, 404, 404]);
  t.equal((await fetch(`${adminUrl}/healthz`)).status, 200);
});

async function signIn(adminUrl: string, token: string): Promise<string> {
  const answer = await fetch(`${adminUrl}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  return (answer.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '';
}

/** An open stream of refusals. */
async function follow(t: Test, adminUrl: string, headers: Record<string, string>): Promise<IncomingMessage> {
  const sent = request(`${adminUrl}/api/rejections/stream`, { headers });
  sent.on('error', () => undefined);
  t.teardown(() => sent.destroy());
  sent.end();
  const [stream] = (await once(sent, 'response')) as [IncomingMessage];
  stream.on('error', () => undefined).resume();
  return stream;
}
