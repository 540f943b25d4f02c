/** Slow: servers are killed and frozen, and a Cluster has to form first. */
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { connectRedis, type RedisConnection, RedisFailure } from '../../src/lib/redis.ts';
import { eventually } from '../support/eventually.ts';
import { REDIS_CA_FILE, redisAt, startCluster, startRedis, startSentinel } from '../support/redis.ts';

const PASSWORD = 'p4ss:w@rd/%';

async function readyConnection(settings: ReturnType<typeof redisAt>, t: { teardown(fn: () => void): void }) {
  const lost: string[] = [];
  let made: RedisConnection | undefined;
  await new Promise<void>((resolve) => {
    made = connectRedis(settings, { name: 'test', onReady: resolve, onLost: (why) => lost.push(why) });
  });
  const connection = made as RedisConnection;
  t.teardown(() => connection.close());
  return { connection, lost };
}

t.test('one server: commands, transactions, scripts, messages', async (t) => {
  const server = await startRedis(t);
  const { connection } = await readyConnection(redisAt(server.url), t);
  t.equal(await connection.call('set', 'a', 'b'), 'OK');
  t.same(await connection.callBuffer('get', 'a'), Buffer.from('b'));
  t.same(
    await connection.transaction([
      ['hset', 'h', 'f', 'v'],
      ['incr', 'n'],
      ['hget', 'h', 'f'],
    ]),
    [1, 1, 'v'],
  );
  const script = connection.script('return {KEYS[1], ARGV[1]}');
  t.same(await script(['k'], ['x']), ['k', 'x']);
  await server.admin.call('script', 'flush');
  t.same(await script(['k'], ['y']), ['k', 'y'], 'a server that forgot the script gets it again');

  const messages: string[] = [];
  await new Promise<void>((resolve) => {
    connection.subscribe('news', { onMessage: (message) => messages.push(message), onSubscribed: resolve });
  });
  await server.admin.publish('news', 'one');
  await eventually(() => messages.length === 1, 'the message');
  t.same(messages, ['one']);
});

t.test('failures tell the code and hold no arguments', async (t) => {
  const server = await startRedis(t);
  const { connection } = await readyConnection(redisAt(server.url), t);
  await connection.call('set', 'text', 'x');
  const error = await connection.call('hget', 'text', 'top-secret').then(
    () => undefined,
    (error: unknown) => error,
  );
  t.ok(error instanceof RedisFailure);
  t.equal((error as RedisFailure).code, 'WRONGTYPE');
  t.notMatch(JSON.stringify({ ...(error as object) }), 'top-secret');
  await t.rejects(
    connection.transaction([
      ['set', 'other', '1'],
      ['incr', 'text'],
    ]),
    { name: 'RedisFailure' },
    'one failed command fails the transaction',
  );
  await server.admin.config('SET', 'maxmemory', '1');
  await t.rejects(
    connection.transaction([['set', 'other', '1']]),
    { code: 'OOM' },
    'the reason, not that it was given up',
  );
});

t.test('TLS checks the certificate', async (t) => {
  const server = await startRedis(t, { tls: true, password: 'secret' });
  const tls = { caFile: REDIS_CA_FILE, serverName: null, insecureSkipVerify: false };
  const { connection } = await readyConnection(redisAt(server.url, { tls }), t);
  t.equal(await connection.call('ping'), 'PONG');
  // On a busy machine the first attempt may have been too slow.
  const lost: string[] = [];
  const untrusting = connectRedis(redisAt(server.url), { name: 'test', onLost: (why) => lost.push(why) });
  t.teardown(() => untrusting.close());
  await eventually(() => lost.some((why) => /certificate/.test(why)), 'the reason');
  t.notOk(untrusting.ready);
});

t.test('a CA file that is gone is not needed to connect again', async (t) => {
  const server = await startRedis(t, { tls: true, password: 'secret' });
  const caFile = join(t.testdir(), 'ca.pem');
  copyFileSync(REDIS_CA_FILE, caFile);
  const tls = { caFile, serverName: null, insecureSkipVerify: false };
  const { connection } = await readyConnection(redisAt(server.url, { tls }), t);
  let subscribed = 0;
  const subscription = connection.subscribe('news', { onMessage: () => {}, onSubscribed: () => void subscribed++ });
  t.teardown(() => subscription.close());
  await eventually(() => subscribed === 1, 'the subscription');
  rmSync(caFile);
  for (const type of ['normal', 'pubsub']) await server.admin.call('client', 'kill', 'type', type, 'skipme', 'yes');
  await eventually(() => subscribed === 2 && connection.ready, 'both to be connected again');
  t.equal(await connection.call('ping'), 'PONG');
});

t.test('a password from the URL or beside it, never shown', async (t) => {
  const server = await startRedis(t, { password: 'admin', conf: ['user app on >p4ss:w@rd/% ~* &* +@all'] });
  const encoded = encodeURIComponent(PASSWORD);
  const inUrl = await readyConnection(redisAt(`redis://app:${encoded}@127.0.0.1:${server.port}`), t);
  t.equal(await inUrl.connection.call('acl', 'whoami'), 'app');
  const beside = { username: 'app', password: PASSWORD };
  const { connection } = await readyConnection(redisAt(`redis://127.0.0.1:${server.port}`, beside), t);
  t.equal(await connection.call('acl', 'whoami'), 'app');
  const lost: string[] = [];
  const wrong = connectRedis(redisAt(`redis://app:wrong-pass@127.0.0.1:${server.port}`), {
    name: 'test',
    onLost: (why) => lost.push(why),
  });
  t.teardown(() => wrong.close());
  await eventually(() => lost.some((why) => /WRONGPASS/.test(why)), 'the reason');
  t.notMatch(lost.join(), /wrong-pass/);
});

t.test('a killed server is lost at once, fails commands at once, and is found again', async (t) => {
  const server = await startRedis(t);
  const { connection, lost } = await readyConnection(redisAt(server.url), t);
  const subscribed: number[] = [];
  const messages: string[] = [];
  connection.subscribe('news', {
    onMessage: (message) => messages.push(message),
    onSubscribed: () => subscribed.push(1),
  });
  await eventually(() => subscribed.length === 1, 'the subscription');
  await server.kill();
  await eventually(() => lost.length > 0, 'the loss');
  t.notOk(connection.ready);
  await t.rejects(connection.call('ping'), { name: 'RedisFailure' });
  await t.rejects(connection.transaction([['ping']]), { name: 'RedisFailure' });
  const whyNot = () => connection.call('ping').catch(({ message }: Error) => message);
  t.notMatch(await whyNot(), /enableOfflineQueue|writeable/, 'no words of the library for what was not sent');
  await eventually(async () => /ECONNREFUSED/.test(String(await whyNot())), 'why there is no connection');
  await server.restart();
  await eventually(() => connection.ready && subscribed.length === 2, 'both to come back');
  t.equal(await connection.call('ping'), 'PONG');
  await server.admin.publish('news', 'after');
  await eventually(() => messages.includes('after'), 'a message after the outage');
});

t.test('a server that stops answering is lost, also when nobody asks it anything', async (t) => {
  const server = await startRedis(t);
  const { connection, lost } = await readyConnection(redisAt(server.url), t);
  const subscriptionLost: string[] = [];
  let subscribed = 0;
  connection.subscribe('news', {
    onMessage: () => undefined,
    onSubscribed: () => (subscribed += 1),
    onLost: (why) => subscriptionLost.push(why),
  });
  await eventually(() => subscribed === 1, 'the subscription');
  server.freeze();
  const waiting = connection.call('get', 'a').catch(({ message }: Error) => message);
  await eventually(() => lost.length > 0 && subscriptionLost.length > 0, 'both losses');
  t.match(await waiting, /^no answer within /, 'no words of the library for what was on its way');
  t.match(lost[0], /^no answer within \d+ ms$/);
  await t.rejects(connection.call('ping'), { name: 'RedisFailure' });
  server.thaw();
  await eventually(() => connection.ready && subscribed === 2, 'both to come back');
});

t.test('Sentinel: follows a failover, with a password', async (t) => {
  const { settings, master, replica } = await startSentinel(t, 'secret');
  const { connection, lost } = await readyConnection(settings, t);
  await connection.call('set', 'a', 'before');
  await connection.call('wait', 1, 1000);
  await master.kill();
  await eventually(() => lost.length > 0, 'the loss');
  await eventually(async () => {
    try {
      return (await connection.call('set', 'a', 'after')) === 'OK';
    } catch {
      return false;
    }
  }, 'writes on the new master');
  t.equal(await replica.admin.get('a'), 'after');
});

t.test('a demoted server is left when it refuses a write', async (t) => {
  const server = await startRedis(t);
  const other = await startRedis(t);
  let ready = 0;
  const connection = connectRedis(redisAt(server.url), { name: 'test', writes: true, onReady: () => (ready += 1) });
  t.teardown(() => connection.close());
  await eventually(() => ready === 1, 'the connection');
  await server.admin.call('replicaof', '127.0.0.1', other.port);
  await t.rejects(connection.call('set', 'a', '1'), { code: 'READONLY' });
  await eventually(() => ready === 2, 'a fresh connection');
  await t.rejects(connection.call('set', 'a', '1'), { code: 'READONLY' });
  t.equal(await connection.call('get', 'a'), null, 'it is not left again at once');
  t.equal(ready, 2);
});

t.test('Cluster: commands, transactions and scripts follow a slot; messages reach any node', async (t) => {
  const { settings, nodes, moveSlotOf } = await startCluster(t);
  const { connection } = await readyConnection(settings, t);
  const transaction = () =>
    connection.transaction([
      ['hset', '{p}:h', 'f', 'v'],
      ['incr', '{p}:n'],
    ]);
  t.same(await transaction(), [1, 1]);
  let subscribed = 0;
  const messages: string[] = [];
  connection.subscribe('news', {
    onMessage: (message) => messages.push(message),
    onSubscribed: () => (subscribed += 1),
  });
  await eventually(() => subscribed === 1, 'the subscription');

  await moveSlotOf('{p}:h');
  t.same(await transaction(), [0, 2], 'the data moved with its slot');
  t.equal(await connection.script('return redis.call("incr", KEYS[1])')(['{p}:n'], []), 3);
  for (const node of nodes) await node.admin.publish('news', `from ${node.port}`);
  await eventually(() => messages.length === nodes.length, 'a message from each node');
});
