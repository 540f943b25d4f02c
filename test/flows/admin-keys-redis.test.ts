/** Keys through the admin API, with Redis: two replicas, several writers, one truth. */
import t, { type Test } from 'tap';
import { ADMIN_TOKEN, adminClient } from '../support/admin-client.ts';
import { startBackend } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { changeKeys, definitionOf } from '../support/redis-keys.ts';

async function replica(t: Test, redis: RedisServer, apis: Record<string, unknown>) {
  const config = { admin: { token: ADMIN_TOKEN }, apis, keys: { source: 'redis' }, redis: { url: redis.url } };
  const postern = await startPostern(t, { config, keys: [] });
  await postern.ready();
  const { call } = await adminClient(t, postern.adminUrl);
  const statusOf = async (secret: string): Promise<number> =>
    (await fetch(`${postern.url}/profile/u1`, { headers: { authorization: `Bearer ${secret}` } })).status;
  return { ...postern, call, statusOf };
}

async function started(t: Test) {
  const redis = await startRedis(t);
  const backend = await startBackend(t);
  const apis = { integration: { upstream: backend.url } };
  await changeKeys(redis.admin, { set: { server: definitionOf('server') } });
  const [one, two] = await Promise.all([replica(t, redis, apis), replica(t, redis, apis)]);
  return { redis, one, two };
}

t.test('a change at one replica is live there at once and soon at the other', async (t) => {
  const { redis, one, two } = await started(t);
  t.equal(await two.statusOf('secret-of-server'), 204);
  const created = await one.call('POST', '/api/keys', { body: { id: 'new', type: 'read-write' } });
  t.equal(created.status, 201);
  t.equal(await one.statusOf(created.body.secret), 204);
  await eventually(async () => (await two.statusOf(created.body.secret)) === 204, 'the other replica to know the key');
  t.notMatch(JSON.stringify(await redis.admin.hgetall('postern:keys')), created.body.secret);
  t.equal(await redis.admin.get('postern:keys:version'), '2', 'the counter rose by one');

  const { body, headers } = await two.call('GET', '/api/keys/server');
  const ifMatch = headers.get('etag') ?? '';
  t.equal((await one.call('GET', '/api/keys/server')).headers.get('etag'), ifMatch, 'equal in every process');
  const put = await two.call('PUT', '/api/keys/server', { body: { ...body, enabled: false }, ifMatch });
  t.equal(put.status, 200);
  t.equal(await two.statusOf('secret-of-server'), 401);
  t.equal((await one.call('PUT', '/api/keys/server', { body, ifMatch })).status, 412);
  await eventually(async () => (await one.statusOf('secret-of-server')) === 401, 'the other replica to follow');
  t.equal((await one.call('DELETE', '/api/keys/server', { ifMatch: '*' })).status, 204);
  t.equal((await two.call('GET', '/api/keys/server')).status, 404);
});

t.test('writers at two replicas never lose each other a secret', async (t) => {
  const { one, two } = await started(t);
  const answers = await Promise.all(
    [one, two, one, two, one, two].map(({ call }) =>
      call('POST', '/api/keys/server/secrets', { body: { overlapSeconds: 3600 } }),
    ),
  );
  t.ok(answers.every(({ status }) => status === 201));
  const { secrets } = (await one.call('GET', '/api/keys/server')).body;
  const ids = secrets.map(({ id }: { id: string }) => id);
  t.same(
    answers.filter(({ body }) => !ids.includes(body.id)),
    [],
  );
  t.equal(ids.length, 7);
});

t.test('of two who create one id, one does', async (t) => {
  const { one, two } = await started(t);
  const answers = await Promise.all(
    [one, two].map(({ call }) => call('POST', '/api/keys', { body: { id: 'same', type: 'write-only' } })),
  );
  t.same(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [201, 409],
  );
});

t.test('a definition that cannot be read is shown, is not overwritten, and can be deleted', async (t) => {
  const { redis, one } = await started(t);
  await changeKeys(redis.admin, { set: { broken: '{"type":"nothing"}' } });
  const list = await one.call('GET', '/api/keys');
  t.match(list.body.invalid, [{ id: 'broken', why: /type must be one of/ }]);
  t.equal(list.body.keys.length, 1);
  const shown = await one.call('GET', '/api/keys/broken');
  t.match([shown.status, shown.body.code], [409, 'malformed_definition']);
  t.equal((await one.call('POST', '/api/keys', { body: { id: 'broken', type: 'write-only' } })).status, 409);
  const body = { type: 'read-write' };
  t.equal((await one.call('PUT', '/api/keys/broken', { body, ifMatch: '*' })).status, 409);
  t.equal((await one.call('POST', '/api/keys/broken/secrets', { body: { overlapSeconds: 0 } })).status, 409);
  await eventually(
    async () => (await one.call('GET', '/api/status')).body.keys.at(-1).state === 'invalid',
    'the replica to hear of it',
  );
  t.match((await one.call('GET', '/api/status')).body.keys.at(-1), { id: 'broken', state: 'invalid' });
  const ifMatch = shown.headers.get('etag') ?? '';
  t.equal((await one.call('DELETE', '/api/keys/broken', { ifMatch })).status, 204);
  t.equal(await redis.admin.hexists('postern:keys', 'broken'), 0);
});

t.test('there is one metrics key', async (t) => {
  const { one, two } = await started(t);
  t.equal((await one.call('POST', '/api/keys', { body: { id: 'm', type: 'metrics' } })).status, 201);
  const second = await two.call('POST', '/api/keys', { body: { id: 'n', type: 'metrics' } });
  t.equal(second.status, 422);
  t.match(second.body.findings, [{ field: 'type', message: /, and m is it\.$/ }]);
  const { body } = await two.call('GET', '/api/keys/m');
  t.equal((await two.call('PUT', '/api/keys/m', { body: { ...body, cacheTtlMinutes: 8 }, ifMatch: '*' })).status, 200);
});

t.test('while Redis is away, nothing is changed and nothing hangs', async (t) => {
  const { redis, one } = await started(t);
  await redis.kill();
  const answers = await Promise.all([
    one.call('GET', '/api/keys'),
    one.call('GET', '/api/keys/server'),
    one.call('POST', '/api/keys', { body: { id: 'new', type: 'write-only' } }),
    one.call('DELETE', '/api/keys/server', { ifMatch: '*' }),
  ]);
  for (const { status, body } of answers) t.match([status, body.code], [503, 'source_unavailable']);
  t.equal((await one.call('GET', '/api/status')).status, 200);
  t.equal(await one.statusOf('secret-of-server'), 204, 'the last keys go on serving');
});

t.test('into a Redis that has lost its keys nothing is written, or the loss would become true', async (t) => {
  const { redis, one } = await started(t);
  await redis.admin.flushall();
  await eventually(async () => !(await one.call('GET', '/api/status')).body.keySource.up, 'the loss to be noticed');
  const answer = await one.call('POST', '/api/keys', { body: { id: 'new', type: 'write-only' } });
  t.match([answer.status, answer.body.code], [503, 'source_unavailable']);
  t.match(answer.body.detail, /postern keys push/);
  t.equal(await redis.admin.exists('postern:keys'), 0);
  t.equal(await one.statusOf('secret-of-server'), 204);
});
