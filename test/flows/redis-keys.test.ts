/**
 * Keys in Redis, live in every replica: by message, by counter, one malformed among the others, and very many.
 * Slow: 20,000 keys, and two replicas for each test.
 */
import t, { type Test } from 'tap';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';
import { changeKeys, definitionOf } from '../support/redis-keys.ts';
import { startNumberingBackend, startReplica, writeSharedKeys, type Replica } from '../support/redis-postern.ts';

/** Nothing is found by asking within a test: what is found was told. */
const NEVER_SECONDS = 300;

async function twoReplicas(t: Test, pollSeconds = NEVER_SECONDS) {
  const redis = await startRedis(t);
  await writeSharedKeys(redis);
  const { url } = await startNumberingBackend(t);
  const section = { url: redis.url, pollSeconds };
  const replicas = await Promise.all([startReplica(t, url, section), startReplica(t, url, section)]);
  const listens = async () => Number((await redis.admin.pubsub('NUMSUB', 'postern:keys:changed'))[1]) === 2;
  await eventually(listens, 'both replicas to listen');
  return { redis, replicas };
}

const everywhere = (replicas: readonly Replica[], secret: string, status: number) =>
  Promise.all(
    replicas.map((replica) =>
      eventually(async () => (await replica.statusOf(secret)) === status, `${status} for ${secret}`),
    ),
  );

t.jobs = 2;

t.test('a published change is live in every replica without anybody asking for it', { buffered: true }, async (t) => {
  const { redis, replicas } = await twoReplicas(t);
  await changeKeys(redis.admin, { set: { added: definitionOf('added') } });
  await everywhere(replicas, 'secret-of-added', 200);
  await changeKeys(redis.admin, { set: { added: definitionOf('added', { allowFrom: ['203.0.113.7'] }) } });
  await everywhere(replicas, 'secret-of-added', 403);
  await changeKeys(redis.admin, { set: { added: definitionOf('added', { enabled: false }) } });
  await everywhere(replicas, 'secret-of-added', 401);
  await changeKeys(redis.admin, { set: { added: definitionOf('added') } });
  await everywhere(replicas, 'secret-of-added', 200);
  await changeKeys(redis.admin, { remove: ['added'] });
  await everywhere(replicas, 'secret-of-added', 401);
  const statuses = await Promise.all(replicas.map((replica) => replica.statusOf('secret-of-server')));
  t.same(statuses, [200, 200], 'the others go on');
});

t.test('a change that only the counter tells is found by asking every pollSeconds', { buffered: true }, async (t) => {
  const { redis, replicas } = await twoReplicas(t, 0.5);
  await changeKeys(redis.admin, { set: { added: definitionOf('added') }, publish: null });
  await everywhere(replicas, 'secret-of-added', 200);
  await changeKeys(redis.admin, { remove: ['added'], publish: null });
  await everywhere(replicas, 'secret-of-added', 401);
  t.same(await Promise.all(replicas.map((replica) => replica.statusOf('secret-of-server'))), [200, 200]);
});

t.test('a page of a new origin may ask as soon as the key says so', { buffered: true }, async (t) => {
  const { redis, replicas } = await twoReplicas(t);
  const [{ url }] = replicas as [Replica, Replica];
  const preflight = async (): Promise<number> => {
    const headers = { origin: 'https://example.com', 'access-control-request-method': 'POST' };
    return (await fetch(`${url}/event/ingest`, { method: 'OPTIONS', headers })).status;
  };
  const page = (allowedOrigins: readonly string[]): string =>
    definitionOf('page', { type: 'write-only', allowedOrigins });
  t.equal(await preflight(), 403);
  await changeKeys(redis.admin, { set: { page: page(['https://example.com']) } });
  await eventually(async () => (await preflight()) === 204, 'the preflight to be admitted');
  await changeKeys(redis.admin, { set: { page: page(['https://example.org']) } });
  await eventually(async () => (await preflight()) === 403, 'the preflight to be refused');
});

t.test('a token ends in every replica with the secret it came from', { buffered: true }, async (t) => {
  const { redis, replicas } = await twoReplicas(t);
  const [one, two] = replicas as [Replica, Replica];
  const token = await one.obtainToken();
  t.equal((await one.query(token, '{}')).status, 200);
  t.equal((await two.query(token, '{}')).status, 200, 'one replica knows the tokens of the other');
  await changeKeys(redis.admin, { remove: ['dashboard'] });
  for (const replica of replicas)
    await eventually(async () => (await replica.query(token, '{}')).status === 401, 'the end of the token');
});

t.test(
  'a malformed definition disables its key, is counted and named; the others go on',
  { buffered: true },
  async (t) => {
    const { redis, replicas } = await twoReplicas(t);
    const [one] = replicas as [Replica, Replica];
    await changeKeys(redis.admin, { set: { bad: definitionOf('bad') } });
    await everywhere(replicas, 'secret-of-bad', 200);
    for (const wrong of ['{', '[]', definitionOf('bad', { alowFrom: [] }), definitionOf('bad', { id: 'other' })]) {
      await changeKeys(redis.admin, { set: { bad: wrong } });
      await everywhere(replicas, 'secret-of-bad', 401);
      t.equal(await one.metric('postern_key_source_invalid_definitions'), 1, wrong);
      await changeKeys(redis.admin, { set: { bad: definitionOf('bad') } });
      await everywhere(replicas, 'secret-of-bad', 200);
    }
    t.equal(await one.metric('postern_key_source_invalid_definitions'), 0);
    t.ok(one.lines.some(({ msg, keyId }) => msg === 'key_problem' && keyId === 'bad'));
    await changeKeys(redis.admin, { set: { twin: definitionOf('bad') } });
    await everywhere(replicas, 'secret-of-bad', 401);
    t.equal(await one.metric('postern_key_source_invalid_definitions'), 2, 'two with one secret disable each other');
    await everywhere(replicas, 'secret-of-server', 200);
  },
);

t.test('20,000 keys: all serve, and one change reads one key', { buffered: true }, async (t) => {
  const redis = await startRedis(t);
  const set = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`k${n}`, definitionOf(`k${n}`)]));
  await changeKeys(redis.admin, { set, publish: ['*'] });
  const replica = await startReplica(t, (await startNumberingBackend(t)).url, { url: redis.url });
  t.equal(await replica.metric('postern_keys{type="read-write",state="active"}'), 20_000);
  for (const n of [0, 9_999, 19_999]) t.equal(await replica.statusOf(`secret-of-k${n}`), 200);
  const subscribed = async (): Promise<boolean> =>
    Number((await redis.admin.pubsub('NUMSUB', 'postern:keys:changed'))[1]) === 1;
  await eventually(subscribed, 'the subscription');
  // A reading that the subscription asked for has ended when a change comes through.
  await changeKeys(redis.admin, { set: { first: definitionOf('first') } });
  await everywhere([replica], 'secret-of-first', 200);
  /** Whether nothing was read but one change. */
  const isReadAlone = async (id: string): Promise<boolean> => {
    await redis.admin.config('RESETSTAT');
    await changeKeys(redis.admin, { remove: [id] });
    await everywhere([replica], `secret-of-${id}`, 401);
    return !/cmdstat_(hscan|hgetall|hvals)/.test(await redis.admin.info('commandstats'));
  };
  // A counter that is seen long before its message, as on a busy machine, has everything read.
  let alone = false;
  for (let n = 9_990; n <= 9_999 && !alone; n++) alone = await isReadAlone(`k${n}`);
  t.ok(alone, 'nothing is read but the change');
});
