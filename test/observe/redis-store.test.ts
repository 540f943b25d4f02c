import t, { type Test } from 'tap';
import { connectRedis, type RedisConnection } from '../../src/lib/redis.ts';
import { DayCounts } from '../../src/observe/day-counts.ts';
import { DAY_MS, dayOf, Observations, packed } from '../../src/observe/observations.ts';
import { createRedisStore } from '../../src/observe/redis-store.ts';
import { seenAt, WEB } from '../support/observed.ts';
import { eventually } from '../support/eventually.ts';
import { catchTimers } from '../support/timers.ts';
import { redisAt, startRedis, type RedisServer } from '../support/redis.ts';
import { observationStoreContract, type OpenStore } from './store-contract.ts';

const NOW = Date.UTC(2040, 0, 2, 12);

interface Options {
  readonly now?: () => number;
  readonly days?: number;
  readonly told?: string[];
  readonly maxBytes?: number;
}

/** Resolves when Redis answers. */
function open(t: Test, server: RedisServer, prefix: string, options: Options = {}): Promise<OpenStore> {
  const { now = () => NOW, days = 30, told = [], maxBytes } = options;
  const observations = new Observations({ days });
  return new Promise((resolve) => {
    const connection = connectRedis(redisAt(server.url), {
      name: 'test',
      writes: true,
      // A guard against hanging.
      timeoutMs: 60_000,
      onReady: () => resolve({ observations, store }),
    });
    const store = createRedisStore({
      connection,
      prefix,
      observations,
      days,
      now,
      onFallback: (active, why) => told.push(`${active} ${why}`),
      ...(maxBytes === undefined ? {} : { maxBytes }),
    });
    t.teardown(() => store.close());
  });
}

t.test('one Redis', async (t) => {
  const server = await startRedis(t);

  await t.test('contract', async (t) => {
    await observationStoreContract(t, { lasts: true, open: (options) => open(t, server, 'contract:', options) });
  });

  await t.test('two replicas see what both saw, and no count is lost between them', async (t) => {
    const [one, two] = await Promise.all([open(t, server, 'two:'), open(t, server, 'two:')]);
    for (let round = 0; round < 10; round++) {
      one.observations.count('key', 'web', seenAt(NOW + round, { address: '192.0.2.1' }));
      two.observations.count('key', 'web', seenAt(NOW + round, { address: '192.0.2.2' }));
      two.observations.count('key', 'web', seenAt(NOW + round, { good: false, reason: 'rate_limited' }));
      await Promise.all([one.store.flush(), two.store.flush()]);
    }
    for (const { store } of [one, two]) {
      const joined = await store.read(WEB, dayOf(NOW));
      t.same([joined.requests, joined.good, joined.refused.get('rate_limited')?.requests], [30, 20, 10]);
      t.equal(joined.addresses.good.size, 2);
      t.equal(joined.peaks.perSecond, 20, 'the peak is that of all together');
    }
  });

  await t.test('a day goes away by itself', async (t) => {
    const kept = await open(t, server, 'ttl:', { days: 7 });
    kept.observations.count('key', 'web', seenAt(NOW));
    await kept.store.flush();
    const expires = Number(await server.admin.call('pexpiretime', 'ttl:observed:2040-01-02'));
    t.equal(expires, (dayOf(NOW) + 7) * DAY_MS);
  });

  await t.test('what somebody else left there is as good as nothing', async (t) => {
    const kept = await open(t, server, 'foreign:');
    await server.admin.hset('foreign:observed:2040-01-02', 'key web', '{"version":');
    kept.observations.count('key', 'web', seenAt(NOW));
    t.equal((await kept.store.read(WEB, dayOf(NOW))).requests, 1);
    t.match(await server.admin.hget('foreign:observed:2040-01-02', 'key web'), /^\{"requests":1,/);
  });

  await t.test('when there is no room, the oldest day goes; with today alone nothing new is kept', async (t) => {
    const kept = await open(t, server, 'room:', { maxBytes: 2000 });
    kept.observations.count('key', 'web', seenAt(NOW - 2 * DAY_MS));
    kept.observations.count('key', 'web', seenAt(NOW - DAY_MS));
    await kept.store.flush();
    for (let i = 0; i < 20; i++) kept.observations.count('key', 'web', seenAt(NOW, { event: `event-number-${i}` }));
    await kept.store.flush();
    t.notOk(await server.admin.exists('room:observed:2039-12-31'), 'the day before yesterday');
    const sizes = await server.admin.hgetall('room:observed:sizes');
    t.equal(sizes['2039-12-31'], undefined);
    t.equal(Number(sizes['2040-01-02']), (await server.admin.hget('room:observed:2040-01-02', 'key web'))?.length);
    for (let i = 0; i < 200; i++) kept.observations.count('key', 'web', seenAt(NOW, { event: `another-${i}` }));
    await kept.store.flush();
    t.equal((await kept.store.read(WEB, dayOf(NOW))).requests, 20);
    t.equal([...kept.observations.missed()][0]?.missed, 200);
  });
});

t.test('while Redis is away, what was counted waits, and nothing throws', async (t) => {
  const server = await startRedis(t);
  const told: string[] = [];
  const kept = await open(t, server, 'away:', { told });
  t.equal(kept.store.shared(), true);
  await server.kill();
  kept.observations.count('key', 'web', seenAt(NOW));
  await kept.store.flush();
  kept.observations.count('key', 'web', seenAt(NOW));
  t.equal((await kept.store.read(WEB, dayOf(NOW))).requests, 2);
  t.equal(told.length, 1);
  t.equal(kept.store.shared(), false);
  await server.restart();
  await eventually(async () => {
    kept.observations.dirty = true;
    await kept.store.flush();
    return told.length >= 2;
  }, 'Redis to be used again');
  t.equal(told[1], 'false ');
  t.equal(kept.store.shared(), true);
  t.match(await server.admin.hget('away:observed:2040-01-02', 'key web'), /^\{"requests":2,/);
});

/** A connection to a Redis in which somebody else always comes first, or in which there is no room. */
function connectionThat(answers: number, replaced: string[]): RedisConnection {
  return {
    ready: true,
    script:
      () =>
      async (_keys: readonly string[], [field]: readonly unknown[]) => {
        replaced.push(String(field));
        return answers;
      },
    call: async () => null,
    close: () => undefined,
  } as unknown as RedisConnection;
}

t.test(
  'where others always come first it is given up, nothing is lost, and the rest waits for the next time',
  async (t) => {
    const observations = new Observations({ days: 30 });
    const told: string[] = [];
    const replaced: string[] = [];
    const store = createRedisStore({
      connection: connectionThat(0, replaced),
      prefix: 'busy:',
      observations,
      days: 30,
      now: () => NOW,
      onFallback: (active, why) => told.push(`${active} ${why}`),
    });
    observations.count('key', 'web', seenAt(NOW));
    observations.count('key', 'app', seenAt(NOW));
    await store.flush();
    t.same(replaced, Array<string>(8).fill('key web'));
    t.same(told, ['true other processes were always first']);
    t.equal(store.shared(), false);
    t.equal(observations.read(WEB, dayOf(NOW))?.requests, 1);
    await store.flush();
    t.equal(replaced.length, 16);
    t.equal(told.length, 1, 'it is told once');
    await store.close();
  },
);

t.test('what finds no room there is missed, by how often it was good', async (t) => {
  const observations = new Observations({ days: 30 });
  const replaced: string[] = [];
  const store = createRedisStore({
    connection: connectionThat(-1, replaced),
    prefix: 'full:',
    observations,
    days: 30,
    now: () => NOW,
    onFallback: () => undefined,
  });
  observations.count('key', 'web', seenAt(NOW));
  observations.count('key', 'web', seenAt(NOW, { good: false, reason: 'backend_404' }));
  observations.count('key', 'web', seenAt(NOW));
  await store.flush();
  t.same([...observations.missed()], [{ subject: WEB, missed: 2 }]);
  t.same([store.shared(), replaced.length], [true, 1]);
  await store.flush();
  t.equal(replaced.length, 1, 'nothing is written while nothing was counted');
  await store.close();
});

t.test('a day that ends while others are being written costs nothing but itself', async (t) => {
  const observations = new Observations({ days: 3 });
  const replaced: string[] = [];
  const store = createRedisStore({
    connection: connectionThat(1, replaced),
    prefix: 'ends:',
    observations,
    days: 3,
    now: () => NOW,
    onFallback: (active) => t.notOk(active),
  });
  observations.count('key', 'web', seenAt(NOW));
  observations.count('key', 'app', seenAt(NOW));
  const flushed = store.flush();
  while (observations.read(WEB, dayOf(NOW)) !== null) await Promise.resolve();
  observations.count('key', 'web', seenAt(NOW + 5 * DAY_MS));
  await flushed;
  t.same(replaced, ['key web']);
  await store.flush();
  t.same(replaced, ['key web', 'key web']);
  await store.close();
});

t.test('it is written every five seconds', async (t) => {
  const observations = new Observations({ days: 3 });
  const replaced: string[] = [];
  const timers = catchTimers(() => {
    createRedisStore({
      connection: connectionThat(1, replaced),
      prefix: 'often:',
      observations,
      days: 3,
      now: () => NOW,
      onFallback: () => undefined,
    });
  });
  observations.count('key', 'web', seenAt(NOW));
  t.same(
    timers.map(({ ms }) => ms),
    [5000],
  );
  timers[0]?.run();
  await eventually(() => replaced.length === 1, 'it is written');
  t.equal(observations.read(WEB, dayOf(NOW)), null);
});

t.test('nothing is shared while there is no connection, though nothing failed yet', async (t) => {
  for (const ready of [true, false]) {
    const store = createRedisStore({
      connection: { ...connectionThat(1, []), ready },
      prefix: 'ready:',
      observations: new Observations({ days: 3 }),
      days: 3,
      now: () => NOW,
      onFallback: () => undefined,
    });
    t.equal(store.shared(), ready);
    await store.close();
  }
});

t.test('many days are joined with pauses, in which others have their turn', async (t) => {
  const counts = new DayCounts(() => true);
  counts.count(seenAt(NOW));
  const text = packed(counts).toString();
  const store = createRedisStore({
    connection: { ...connectionThat(1, []), call: async () => text } as unknown as RedisConnection,
    prefix: 'pauses:',
    observations: new Observations({ days: 30 }),
    days: 30,
    now: () => NOW,
    onFallback: (active) => t.notOk(active),
  });
  let clock = 0;
  // Each day seems to take longer than a slice.
  t.intercept(performance, 'now', { value: () => (clock += 11) });
  let turns = 0;
  const count = (): void => {
    turns += 1;
    if (turns < 30) setImmediate(count);
  };
  setImmediate(count);
  t.equal((await store.read(WEB, dayOf(NOW) - 29)).requests, 30);
  t.ok(turns >= 29, `${turns} turns`);
  await store.close();
});
