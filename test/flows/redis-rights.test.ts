/** The ACL user of docs/redis.md may do all that Postern does, and the tables there name what it keeps. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { keyLayout, replaceKey, writeKeys } from '../../src/keys/redis-layout.ts';
import { connectRedis } from '../../src/lib/redis.ts';
import { createMemoryStore } from '../../src/cache/memory-store.ts';
import { createRedisStore } from '../../src/cache/redis-store.ts';
import { dayOf, Observations } from '../../src/observe/observations.ts';
import { createRedisStore as createObservationsInRedis } from '../../src/observe/redis-store.ts';
import { createRedisRateStore } from '../../src/rate-store/redis.ts';
import { answerEntry, KEY } from '../cache/store-contract.ts';
import { seenAt, WEB } from '../support/observed.ts';
import { eventually } from '../support/eventually.ts';
import { redisAt, startRedis, type RedisServer } from '../support/redis.ts';
import { startBackend } from '../support/backend.ts';
import { startReplica, writeSharedKeys } from '../support/redis-postern.ts';
import { definitionOf, watchKeys } from '../support/redis-keys.ts';

/** A guard against hanging: a busy machine may take longer than requests wait. */
const PATIENCE_MS = 60_000;

const DOCS = readFileSync('docs/redis.md', 'utf8');

/** As it stands there, alone in its block. */
const USER = /^```\n(user postern .*)\n```$/m.exec(DOCS)?.[1] ?? '';

/** What `USER` allows, such as `get` and `client|setname`. */
const ALLOWED = USER.split(' ').flatMap((word) => (word.startsWith('+') ? [word.slice(1)] : []));

/** A server with that user, from an `aclfile`. */
function startWithUser(t: Test): Promise<RedisServer> {
  const folder = t.testdir({ 'users.acl': `user default on >admin ~* &* +@all\n${USER}\n` });
  return startRedis(t, { password: 'admin', conf: [`aclfile ${join(folder, 'users.acl')}`] });
}

const userUrl = ({ port }: RedisServer): string => `redis://postern:secret@127.0.0.1:${port}`;

const used = new Set<string>();

/** By anybody, the test itself included. */
async function noteUsed({ admin }: RedisServer): Promise<void> {
  const stats = await admin.info('commandstats');
  for (const [, name = ''] of stats.matchAll(/^cmdstat_([^:]+):/gm)) used.add(name);
}

/** What the server refused to anybody. */
const refusedBy = (server: RedisServer): Promise<unknown> => server.admin.call('ACL', 'LOG');

t.test('the documented rights are enough, and no more than the documented names are used', async (t) => {
  const server = await startWithUser(t);
  const settings = redisAt(userUrl(server));
  const troubles: string[] = [];
  const onFallback = (active: boolean, why: string): void => void (active && troubles.push(why));
  const open = () =>
    new Promise<ReturnType<typeof connectRedis>>((resolve) => {
      const made = connectRedis(settings, { name: 'test', onReady: () => resolve(made) });
    });

  const writer = await open();
  t.teardown(() => writer.close());
  const layout = keyLayout('postern:');
  await writeKeys(writer, layout, { set: new Map([['a', definitionOf('a')]]), remove: ['b'] });
  const watched = watchKeys(t, settings);
  await watched.loaded();
  await eventually(async () => (await server.admin.pubsub('NUMSUB', layout.changed))[1] === 1, 'the subscription');
  t.ok(await replaceKey(writer, layout, { id: 'c', expected: null, json: definitionOf('c') }));
  t.notOk(await replaceKey(writer, layout, { id: 'c', expected: null, json: definitionOf('c') }), 'it is taken');
  t.notOk(await replaceKey(writer, layout, { id: 'a', expected: 'other', json: null }), 'it is another');
  await eventually(() => watched.ids().join() === 'a,c', 'the change');
  t.ok(await replaceKey(writer, layout, { id: 'a', expected: definitionOf('a'), json: null }));
  await eventually(() => watched.ids().join() === 'c', 'the removal');
  t.same(
    watched.problems.filter(({ message }) => !message.includes('does not answer, or is still loading')),
    [],
  );

  const rate = createRedisRateStore({
    connection: await open(),
    prefix: 'postern:',
    onFallback,
    patienceMs: PATIENCE_MS,
  });
  t.teardown(() => rate.close());
  const limit = { requests: 2, windowSeconds: 60 };
  for (let i = 0; i < 3; i += 1) await rate.take('a', limit, Date.now());
  const entry = `${Date.now() - 61_000}:1`;
  await server.admin.del('postern:rate:b');
  await server.admin.rpush('postern:rate:b', 2, entry, `${Date.now()}:1`);
  t.ok((await rate.take('b', limit, Date.now())).allowed);

  const memory = createMemoryStore({ maxBytes: 0, now: Date.now });
  const cache = createRedisStore({
    connection: await open(),
    prefix: 'postern:',
    memory,
    now: Date.now,
    onFallback,
    patienceMs: PATIENCE_MS,
  });
  t.teardown(cache.close);
  await cache.set(KEY, answerEntry(), 60_000);
  t.same(await cache.get(KEY), answerEntry());
  await cache.delete(KEY);
  await cache.clear();
  await cache.set(KEY, answerEntry(), 60_000);

  const now = Date.now();
  const observations = new Observations({ days: 30 });
  const observed = createObservationsInRedis({
    connection: await open(),
    prefix: 'postern:',
    days: 30,
    now: () => now,
    observations,
    onFallback,
  });
  t.teardown(observed.close);
  for (let i = 0; i < 2; i += 1) {
    observations.count('key', 'web', seenAt(now));
    await observed.flush();
  }
  t.equal((await observed.read(WEB, dayOf(now))).requests, 2);
  t.same(troubles, []);
  await noteUsed(server);
  t.same(await refusedBy(server), []);

  const used = (await server.admin.keys('*')).map((name) =>
    name
      .replace('postern:', '{prefix}')
      .replace(/rate:.*/, 'rate:<id>')
      .replace(/observed:\d.*/, 'observed:<day>')
      .replace(KEY, '<digest>'),
  );
  for (const name of new Set(used)) t.ok(DOCS.includes(`\`${name}\``), name);
});

t.test('a whole sidecar lives by them', async (t) => {
  const server = await startWithUser(t);
  await writeSharedKeys(server);
  const backend = await startBackend(t, (_req, res) => void res.writeHead(200, { 'Content-Length': 2 }).end('{}'));
  const admin = { token: 'token-of-an-admin-for-rights' };
  const observe = { enabled: true, store: 'redis' };
  const replica = await startReplica(t, backend.url, { url: userUrl(server) }, { admin, observe });
  await replica.sourceUp(1);
  t.equal(await replica.statusOf('secret-of-server'), 200);
  t.equal(await replica.statusOf('secret-of-limited'), 200);
  const token = await replica.obtainToken();
  t.equal((await replica.query(token, '{"variables":{}}')).status, 200);
  const headers = { authorization: `Bearer ${admin.token}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ id: 'made', type: 'read-only' });
  t.equal((await fetch(`${replica.adminUrl}/api/keys`, { method: 'POST', headers, body })).status, 201);
  t.equal((await fetch(`${replica.adminUrl}/api/cache/purge`, { method: 'POST', headers })).status, 204);
  await eventually(async () => (await replica.metric('postern_redis_up{use="observe"}')) === 1, 'a shared store');
  // What was observed is written at the latest now.
  await replica.sidecar.drain({ announceMs: 0, graceMs: 5000 });
  t.equal(await server.admin.exists('postern:observed:sizes'), 1);
  t.notMatch(replica.logText(), /NOPERM/);
  await noteUsed(server);
  t.same(await refusedBy(server), []);
});

/** For a Cluster, and a database other than the first: not used above. */
const ELSEWHERE = ['select', 'cluster|slots', 'cluster|info', 'asking', 'readonly'];

t.test('each of the rights is used', (t) => {
  t.same(
    ALLOWED.filter((command) => !used.has(command) && !ELSEWHERE.includes(command)),
    [],
  );
  t.end();
});

/** Redis lets everybody. */
const ALWAYS = ['auth', 'hello', 'quit', 'reset'];

/** Of the commands whose second argument is not a key, as many as they need at least. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  eval: ['script', '1', 'postern:x'],
  evalsha: ['digest', '1', 'postern:x'],
  mget: ['postern:x', 'postern:y'],
  exists: ['postern:x', 'postern:y'],
  del: ['postern:x', 'postern:y'],
};

t.test('the server says the same of every command that it knows', async (t) => {
  const server = await startWithUser(t);
  const known = (await server.admin.call('COMMAND', 'LIST')) as string[];
  const infos = (await server.admin.call('COMMAND', 'INFO', ...known)) as [string, number][];
  const arity = new Map(infos.map(([name, least]) => [name, Math.abs(least)]));
  const dryRun = async (name: string, ...given: readonly string[]): Promise<string> => {
    const words = name.split('|');
    const missing = Math.max(0, (arity.get(name) ?? 1) - words.length - given.length);
    const said = server.admin.call('ACL', 'DRYRUN', 'postern', ...words, ...given, ...Array(missing).fill('1'));
    return said.then(String, String);
  };
  for (const name of ALLOWED) {
    const least = (arity.get(name) ?? 0) - name.split('|').length;
    t.equal(await dryRun(name, ...(ARGUMENTS[name] ?? (least > 0 ? ['postern:x'] : []))), 'OK', name);
  }
  const containers = new Set(known.flatMap((name) => (name.includes('|') ? [name.split('|')[0]] : [])));
  const others = known.filter((name) => !ALLOWED.includes(name) && !ALWAYS.includes(name) && !containers.has(name));
  for (const needed of ['client|kill', 'client|pause', 'cluster|reset', 'cluster|failover', 'flushall', 'keys'])
    t.ok(others.includes(needed), needed);
  for (const name of others) t.match(await dryRun(name), /has no permissions to run/, name);
  t.match(await dryRun('get', 'other:x'), /'other:x' key/);
  t.match(await dryRun('publish', 'other:x', 'm'), /'other:x' channel/);
});
