import t, { type Test } from 'tap';
import { connectRedis, type RedisConnection } from '../../src/lib/redis.ts';
import { createRedisRateStore } from '../../src/rate-store/redis.ts';
import type { RateStore } from '../../src/rate-store/rate-store.ts';
import { eventually } from '../support/eventually.ts';
import { redisAt, startCluster, startRedis } from '../support/redis.ts';
import { rateStoreContract } from './rate-store-contract.ts';

const MINUTE = { requests: 5, windowSeconds: 60 };

type Settings = ReturnType<typeof redisAt>;

/** Waits for Redis as long as a busy machine may take, unless it is this that is tested. */
async function openStore(
  t: Test,
  settings: Settings,
  prefix = 'postern:',
  patienceMs: number | null = 60_000,
): Promise<{ readonly store: RateStore; readonly fallbacks: (readonly [boolean, string])[] }> {
  const fallbacks: (readonly [boolean, string])[] = [];
  const store = await new Promise<RateStore>((resolve) => {
    const connection = connectRedis(settings, { name: 'test', writes: true, onReady: () => resolve(made) });
    const made = createRedisRateStore({
      connection,
      prefix,
      onFallback: (active, why) => fallbacks.push([active, why]),
      ...(patienceMs !== null && { patienceMs }),
    });
  });
  t.teardown(() => store.close());
  return { store, fallbacks };
}

async function admitted(store: RateStore, tries: number, keyId = 'a', limit = MINUTE): Promise<number> {
  let count = 0;
  for (let i = 0; i < tries; i += 1) if ((await store.take(keyId, limit, Date.now())).allowed) count += 1;
  return count;
}

t.test('contract', async (t) => {
  const server = await startRedis(t);
  let stores = 0;
  rateStoreContract(t, async () => {
    const { store } = await openStore(t, redisAt(server.url), `p${(stores += 1)}:`);
    return {
      store,
      now: Date.now,
      advance: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    };
  });
});

t.test('processes share the limit', async (t) => {
  const server = await startRedis(t);
  const one = await openStore(t, redisAt(server.url));
  const two = await openStore(t, redisAt(server.url));
  t.equal((await admitted(one.store, 3)) + (await admitted(two.store, 5)), 5);
  const refused = await one.store.take('a', MINUTE, Date.now());
  t.ok(!refused.allowed && refused.retryAfterSeconds > 30 && refused.retryAfterSeconds <= 60);
  const ttl = await server.admin.pttl('postern:rate:a');
  t.ok(ttl > 30_000 && ttl <= 60_001, 'what is counted goes away by itself');
});

t.test('admits again as the oldest leave the window, not all at once', async (t) => {
  const server = await startRedis(t);
  const { store } = await openStore(t, redisAt(server.url));
  const now = Date.now();
  await server.admin.rpush('postern:rate:a', 5, `${now - 40_000}:2`, `${now - 30_000}:1`, `${now - 1000}:2`);
  t.equal(await admitted(store, 3), 0);
  await server.admin.del('postern:rate:a');
  await server.admin.rpush('postern:rate:a', 5, `${now - 60_500}:2`, `${now - 30_000}:1`, `${now - 1000}:2`);
  t.equal(await admitted(store, 4), 2);
  const verdict = await store.take('a', MINUTE, Date.now());
  t.match(verdict, { allowed: false });
  t.ok(!verdict.allowed && verdict.retryAfterSeconds >= 10 && verdict.retryAfterSeconds <= 30);
  t.equal(await server.admin.lindex('postern:rate:a', 0), '5');
});

t.test('a server clock set back neither refills nor locks out for longer than one window', async (t) => {
  const server = await startRedis(t);
  const { store } = await openStore(t, redisAt(server.url));
  await server.admin.rpush('postern:rate:a', 5, `${Date.now() + 3_600_000}:5`);
  const verdict = await store.take('a', MINUTE, Date.now());
  t.same(verdict, { allowed: false, retryAfterSeconds: 60 });
});

t.test('while Redis is away the process limits by itself, knowing what it admitted before', async (t) => {
  const server = await startRedis(t);
  const { store, fallbacks } = await openStore(t, redisAt(server.url));
  t.equal(await admitted(store, 2), 2);
  await server.kill();
  t.equal(await admitted(store, 10), 3, 'not open, and not closed');
  t.equal(await admitted(store, 10, 'b'), 5);
  t.same(
    fallbacks.map(([active]) => active),
    [true],
    'told once',
  );
  await server.restart();
  let tries = 0;
  await eventually(async () => {
    await store.take(`c${(tries += 1)}`, MINUTE, Date.now());
    return fallbacks.at(-1)?.[0] === false;
  }, 'the return to Redis');
  t.equal(await server.admin.lindex(`postern:rate:c${tries}`, 0), '1', 'counted in Redis again');
});

t.test('a hanging Redis holds up no more than one request at a time, and that shortly', async (t) => {
  const server = await startRedis(t);
  const { store, fallbacks } = await openStore(t, redisAt(server.url), 'postern:', null);
  server.freeze();
  t.equal(await admitted(store, 10), 5);
  t.match(fallbacks, [[true, /no answer|Redis/]]);
  const answers = Array.from({ length: 20 }, () => store.take('b', MINUTE, Date.now()));
  t.ok(answers.filter((answer) => answer instanceof Promise).length <= 1);
  await Promise.all(answers.map(async (answer) => answer));
  server.thaw();
});

t.test('what is not a log of this store makes the process limit by itself', async (t) => {
  const server = await startRedis(t);
  const { store, fallbacks } = await openStore(t, redisAt(server.url));
  await server.admin.set('postern:rate:a', 'not a list');
  t.equal(await admitted(store, 10), 5);
  t.match(fallbacks, [[true, /WRONGTYPE/]]);
});

t.test('a read-only server makes the process limit by itself', async (t) => {
  const master = await startRedis(t);
  const server = await startRedis(t, { conf: [`replicaof 127.0.0.1 ${master.port}`] });
  await eventually(async () => (await server.admin.info('replication')).includes('master_link_status:up'), 'replica');
  const { store, fallbacks } = await openStore(t, redisAt(server.url));
  t.equal(await admitted(store, 10), 5);
  t.match(fallbacks[0], [true, /read only/]);
});

t.test('in a Cluster', async (t) => {
  const { settings } = await startCluster(t);
  const one = await openStore(t, settings, '{postern}:');
  const two = await openStore(t, settings, '{postern}:');
  let tries = 0;
  // The first command to a node waits for its connection; until then each process limits by itself.
  for (const { store, fallbacks } of [one, two])
    await eventually(async () => {
      await store.take(`warm${(tries += 1)}`, MINUTE, Date.now());
      return fallbacks.length === 0 || fallbacks.at(-1)?.[0] === false;
    }, 'the node');
  t.equal((await admitted(one.store, 3)) + (await admitted(two.store, 5)), 5);
});

t.test('an admission of a large limit counts from the end of its slot, never from before it was made', async (t) => {
  const server = await startRedis(t);
  const { store } = await openStore(t, redisAt(server.url));
  const large = { requests: 2000, windowSeconds: 3600 };
  const slot = 3600;
  for (let n = 0; n < 3; n++) {
    const [seconds = '0', micros = '0'] = (await server.admin.time()).map(String);
    const before = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
    t.ok((await store.take(`large-${n}`, large, Date.now())).allowed);
    const [, at = '', count] =
      /^(\d+):(\d+)$/.exec((await server.admin.lindex(`postern:rate:large-${n}`, -1)) ?? '') ?? [];
    t.equal(count, '1');
    t.ok(Number(at) >= before, `${at} is not before ${before}`);
    t.equal(Number(at) % slot, 0, 'the end of a slot');
    const left = await server.admin.pttl(`postern:rate:large-${n}`);
    t.ok(left > 3_500_000 && left <= 3_600_000 + slot, `${left} ms are left`);
  }
});

t.test('what this process alone has used up is refused without asking Redis', async (t) => {
  const server = await startRedis(t);
  const { store } = await openStore(t, redisAt(server.url));
  t.equal(await admitted(store, 5), 5);
  const scripts = async (): Promise<number> => {
    const stats = await server.admin.info('commandstats');
    return [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
  };
  const before = await scripts();
  t.ok(before >= 5);
  t.equal(await admitted(store, 20), 0);
  t.equal(await scripts(), before);
});

t.test('an answer that is none makes the process limit by itself', async (t) => {
  for (const answer of [null, 'OK', 0, [], [0], [0, 4], [-1, 0, 0], ['x', 0, 0]]) {
    const told: string[] = [];
    const connection = { ready: true, script: () => async () => answer, close: () => undefined };
    const store = createRedisRateStore({
      connection: connection as unknown as RedisConnection,
      prefix: '',
      onFallback: (active, why) => told.push(`${active} ${why}`),
    });
    t.equal(await admitted(store, 10), 5, JSON.stringify(answer));
    t.match(told, [/^true the script gave no (list|three numbers)$/]);
    store.close();
  }
});
