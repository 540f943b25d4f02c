/** Slow: servers are killed, frozen and failed over, and silence is noticed after seconds. */
import t from 'tap';
import { createRedisKeySource } from '../../src/keys/redis-source.ts';
import { RedisFailure, type RedisConnection, type RedisEvents } from '../../src/lib/redis.ts';
import { eventually } from '../support/eventually.ts';
import { redisAt, startCluster, startRedis, startSentinel } from '../support/redis.ts';
import { changeKeys, definitionOf, watchKeys } from '../support/redis-keys.ts';
import { HANGING_MS } from '../support/redis-outage.ts';

t.test('what is published reaches every process without a full reading', async (t) => {
  const server = await startRedis(t);
  await changeKeys(server.admin, { set: { a: definitionOf('a'), b: definitionOf('b') } });
  const watchers = [1, 2].map(() => watchKeys(t, redisAt(server.url), { pollSeconds: 300 }));
  await Promise.all(watchers.map(({ loaded }) => loaded()));
  for (const { source, ids } of watchers) {
    t.match(source.status(), { up: true, loaded: true, invalidDefinitions: 0, why: null });
    t.same(ids(), ['a', 'b']);
  }
  await eventually(async () => (await server.admin.pubsub('NUMSUB', 'postern:keys:changed'))[1] === 2, 'listeners');
  const scans = async (): Promise<string> =>
    /cmdstat_hscan:calls=(\d+)/.exec(await server.admin.info('commandstats'))?.[1] ?? '0';
  const everywhere = (secret: string, isKnown: boolean): Promise<unknown> =>
    eventually(() => watchers.every(({ admits }) => admits(secret) === isKnown), `${secret}: ${isKnown}`);
  /** Whether nothing else was read for a new key, a changed secret and a removed key. */
  const areReadAlone = async (n: number): Promise<boolean> => {
    const before = await scans();
    await changeKeys(server.admin, { set: { c: definitionOf(`c-${n}`) } });
    await everywhere(`secret-of-c-${n}`, true);
    await changeKeys(server.admin, { set: { c: definitionOf(`other-${n}`) } });
    await everywhere(`secret-of-other-${n}`, true);
    await everywhere(`secret-of-c-${n}`, false);
    await changeKeys(server.admin, { remove: ['c'] });
    await everywhere(`secret-of-other-${n}`, false);
    return (await scans()) === before;
  };
  // A counter that is seen long before its message, as on a busy machine, has everything read.
  let alone = false;
  for (let n = 1; n <= 10 && !alone; n++) alone = await areReadAlone(n);
  t.ok(alone);
  for (const { problems, ids } of watchers) t.same([ids(), problems.filter(({ keyId }) => keyId)], [['a', 'b'], []]);
});

t.test('what only the counter tells is read within pollSeconds', async (t) => {
  const server = await startRedis(t);
  await changeKeys(server.admin, { set: { a: definitionOf('a') } });
  const watched = watchKeys(t, redisAt(server.url), { pollSeconds: 0.2 });
  await watched.loaded();
  await changeKeys(server.admin, { set: { b: definitionOf('b') }, remove: ['a'], publish: null });
  await eventually(() => watched.ids().join() === 'b', 'the change');
  t.same([watched.admits('secret-of-a'), watched.admits('secret-of-b')], [false, true]);
});

t.test('a change that was not published is not hidden by one that was', async (t) => {
  const server = await startRedis(t);
  await changeKeys(server.admin, { set: { a: definitionOf('a') } });
  const watched = watchKeys(t, redisAt(server.url), { pollSeconds: 0.2 });
  await watched.loaded();
  await changeKeys(server.admin, { set: { silent: definitionOf('silent') }, publish: null });
  for (let i = 0; i < 50; i += 1) await changeKeys(server.admin, { set: { loud: definitionOf(`loud-${i}`) } });
  await eventually(() => watched.admits('secret-of-silent') && watched.admits('secret-of-loud-49'), 'both');
  t.same(watched.ids(), ['a', 'loud', 'silent']);
  t.notOk(watched.admits('secret-of-loud-48'));
});

t.test('`*` and a forgotten counter', async (t) => {
  const server = await startRedis(t);
  await changeKeys(server.admin, { set: { a: definitionOf('a') } });
  const watched = watchKeys(t, redisAt(server.url));
  await watched.loaded();
  await eventually(async () => (await server.admin.pubsub('NUMSUB', 'postern:keys:changed'))[1] === 1, 'listeners');
  await changeKeys(server.admin, { set: { b: definitionOf('b') }, publish: ['*'] });
  await eventually(() => watched.admits('secret-of-b'), 'a change told as *');
  await changeKeys(server.admin, { set: { c: definitionOf('c') }, raise: 0 });
  await eventually(() => watched.admits('secret-of-c'), 'a change without counter');
  await changeKeys(server.admin, { remove: ['b'], raise: 0 });
  await eventually(() => !watched.admits('secret-of-b'), 'a deletion without counter');
  t.same(watched.ids(), ['a', 'c']);
});

t.test('a full reading finds what nothing told of', async (t) => {
  const server = await startRedis(t);
  await changeKeys(server.admin, { set: { a: definitionOf('a') } });
  const watched = watchKeys(t, redisAt(server.url), { pollSeconds: 0.1, fullReadingMs: 200 });
  await watched.loaded();
  await changeKeys(server.admin, { set: { b: definitionOf('b') }, remove: ['a'], publish: null, raise: 0 });
  await eventually(() => watched.ids().join() === 'b', 'the change');
  const manual = watchKeys(t, redisAt(server.url));
  await manual.loaded();
  await changeKeys(server.admin, { set: { c: definitionOf('c') }, publish: null, raise: 0 });
  await manual.source.reload();
  t.same(manual.ids(), ['b', 'c'], 'a reload is one');
});

t.test('a malformed definition disables its key and no other', async (t) => {
  const server = await startRedis(t);
  await changeKeys(server.admin, {
    set: {
      good: definitionOf('good'),
      broken: '{',
      extra: definitionOf('extra', { extra: 1 }),
      renamed: definitionOf('renamed', { id: 'someone-else' }),
      'UPPER CASE': definitionOf('upper'),
      one: definitionOf('shared'),
      two: definitionOf('shared'),
      env: definitionOf('env', { description: '${HOME}' }),
    },
  });
  const watched = watchKeys(t, redisAt(server.url));
  await watched.loaded();
  t.same(watched.ids(), ['env', 'good']);
  t.notOk(watched.admits('secret-of-shared'));
  t.equal(watched.source.status().invalidDefinitions, 6);
  t.same(
    watched.problems.map(({ keyId }) => keyId).sort(),
    ['UPPER CASE', 'broken', 'extra', 'one', 'renamed', 'two'],
    'each is told by name',
  );
  t.ok(watched.source.status().up);

  await changeKeys(server.admin, { set: { good: 'null' } });
  await eventually(() => !watched.admits('secret-of-good'), 'a key that became malformed');
  await changeKeys(server.admin, { set: { good: definitionOf('good') }, remove: ['one'] });
  await eventually(() => watched.ids().join() === 'env,good,two', 'the keys that are right again');
  t.equal(watched.source.status().invalidDefinitions, 4);
});

t.test('an emptied Redis is lost data, deleted keys are not', async (t) => {
  const server = await startRedis(t);
  await changeKeys(server.admin, { set: { a: definitionOf('a'), b: definitionOf('b') } });
  const watched = watchKeys(t, redisAt(server.url), { pollSeconds: 0.1 });
  await watched.loaded();
  await server.admin.flushall();
  await eventually(() => !watched.source.status().up, 'up to be false');
  t.match(watched.source.status().why, /emptied/);
  t.match(watched.problems.at(-1), { severity: 'error', message: /the last keys go on serving/ });
  t.same(watched.ids(), ['a', 'b']);
  await server.admin.publish('postern:keys:changed', 'a');
  await server.admin.publish('postern:keys:changed', '*');
  await watched.source.reload();
  t.same(watched.ids(), ['a', 'b'], 'nor is a message taken for a deletion');

  await changeKeys(server.admin, { set: { a: definitionOf('a') } });
  await eventually(() => watched.source.status().up && watched.ids().join() === 'a', 'what was restored');
  await changeKeys(server.admin, { remove: ['a'] });
  await eventually(() => watched.ids().length === 0, 'the last key to be deleted');
  t.ok(watched.source.status().up);
});

t.test('a fresh Redis gives no keys until there are some; an emptied set with its counter is one', async (t) => {
  const fresh = await startRedis(t);
  const watched = watchKeys(t, redisAt(fresh.url), { pollSeconds: 0.1 });
  await watched.started;
  await eventually(() => /fresh/.test(watched.source.status().why ?? ''), 'the reason');
  t.match(watched.source.status(), { up: false, loaded: false });
  t.same(watched.snapshots, []);
  await changeKeys(fresh.admin, { set: { a: definitionOf('a'), b: definitionOf('b') }, publish: ['a'] });
  await eventually(() => watched.source.status().up, 'the keys');
  t.same(watched.ids(), ['a', 'b'], 'the first snapshot is whole');
  t.same(watched.snapshots[0]?.byId.size, 2);

  const empty = await startRedis(t);
  await empty.admin.set('postern:keys:version', '7');
  const none = watchKeys(t, redisAt(empty.url));
  await none.loaded();
  t.match(none.source.status(), { up: true, loaded: true });
  t.same(none.ids(), []);
});

t.test('away at start: starts without keys, and has them when Redis comes', async (t) => {
  const server = await startRedis(t, { conf: ['appendonly yes', 'appendfsync always'] });
  await changeKeys(server.admin, { set: { a: definitionOf('a') } });
  await server.kill();
  const watched = watchKeys(t, redisAt(server.url));
  await watched.started;
  await eventually(() => /ECONNREFUSED/.test(watched.source.status().why ?? ''), 'the reason');
  t.match(watched.source.status(), { up: false, loaded: false });
  await server.restart();
  await eventually(() => watched.source.status().up, 'the keys');
  t.same(watched.ids(), ['a']);
});

t.test('killed: the last keys stay, and what was done meanwhile is not missed', async (t) => {
  const server = await startRedis(t, { conf: ['appendonly yes', 'appendfsync always'] });
  await changeKeys(server.admin, { set: { a: definitionOf('a'), b: definitionOf('b') } });
  const watched = watchKeys(t, redisAt(server.url), { pollSeconds: 300 });
  await watched.loaded();
  await server.kill();
  await eventually(() => !watched.source.status().up, 'up to be false');
  t.same(watched.ids(), ['a', 'b']);
  await server.restart((admin) =>
    changeKeys(admin, { set: { c: definitionOf('c') }, remove: ['a'], publish: null, raise: 0 }),
  );
  await eventually(() => watched.source.status().up && watched.ids().join() === 'b,c', 'what changed meanwhile');
  await eventually(async () => (await server.admin.pubsub('NUMSUB', 'postern:keys:changed'))[1] === 1, 'listeners');
  await changeKeys(server.admin, { set: { d: definitionOf('d') } });
  await eventually(() => watched.admits('secret-of-d'), 'messages again');
});

t.test('hanging: up is false within seconds, and true again after', async (t) => {
  const server = await startRedis(t);
  await changeKeys(server.admin, { set: { a: definitionOf('a') } });
  const watched = watchKeys(t, redisAt(server.url), { pollSeconds: 300 });
  await watched.loaded();
  server.freeze();
  await eventually(() => !watched.source.status().up, 'up to be false', HANGING_MS);
  t.ok(watched.admits('secret-of-a'));
  const late = watchKeys(t, redisAt(server.url));
  await late.started;
  t.match(late.source.status(), { up: false, loaded: false }, 'a start does not hang with it');
  server.thaw();
  await eventually(() => watched.source.status().up && late.source.status().up, 'both to recover');
});

t.test('a wrong password is told without it', async (t) => {
  const server = await startRedis(t, { password: 'right-password' });
  await changeKeys(server.admin, { set: { a: definitionOf('a') } });
  const watched = watchKeys(t, redisAt(`redis://:wrong-password@127.0.0.1:${server.port}`));
  await watched.started;
  await eventually(() => /WRONGPASS/.test(watched.source.status().why ?? ''), 'the reason');
  t.match(watched.source.status(), { up: false, loaded: false });
  t.notMatch(JSON.stringify(watched.problems), 'wrong-password');
  await server.admin.config('SET', 'requirepass', 'wrong-password');
  await eventually(() => watched.source.status().up, 'recovery');
});

t.test('a read-only replica is good enough to read keys from', async (t) => {
  const master = await startRedis(t);
  await changeKeys(master.admin, { set: { a: definitionOf('a') } });
  const replica = await startRedis(t, { conf: [`replicaof 127.0.0.1 ${master.port}`] });
  await eventually(async () => (await replica.admin.exists('postern:keys')) === 1, 'the replica');
  const watched = watchKeys(t, redisAt(replica.url));
  await watched.loaded();
  await changeKeys(master.admin, { set: { b: definitionOf('b') } });
  await eventually(() => watched.ids().join() === 'a,b', 'a change of the master');
  t.ok(watched.source.status().up);
  t.notMatch(JSON.stringify(watched.problems), /cannot be read|READONLY/);
});

t.test('Redis that loads its data is waited for', async (t) => {
  const server = await startRedis(t, {
    conf: [
      'appendonly yes',
      'appendfsync always',
      'key-load-delay 20000',
      'loading-process-events-interval-bytes 1024',
    ],
  });
  await changeKeys(server.admin, { set: { a: definitionOf('a') } });
  await server.admin.eval('for i = 1, 120 do redis.call("set", "filler" .. i, string.rep("x", 200)) end', 0);
  await server.kill();
  const restarted = server.restart();
  const watched = watchKeys(t, redisAt(server.url));
  await watched.started;
  t.match(watched.source.status(), { up: false, loaded: false });
  await restarted;
  await eventually(() => watched.source.status().up, 'the keys');
  t.same(watched.ids(), ['a']);
});

t.test('without the right to listen, changes are found by asking', async (t) => {
  const server = await startRedis(t, {
    password: 'admin',
    conf: ['user reader on >reader ~* resetchannels +@read +@connection +@transaction +info'],
  });
  await changeKeys(server.admin, { set: { a: definitionOf('a') } });
  const watched = watchKeys(t, redisAt(`redis://reader:reader@127.0.0.1:${server.port}`), { pollSeconds: 0.1 });
  await watched.loaded();
  await changeKeys(server.admin, { set: { b: definitionOf('b') } });
  await eventually(() => watched.ids().join() === 'a,b', 'the change');
  await eventually(() => watched.problems.some(({ severity }) => severity === 'warning'), 'a warning');
  t.ok(watched.source.status().up);
});

t.test('Sentinel: a failover keeps the keys and loses no change after it', async (t) => {
  const { settings, master, replica } = await startSentinel(t);
  await changeKeys(master.admin, { set: { a: definitionOf('a') } });
  await master.admin.wait(1, 60_000);
  const watched = watchKeys(t, settings);
  await watched.loaded();
  t.same(watched.ids(), ['a']);
  await master.kill();
  await eventually(() => !watched.source.status().up, 'up to be false');
  await eventually(async () => (await replica.admin.info('replication')).includes('role:master'), 'the failover');
  await changeKeys(replica.admin, { set: { b: definitionOf('b') } });
  await eventually(() => watched.source.status().up && watched.ids().join() === 'a,b', 'the new master');
});

t.test('Cluster: changes, a slot that moves, and a change after it', async (t) => {
  const { settings, moveSlotOf, nodes } = await startCluster(t);
  const prefix = '{postern}:';
  const owner = await moveSlotOf(`${prefix}keys`);
  await changeKeys(owner.admin, { prefix, set: { a: definitionOf('a') } });
  const watched = watchKeys(t, settings, { prefix, pollSeconds: 0.5 });
  await watched.loaded();
  t.same(watched.ids(), ['a']);
  await changeKeys(owner.admin, { prefix, set: { b: definitionOf('b') } });
  await eventually(() => watched.ids().join() === 'a,b', 'a change');
  const next = await moveSlotOf(`${prefix}keys`);
  t.not(next.port, owner.port);
  await changeKeys(next.admin, { prefix, set: { c: definitionOf('c') }, remove: ['a'] });
  await eventually(() => watched.ids().join() === 'b,c', 'a change after the move');
  t.same(watched.source.status().invalidDefinitions, 0);
  const idle = nodes.find((node) => node.port !== next.port);
  await idle?.kill();
  await changeKeys(next.admin, { prefix, set: { d: definitionOf('d') } }).catch(() => undefined);
  t.ok(watched.admits('secret-of-b'), 'a node that is gone takes no key with it');
});

t.test('what was changed while nobody listened is found when messages come again', async (t) => {
  const server = await startRedis(t);
  await changeKeys(server.admin, { set: { a: definitionOf('a') } });
  const watched = watchKeys(t, redisAt(server.url), { pollSeconds: 300 });
  await watched.loaded();
  const listens = async () => (await server.admin.pubsub('NUMSUB', 'postern:keys:changed'))[1] === 1;
  await eventually(listens, 'a listener');
  // In one go: nothing counts the change, nothing tells of it, and the connection that reads stays open.
  await server.admin
    .multi()
    .call('client', 'kill', 'type', 'pubsub')
    .hset('postern:keys', { b: definitionOf('b') })
    .exec();
  await eventually(() => watched.ids().join() === 'a,b', 'the change');
  t.ok(watched.source.status().up);
});

t.test('everything is read again every five minutes at the latest, unless told otherwise', async (t) => {
  const server = await startRedis(t);
  await changeKeys(server.admin, { set: { a: definitionOf('a') } });
  const watched = watchKeys(t, redisAt(server.url), { pollSeconds: 0.1 });
  await watched.loaded();
  await eventually(async () => (await server.admin.pubsub('NUMSUB', 'postern:keys:changed'))[1] === 1, 'a listener');
  // On a busy machine a listener may come late, which is told.
  const before = watched.problems.length;
  const { now } = performance;
  t.teardown(() => (performance.now = now));
  await changeKeys(server.admin, { set: { b: definitionOf('b') }, publish: null, raise: 0 });
  performance.now = () => now.call(performance) + 300_000;
  await eventually(() => watched.ids().join() === 'a,b', 'the change');
  t.same(watched.problems.slice(before), [], 'nothing went wrong meanwhile');
});

/** A source over a Redis that answers when the test lets it. */
function heldSource(prefix = 'p:') {
  type Subscription = Parameters<RedisConnection['subscribe']>[1];
  const keys = new Map([['a', definitionOf('a')]]);
  const held: (() => void)[] = [];
  const problems: string[] = [];
  const versions: number[] = [];
  const fake = {
    ready: true,
    version: 1,
    holds: false,
    fails: null as string | null,
    readings: 0,
    closed: 0,
    channel: '',
  };
  const clock = { now: 77 };
  let events: RedisEvents = {};
  let subscription: Subscription | null = null;
  const connection: Partial<RedisConnection> = {
    get ready() {
      return fake.ready;
    },
    call: async () => ['0', [...keys].flat()],
    async transaction(commands) {
      fake.readings += 1;
      if (fake.fails !== null) throw new RedisFailure(fake.fails, '');
      const version = String(fake.version);
      const stored = new Map(keys);
      if (fake.holds) await new Promise<void>((resolve) => held.push(resolve));
      return commands.map(([name, hash, ...ids]) => {
        if (name === 'get') return version;
        if (name === 'hlen') return hash === `${prefix}keys` ? stored.size : 0;
        return ids.map((id) => stored.get(String(id)) ?? null);
      });
    },
    subscribe(channel, to) {
      fake.channel = channel;
      subscription = to;
      return { close: () => undefined };
    },
    close: () => void (fake.closed += 1),
  };
  const source = createRedisKeySource({
    connect: (to) => {
      events = to;
      return connection as RedisConnection;
    },
    prefix,
    pollSeconds: 300,
    now: () => clock.now,
  });
  t.teardown(() => source.close());
  const started = source.start({
    onKeys: ({ version }) => versions.push(version),
    onProblem: ({ message }) => problems.push(message),
  });
  return {
    source,
    started,
    fake,
    keys,
    problems,
    versions,
    clock,
    events: () => events,
    tell: (message: string) => subscription?.onMessage(message),
    subscription: () => subscription as Subscription,
    /** Lets the readings go on that wait. */
    goOn: () => {
      for (const resolve of held.splice(0)) resolve();
    },
    held,
  };
}
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));

t.test('what is told of while Redis is read is read after it', async (t) => {
  const { started, fake, keys, events, tell, goOn, held, versions, source } = heldSource();
  events().onReady?.();
  await started;
  t.equal(fake.channel, 'p:keys:changed');
  t.equal(versions.length, 1);
  t.equal(source.status().lastSyncAt, 77);
  fake.holds = true;
  const change = (id: string): void => {
    keys.set(id, definitionOf(id));
    fake.version += 1;
    tell(id);
  };
  change('b');
  await eventually(() => held.length === 1, 'the reading');
  change('c');
  change('d');
  fake.holds = false;
  const before = fake.readings;
  goOn();
  await eventually(() => versions.length === 3, 'both changes');
  t.equal(fake.readings, before + 1, 'once more, whatever was told meanwhile');
});

t.test('what is closed reads nothing and tells nothing', async (t) => {
  const { started, fake, events, tell, source, problems, versions, subscription } = heldSource();
  events().onReady?.();
  await started;
  await source.close();
  t.equal(fake.closed, 1);
  const before = fake.readings;
  tell('a');
  events().onReady?.();
  events().onLost?.('gone');
  subscription().onSubscribed?.();
  await source.reload();
  await turn();
  t.same([fake.readings, problems, versions.length], [before, [], 1]);
});

t.test('why Redis cannot be read is told once, until it could be read again', async (t) => {
  const { started, fake, events, problems, source } = heldSource();
  events().onLost?.('ECONNREFUSED');
  await started;
  t.match(source.status(), {
    up: false,
    loaded: false,
    why: 'Redis cannot be reached: ECONNREFUSED',
    lastSyncAt: null,
  });
  events().onLost?.('ETIMEDOUT');
  events().onLost?.('ECONNREFUSED');
  const first = ['ECONNREFUSED', 'ETIMEDOUT'].map((why) => `Redis cannot be reached: ${why}; there are no keys yet`);
  t.same(problems.splice(0), first);
  await source.reload();
  t.match(source.status(), { up: true, loaded: true, why: null });
  events().onLost?.('ECONNREFUSED');
  t.same(problems.splice(0), ['Redis cannot be reached: ECONNREFUSED; the last keys go on serving']);
  fake.fails = 'LOADING';
  await source.reload();
  t.same(problems.splice(0), ['Redis cannot be read: LOADING; the last keys go on serving']);
});

t.test('when the keys were read last is told, and a Redis that lost them gives none', async (t) => {
  const { fake, keys, events, source, problems, started, clock } = heldSource();
  events().onReady?.();
  await started;
  clock.now = 78;
  const held = keys.get('a') as string;
  keys.clear();
  await source.reload();
  t.match(source.status(), { up: false, lastSyncAt: 77 });
  t.match(problems, [/; the last keys go on serving$/]);
  fake.fails = 'LOADING';
  await source.reload();
  t.match(source.status(), { up: false, lastSyncAt: 77 });
  fake.fails = null;
  keys.set('a', held);
  await source.reload();
  t.match(source.status(), { up: true, lastSyncAt: 78 });
});

t.test('twenty definitions that cannot be used are named, and the others counted', async (t) => {
  const { started, keys, events, problems, source, versions } = heldSource();
  for (let n = 0; n < 22; n++) keys.set(`bad-${n}`, '{');
  events().onReady?.();
  await started;
  t.equal(problems.length, 21);
  t.equal(problems[0], 'the key is not used: it is not JSON');
  t.equal(problems.at(-1), '2 more keys are not used, because their definitions are malformed');
  t.equal(source.status().invalidDefinitions, 22);
  t.equal(versions.length, 1);
});

t.test('messages that come again have everything read, and the first ones do not', async (t) => {
  const { started, fake, keys, events, subscription, versions } = heldSource();
  events().onReady?.();
  await started;
  subscription().onSubscribed?.();
  await turn();
  keys.set('b', definitionOf('b'));
  await turn();
  t.equal(versions.length, 1, 'nothing tells of it');
  subscription().onLost?.('gone');
  subscription().onSubscribed?.();
  await eventually(() => versions.length === 2, 'everything is read');
  t.equal(fake.ready, true);
});
