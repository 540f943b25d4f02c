/** The admin API for clients that ask again: a request repeated after a time-out, a list polled, a path that cannot be read. */
import { connect } from 'node:net';
import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { adminClient, ADMIN_TOKEN } from '../support/admin-client.ts';
import { eventually } from '../support/eventually.ts';
import { startPostern } from '../support/postern.ts';

const postern = await startPostern(t, {
  config: { admin: { token: ADMIN_TOKEN }, apis: { integration: { upstream: 'http://127.0.0.1:9' } } },
  keys: [
    { id: 'server', type: 'read-only', secret: 'secret-of-server-0001', allowFrom: ['192.0.2.0/24'] },
    { id: 'web', type: 'write-only', secret: 'secret-of-web-000001', allowedEvents: ['login'] },
  ],
});
const { call } = await adminClient(t, postern.adminUrl);
const secretsOf = async (id: string): Promise<number> => (await call('GET', `/api/keys/${id}`)).body.secrets.length;

t.test('a rotation that is repeated makes one secret, and shows the same one', async (t) => {
  const rotate = (name: string) =>
    call('POST', '/api/keys/server/secrets', {
      body: { overlapSeconds: 3600 },
      headers: { 'idempotency-key': name },
    });
  const [first, second] = await Promise.all([rotate('one'), rotate('one')]);
  t.equal(first.status, 201);
  t.same(second.body, first.body);
  t.same((await rotate('one')).body, first.body);
  t.equal(await secretsOf('server'), 2);
  t.not((await rotate('two')).body.secret, first.body.secret);
  t.equal(await secretsOf('server'), 3);
});

t.test('a client that left before the answer gets the secret when it asks again', async (t) => {
  const body = '{"overlapSeconds":60}';
  const { hostname, port } = new URL(postern.adminUrl);
  const before = await secretsOf('web');
  const socket = connect(Number(port), hostname);
  socket.write(
    `POST /api/keys/web/secrets HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${ADMIN_TOKEN}\r\n` +
      `Content-Type: application/json\r\nIdempotency-Key: left\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    () => socket.destroySoon(),
  );
  await eventually(async () => (await secretsOf('web')) === before + 1, 'the rotation to be made');
  const again = await call('POST', '/api/keys/web/secrets', {
    body: { overlapSeconds: 60 },
    headers: { 'idempotency-key': 'left' },
  });
  t.equal(again.status, 201);
  const { secrets } = (await call('GET', '/api/keys/web')).body;
  t.equal(secrets.at(-1).id, again.body.id);
  t.equal(secrets.length, before + 1);
});

t.test('a key that is created twice under one name is created once', async (t) => {
  const create = (body: object, name = 'create') =>
    call('POST', '/api/keys', { body, headers: { 'idempotency-key': name } });
  const first = await create({ id: 'new', type: 'write-only' });
  t.equal(first.status, 201);
  const again = await create({ id: 'new', type: 'write-only' });
  t.equal(again.status, 201);
  t.same(again.body, first.body);
  t.equal(again.headers.get('location'), '/api/keys/new');
  t.equal((await create({ id: 'new', type: 'write-only' }, 'another')).body.code, 'id_taken');
  t.equal((await create({ id: 'newer', type: 'write-only' })).body.code, 'idempotency_key_reused');
});

t.test('what is read has a tag, and is not sent again while nothing changes', async (t) => {
  for (const path of ['/api/keys', '/api/keys/server', '/api/policies', '/api/config', '/api/apis']) {
    const first = await call('GET', path);
    const etag = first.headers.get('etag') ?? '';
    t.match(etag, /^"[\w-]+"$/, path);
    const again = await call('GET', path, { headers: { 'if-none-match': etag } });
    t.same([again.status, again.body, again.headers.get('etag')], [304, undefined, etag], path);
    t.equal((await call('GET', path, { headers: { 'if-none-match': '"other"' } })).status, 200, path);
    t.equal((await call('HEAD', path)).headers.get('etag'), etag, path);
  }
  const { headers } = await call('GET', '/api/keys');
  const known = { headers: { 'if-none-match': headers.get('etag') ?? '' } };
  const { body, headers: own } = await call('GET', '/api/keys/web');
  const changed = { ...body, description: 'changed' };
  t.equal((await call('PUT', '/api/keys/web', { body: changed, ifMatch: own.get('etag') ?? '' })).status, 200);
  const after = await call('GET', '/api/keys', known);
  t.equal(after.status, 200);
  t.equal(after.body.keys.find(({ id }: { id: string }) => id === 'web').description, 'changed');
});

t.test('mistakes in JSON are told without words about YAML', async (t) => {
  const body = { id: 'other', type: 'read-only', allowFrom: [7], denyFrom: 7, rateLimit: [], description: 3 };
  const { status, body: told } = await call('POST', '/api/keys', { body });
  t.equal(status, 422);
  t.notMatch(JSON.stringify(told), /quotes|mapping|yaml/i);
});

t.test('a path that no router can read is a problem document too', async (t) => {
  const answer = await fetch(`${postern.adminUrl}/api/keys/%zz`, {
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
  });
  t.equal(answer.status, 400);
  t.equal(answer.headers.get('content-type')?.split(';', 1)[0], 'application/problem+json');
  t.match(await answer.json(), {
    code: 'malformed_request',
    status: 400,
    title: 'Malformed Request',
    type: 'about:blank',
  });
});

t.test('while the file is broken, the keys in force are shown on request', async (t) => {
  const stored = (await call('GET', '/api/keys')).body.keys;
  const tag = (await call('GET', '/api/keys')).headers.get('etag') ?? '';
  const text = readFileSync(postern.keysFile, 'utf8');
  writeFileSync(postern.keysFile, 'keys: [\n');
  await eventually(async () => !(await call('GET', '/api/status')).body.keySource.up, 'the fault to be noticed');
  t.equal((await call('GET', '/api/keys')).status, 503);
  t.equal(
    (await call('GET', '/api/keys', { headers: { 'if-none-match': tag } })).status,
    503,
    'no 304 hides the fault',
  );
  const inForce = await call('GET', '/api/keys?of=inForce');
  t.equal(inForce.status, 200);
  const withoutDescription = (key: object) => ({ ...key, description: '' });
  t.same(inForce.body.keys, stored.map(withoutDescription));
  t.same(
    (await call('GET', '/api/keys/web?of=inForce')).body,
    inForce.body.keys.find(({ id }: { id: string }) => id === 'web'),
  );
  t.equal((await call('GET', '/api/keys/none?of=inForce')).status, 404);
  t.equal((await call('GET', '/api/keys?of=yesterday')).status, 422);
  writeFileSync(postern.keysFile, text);
  await eventually(async () => (await call('GET', '/api/keys')).status === 200, 'the file to be read');
});
