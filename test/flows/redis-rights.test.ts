/** The ACL user of docs/redis.md may do all that Postern does, and the tables there name what it keeps. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { keyLayout, replaceKey, writeKeys } from '../../src/keys/redis-layout.ts';
import { connectRedis } from '../../src/lib/redis.ts';
import { createMemoryStore } from '../../src/cache/memory-store.ts';
import { createRedisStore } from '../../src/cache/redis-store.ts';
import { dayOf, Observations } from '../../src/observe/observations.ts';
import { createRedisStore as createObservationsInRedis } from '../../src/observe/redis-store.ts';
import { createRedisRateStore } from '../../src/rate-store/redis.ts';
import { answerEntry, KEY } from '../cache/store-contract.ts';
import { seenAt, WEB } from '../support/observed.ts';
import { eventually, redisAt, startRedis } from '../support/redis.ts';
import { definitionOf, watchKeys } from '../support/redis-keys.ts';

const DOCS = readFileSync('docs/redis.md', 'utf8');

t.test('the documented rights are enough, and no more than the documented names are used', async (t) => {
  const user = /^user postern[^`]*/m.exec(DOCS)?.[0].replaceAll(/\s+/g, ' ').trim() ?? '';
  const server = await startRedis(t, { password: 'admin', conf: [user] });
  const settings = redisAt(`redis://postern:secret@127.0.0.1:${server.port}`);
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
  await watched.started;
  await eventually(async () => (await server.admin.pubsub('NUMSUB', layout.changed))[1] === 1, 'the subscription');
  t.ok(await replaceKey(writer, layout, { id: 'c', expected: null, json: definitionOf('c') }));
  t.notOk(await replaceKey(writer, layout, { id: 'c', expected: null, json: definitionOf('c') }), 'it is taken');
  t.notOk(await replaceKey(writer, layout, { id: 'a', expected: 'other', json: null }), 'it is another');
  await eventually(() => watched.ids().join() === 'a,c', 'the change');
  t.ok(await replaceKey(writer, layout, { id: 'a', expected: definitionOf('a'), json: null }));
  await eventually(() => watched.ids().join() === 'c', 'the removal');
  t.same(watched.problems, []);

  const rate = createRedisRateStore({ connection: await open(), prefix: 'postern:', onFallback });
  t.teardown(() => rate.close());
  const limit = { requests: 2, windowSeconds: 60 };
  for (let i = 0; i < 3; i += 1) await rate.take('a', limit, Date.now());
  const entry = `${Date.now() - 61_000}:1`;
  await server.admin.del('postern:rate:b');
  await server.admin.rpush('postern:rate:b', 2, entry, `${Date.now()}:1`);
  t.ok((await rate.take('b', limit, Date.now())).allowed);

  const memory = createMemoryStore({ maxBytes: 0, now: Date.now });
  const cache = createRedisStore({ connection: await open(), prefix: 'postern:', memory, now: Date.now, onFallback });
  t.teardown(cache.close);
  await cache.set(KEY, answerEntry(), 60_000);
  t.same(await cache.get(KEY), answerEntry());
  await cache.delete(KEY);
  await cache.clear();
  await cache.set(KEY, answerEntry(), 60_000);

  const observations = new Observations({ days: 30 });
  const observed = createObservationsInRedis({
    connection: await open(),
    prefix: 'postern:',
    days: 30,
    now: Date.now,
    observations,
    onFallback,
  });
  t.teardown(observed.close);
  for (let i = 0; i < 2; i += 1) {
    observations.count('key', 'web', seenAt(Date.now()));
    await observed.flush();
  }
  t.equal((await observed.read(WEB, dayOf(Date.now()))).requests, 2);
  t.same(troubles, []);

  const used = (await server.admin.keys('*')).map((name) =>
    name
      .replace('postern:', '{prefix}')
      .replace(/rate:.*/, 'rate:<id>')
      .replace(/observed:\d.*/, 'observed:<day>')
      .replace(KEY, '<digest>'),
  );
  for (const name of new Set(used)) t.ok(DOCS.includes(`\`${name}\``), name);
});
