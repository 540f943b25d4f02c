/** Policies and address lists over the admin API, with Redis: two replicas, several writers, one truth. */
import t, { type Test } from 'tap';
import { ADMIN_TOKEN, adminClient } from '../support/admin-client.ts';
import { startBackend } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';
import { changeKeys, definitionOf } from '../support/redis-keys.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';

const CREATE = { headers: { 'if-none-match': '*' } };

async function replica(t: Test, redis: RedisServer, apis: Record<string, unknown>) {
  const config = { admin: { token: ADMIN_TOKEN }, apis, keys: { source: 'redis' }, redis: { url: redis.url } };
  const postern = await startPostern(t, { config, keys: [] });
  await postern.ready();
  const { call } = await adminClient(t, postern.adminUrl);
  const statusOf = async (id: string, method = 'GET'): Promise<number> =>
    (await fetch(`${postern.url}/profile/u1`, { method, headers: { authorization: `Bearer secret-of-${id}` } })).status;
  return { ...postern, call, statusOf };
}

const redis = await startRedis(t);
const backend = await startBackend(t);
await changeKeys(redis.admin, { set: { server: definitionOf('server'), other: definitionOf('other') } });
const apis = { integration: { upstream: backend.url } };
const [one, two] = await Promise.all([replica(t, redis, apis), replica(t, redis, apis)]);

const withPolicy = async (id: string, more: Record<string, unknown>) => {
  const { body, headers } = await one.call('GET', `/api/keys/${id}`);
  return one.call('PUT', `/api/keys/${id}`, { body: { ...body, ...more }, ifMatch: headers.get('etag') ?? '' });
};

t.test('a policy and a list are live here at once and soon at the other replica, each told by its name', async (t) => {
  const told: string[] = [];
  const listener = redis.admin.duplicate();
  t.teardown(() => listener.disconnect());
  listener.on('message', (_channel, message) => told.push(message));
  await listener.subscribe('postern:keys:changed');

  t.equal((await one.call('PUT', '/api/lists/office', { body: ['127.0.0.1'], ...CREATE })).status, 201);
  const fields = { type: 'read-only', allowFrom: [{ list: 'office' }] };
  const made = await one.call('PUT', '/api/policies/partners', { body: fields, ...CREATE });
  t.equal(made.status, 201);
  t.equal((await withPolicy('server', { policy: 'partners', type: 'read-only', allowFrom: [] })).status, 200);
  t.equal(await one.statusOf('server'), 403, 'its own list of nobody is stronger');
  await redis.admin.hset('postern:keys', 'server', definitionOf('server', { policy: 'partners', type: undefined }));
  await redis.admin.multi().incr('postern:keys:version').publish('postern:keys:changed', 'server').exec();
  // Both at once: the version before, of an allow-list without entries, refuses DELETE too.
  await eventually(async () => (await two.statusOf('server')) === 204, 'the addresses of the policy');
  t.equal(await two.statusOf('server', 'DELETE'), 403, 'the type of the policy');

  const ifMatch = (await two.call('GET', '/api/policies/partners')).headers.get('etag') ?? '';
  t.equal(ifMatch, made.headers.get('etag'), 'equal in every process');
  t.equal(
    (await two.call('PUT', '/api/policies/partners', { body: { ...fields, type: 'read-write' }, ifMatch })).status,
    200,
  );
  t.equal(await two.statusOf('server', 'DELETE'), 204);
  await eventually(async () => (await one.statusOf('server', 'DELETE')) === 204, 'the other replica to follow');
  t.equal((await one.call('PUT', '/api/lists/office', { body: ['192.0.2.1'], ifMatch: '*' })).status, 200);
  t.equal(await one.statusOf('server'), 403);
  await eventually(async () => (await two.statusOf('server')) === 403, 'the list at the other replica');
  // A listener of its own, which hears of it by itself.
  const records = () => told.filter((message) => message !== 'server');
  await eventually(() => records().length >= 4, 'the last message');
  t.same(records(), ['list:office', 'policy:partners', 'policy:partners', 'list:office']);
  t.same(await redis.admin.hgetall('postern:lists'), { office: '["192.0.2.1"]' });
});

t.test('what is in use stays, and what would make a key unusable is refused', async (t) => {
  const version = await redis.admin.get('postern:keys:version');
  for (const path of ['/api/policies/partners', '/api/lists/office']) {
    const refused = await two.call('DELETE', path, { ifMatch: '*' });
    t.same([refused.status, refused.body.code], [409, 'in_use'], path);
  }
  const spoilt = await two.call('PUT', '/api/policies/partners', { body: { mode: 'report' }, ifMatch: '*' });
  t.same([spoilt.status, spoilt.body.findings[0].field], [422, 'keys.server.type']);
  const put = (path: string, body: unknown) => two.call('PUT', path, { body, ...CREATE });
  t.equal((await put('/api/lists/cdn', { file: 'cdn.txt' })).status, 422, 'files are those of one machine');
  t.equal((await put('/api/policies/new', { denyFrom: [{ list: 'offise' }] })).status, 422);
  t.equal((await put('/api/policies/new', { apis: ['x'] })).status, 422);
  for (const more of [{ policy: 'partner' }, { apis: ['x'] }, { denyFrom: [{ list: 'x' }] }])
    t.equal((await withPolicy('other', more)).status, 422, JSON.stringify(more));
  t.equal(await redis.admin.get('postern:keys:version'), version, 'nothing was written');
});

t.test('a policy is not removed from under a key that takes it at the same moment', async (t) => {
  for (let round = 0; round < 5; round++) {
    const name = `p${round}`;
    t.equal((await one.call('PUT', `/api/policies/${name}`, { body: { type: 'read-only' }, ...CREATE })).status, 201);
    const { body, headers } = await one.call('GET', '/api/keys/other');
    const [taken, gone] = await Promise.all([
      one.call('PUT', '/api/keys/other', { body: { ...body, policy: name }, ifMatch: headers.get('etag') ?? '' }),
      two.call('DELETE', `/api/policies/${name}`, { ifMatch: '*' }),
    ]);
    t.ok(
      (taken.status === 200 && gone.status === 409) || (taken.status === 422 && gone.status === 204),
      `${taken.status} and ${gone.status}`,
    );
  }
});

t.test('a malformed policy is shown as such, and can be replaced or deleted', async (t) => {
  await redis.admin.hset('postern:policies', { broken: '{', other: '{"x":1}' });
  const list = await one.call('GET', '/api/policies');
  t.same(
    list.body.invalid.map(({ name }: { name: string }) => name),
    ['broken', 'other'],
  );
  t.equal((await one.call('GET', '/api/policies/broken')).status, 409);
  t.equal((await one.call('DELETE', '/api/policies/broken', { ifMatch: '*' })).status, 204);
  t.equal((await one.call('PUT', '/api/policies/other', { body: {}, ifMatch: '*' })).status, 200);
});
