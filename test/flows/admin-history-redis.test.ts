/** The history of changes with Redis: one for all replicas, kept when they end, and of no importance to anything else. */
import t, { type Test } from 'tap';
import { ADMIN_TOKEN, adminClient } from '../support/admin-client.ts';
import { startPostern } from '../support/postern.ts';
import { changeKeys, definitionOf } from '../support/redis-keys.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';

const redis = await startRedis(t);
const tokens = [{ id: 'anna', role: 'editor', value: ADMIN_TOKEN }];

async function replica(t: Test, url = redis.url) {
  const postern = await startPostern(t, {
    config: {
      admin: { tokens },
      apis: { integration: { upstream: 'http://127.0.0.1:9' } },
      keys: { source: 'redis' },
      redis: { url },
    },
    keys: [],
  });
  await postern.ready();
  const { call } = await adminClient(t, postern.adminUrl);
  const history = async () => (await call('GET', '/api/history')).body;
  const told = async () =>
    ((await history()).changes as { who: string; action: string; target: string }[]).map(
      ({ who, action, target }) => `${who} ${action} ${target}`,
    );
  const put = async (id: string, more: Record<string, unknown>) => {
    const { body, headers } = await call('GET', `/api/keys/${id}`);
    return call('PUT', `/api/keys/${id}`, { body: { ...body, ...more }, ifMatch: headers.get('etag') ?? '' });
  };
  return { ...postern, call, history, told, put };
}

await changeKeys(redis.admin, { set: { server: definitionOf('server'), other: definitionOf('other') } });
const [one, two] = await Promise.all([replica(t), replica(t)]);

await t.test('both replicas show every change once, whoever made it and wherever', async (t) => {
  t.equal((await one.put('server', { description: 'by one' })).status, 200);
  t.equal((await two.put('server', { description: 'by two' })).status, 200);
  t.equal(
    (await two.call('PUT', '/api/policies/p', { body: { mode: 'report' }, headers: { 'if-none-match': '*' } })).status,
    201,
  );
  const made = ['anna create_policy p', 'anna replace_key server', 'anna replace_key server'];
  t.same([await one.told(), await two.told()], [made, made]);
  await changeKeys(redis.admin, { set: { other: definitionOf('other', { enabled: false }) } });
  await eventually(async () => (await one.told())[0] === 'redis replace_key other', 'the change to be seen');
  await changeKeys(redis.admin, { remove: ['other'] });
  await eventually(async () => (await two.told())[0] === 'redis delete_key other', 'the deletion to be seen');
  t.same(
    [await one.told(), await two.told()],
    [
      ['redis delete_key other', 'redis replace_key other', ...made],
      ['redis delete_key other', 'redis replace_key other', ...made],
    ],
  );
  const { changes } = await two.history();
  t.same(changes[1].fields, { enabled: { before: true, after: false } });
  t.same(changes[3].fields, { description: { before: 'by one', after: 'by two' } });
  t.notMatch(JSON.stringify(await redis.admin.xrange('postern:history', '-', '+')), /sha256:/);
});

await t.test('one that starts later knows all of it, and what is no change in the stream is passed over', async (t) => {
  await redis.admin.xadd('postern:history', '*', 'change', '{"who":"nobody"}', 'state', 'x');
  await redis.admin.xadd('postern:history', '*', 'something', 'else');
  const [change] = (await one.history()).changes;
  const long = JSON.stringify({ ...change, action: 'x'.repeat(70_000) });
  await redis.admin.xadd('postern:history', '*', 'change', long, 'state', 'x');
  const three = await replica(t);
  t.same(await three.told(), await one.told());
  t.equal((await three.history()).changes.length, 5);
  t.equal((await three.put('server', { description: 'by three' })).status, 200);
  t.same((await one.told())[0], 'anna replace_key server');
});

await t.test('changes of one key at two replicas at once are each told once, by whoever made them', async (t) => {
  const before = (await one.told()).length;
  const answers = await Promise.all(
    [one, two, one, two, one, two].map(({ call }) =>
      call('POST', '/api/keys/server/secrets', { body: { overlapSeconds: 60 } }),
    ),
  );
  t.same(
    answers.map(({ status }) => status),
    [201, 201, 201, 201, 201, 201],
  );
  // What was changed elsewhere is told last, so that nothing else is still to come.
  await changeKeys(redis.admin, { set: { sentinel: definitionOf('sentinel') } });
  for (const { told } of [one, two])
    await eventually(async () => (await told())[0] === 'redis create_key sentinel', 'the last change to be seen');
  const since = (await one.told()).slice(0, -before);
  t.same(since, ['redis create_key sentinel', ...Array.from({ length: 6 }, () => 'anna rotate_secret server')]);
  t.same(await two.told(), await one.told());
});

await t.test('the stream is capped', async (t) => {
  const change = (await one.history()).changes[0];
  const pipeline = redis.admin.pipeline();
  for (let i = 0; i < 1200; i++)
    pipeline.xadd('postern:history', '*', 'change', JSON.stringify({ ...change, target: `k${i}` }), 'state', 'x');
  await pipeline.exec();
  t.equal((await one.put('server', { description: 'one more' })).status, 200);
  t.equal(await redis.admin.xlen('postern:history'), 1000);
  const { changes } = await two.history();
  t.same([changes.length, changes[0].target, changes[999].target], [1000, 'server', 'k201']);
});

await t.test('without the right to keep a history, changes are made all the same and remembered here', async (t) => {
  const rights = ['~postern:keys*', '~postern:policies', '~postern:lists', '&*', '+@all'];
  await redis.admin.call('ACL', 'SETUSER', 'narrow', 'on', '>narrow', ...rights);
  const narrow = await replica(t, redis.url.replace('redis://', 'redis://narrow:narrow@'));
  t.equal((await narrow.put('server', { description: 'by narrow' })).status, 200);
  const { changes, why } = await narrow.history();
  t.equal(changes[0].who, 'anna');
  t.match(why, /NOPERM/);
  t.equal(narrow.lines.filter(({ msg }) => msg === 'history_not_kept').length, 1);
  t.equal((await narrow.call('GET', '/api/keys')).status, 200);
});

await t.test('where it can be read and not be written, it says so, and one line is logged', async (t) => {
  await redis.admin.call('ACL', 'SETUSER', 'reader', 'on', '>reader', '~*', '&*', '+@all', '-xadd');
  const reader = await replica(t, redis.url.replace('redis://', 'redis://reader:reader@'));
  const told = () => reader.lines.filter(({ msg }) => msg === 'history_not_kept').length;
  for (const description of ['by a reader', 'once more']) {
    t.equal((await reader.put('server', { description })).status, 200);
    const { changes, why } = await reader.history();
    // Other replicas may have noted by now that they saw it.
    const made = (changes as { who: string; fields: { description: { after: string } } }[]).filter(
      ({ who }) => who === 'anna',
    );
    t.equal(made[0]?.fields.description.after, description);
    t.match(why, /cannot be used: .*can't run this command/s);
  }
  t.equal(told(), 1);
  await redis.admin.call('ACL', 'SETUSER', 'reader', '+xadd');
  t.equal((await reader.put('server', { description: 'by a writer' })).status, 200);
  t.equal((await reader.history()).why, null);
});
