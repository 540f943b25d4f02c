/** Policies and lists in Redis, beside the keys: published, polled, malformed, lost. */
import t from 'tap';
import { startBackend } from '../support/backend.ts';
import { definitionOf, digest, watchKeys } from '../support/redis-keys.ts';
import { startReplica } from '../support/redis-postern.ts';
import { eventually } from '../support/eventually.ts';
import { redisAt, startRedis } from '../support/redis.ts';

const KEY = (more: Record<string, unknown>) =>
  JSON.stringify({ secrets: [{ hash: `sha256:${digest('secret-of-a')}` }], ...more });

t.test('a change of a policy is one of every key that uses it', async (t) => {
  const server = await startRedis(t);
  const { admin } = server;
  const tell = (message: string) =>
    admin.multi().incr('postern:keys:version').publish('postern:keys:changed', message).exec();
  await admin.hset('postern:policies', {
    partners: '{"type":"read-only","rateLimit":{"requests":5,"windowSeconds":1}}',
  });
  await admin.hset('postern:lists', { office: '["203.0.113.0/28"]' });
  await admin.hset('postern:keys', {
    a: KEY({ policy: 'partners' }),
    b: definitionOf('b', { policy: 'partners', allowFrom: [{ list: 'office' }] }),
    c: definitionOf('c'),
  });
  await admin.incr('postern:keys:version');
  const watched = watchKeys(t, redisAt(`redis://127.0.0.1:${server.port}`), { pollSeconds: 1 });
  await watched.loaded();
  const key = (id: string) => watched.snapshots.at(-1)?.byId.get(id);
  t.same([key('a')?.type, key('a')?.rateLimit?.requests, key('b')?.type], ['read-only', 5, 'read-write']);
  await eventually(async () => (await admin.pubsub('NUMSUB', 'postern:keys:changed'))[1] === 1, 'the subscription');

  const c = key('c');
  await admin.hset('postern:policies', 'partners', '{"type":"read-only","mode":"report"}');
  await tell('policy:partners');
  await eventually(async () => key('a')?.mode === 'report' && key('b')?.mode === 'report', 'the published policy');
  t.equal(key('a')?.rateLimit, null);
  t.equal(key('c'), c, 'no other key is touched');

  await admin.hset('postern:policies', 'partners', '{"type":"read-only"}');
  await admin.incr('postern:keys:version');
  await eventually(async () => key('a')?.mode === 'enforce', 'the policy that nobody told of');

  await admin.hset('postern:policies', 'partners', '{"typ');
  await tell('policy:partners');
  await eventually(async () => watched.ids().join() === 'c', 'the malformed policy');
  t.equal(watched.source.status().invalidDefinitions, 2);
  t.match(watched.problems.map(({ message }) => message).join(), /partners, which cannot be used: it is not JSON/);
  await admin.hset('postern:policies', 'partners', '{"type":"read-only"}');
  await tell('policy:partners');
  await eventually(async () => watched.ids().join() === 'a,b,c', 'the mended one');

  await admin.hset('postern:lists', 'office', '{"file":"/etc/hosts"}');
  await tell('list:office');
  await eventually(async () => watched.ids().join() === 'a,c', 'the list that cannot be');
  await admin.hset('postern:lists', 'office', '["203.0.113.0/28"]');
  await tell('*');
  await eventually(async () => watched.ids().join() === 'a,b,c', 'the list is back');

  await admin.del('postern:policies');
  await eventually(async () => !watched.source.status().up, 'lost policies are no deletion');
  t.same(watched.ids(), ['a', 'b', 'c']);
  await admin.hset('postern:policies', 'partners', '{"type":"read-only"}');
  await eventually(async () => watched.source.status().up, 'they are back');
});

t.test('a list that the configuration names and Redis has not is told of, counted, and fails closed', async (t) => {
  const server = await startRedis(t);
  const { admin } = server;
  const tell = () => admin.multi().incr('postern:keys:version').publish('postern:keys:changed', '*').exec();
  await admin.hset('postern:keys', { c: definitionOf('c') });
  await tell();
  const backend = await startBackend(t);
  const replica = await startReplica(t, backend.url, { url: server.url }, { listen: { denyFrom: [{ list: 'bad' }] } });
  const up = () => replica.metric('postern_address_list_up{list="bad"}');
  const told = (msg: string) => replica.lines.filter((line) => line['msg'] === msg && line['list'] === 'bad').length;
  t.equal(told('address_list_missing'), 1);
  t.match(await (await fetch(`${replica.adminUrl}/metrics`)).text(), 'postern_address_list_up{list="bad"} 0');
  t.equal(await replica.statusOf('secret-of-c'), 403);
  await admin.hset('postern:lists', { bad: '["203.0.113.0/28"]' });
  await tell();
  await eventually(async () => (await up()) === 1, 'the list');
  await eventually(async () => (await replica.statusOf('secret-of-c')) === 204, 'the list to hold');
  t.equal(told('address_list_found'), 1);
  t.equal(told('address_list_missing'), 1);
});
