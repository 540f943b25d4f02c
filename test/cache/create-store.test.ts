import { once } from 'node:events';
import t, { type Test } from 'tap';
import type { CacheConfig } from '../../src/config/apis-schema.ts';
import { createCacheStore } from '../../src/cache/create-store.ts';
import { freePort } from '../support/free-port.ts';
import { redisAt } from '../support/redis.ts';
import { rawBackend } from '../support/upstream.ts';
import { answerEntry, KEY, OTHER_KEY } from './store-contract.ts';
import { NOW } from '../support/metrics-keys.ts';

type Where = CacheConfig['store'];

/** A store for a Redis at this URL, its clock, and what was told of Redis being left out. */
function storeAt(t: Test, url: string, store: Where, maxBytes = 100_000) {
  let now = NOW;
  const told: (readonly [active: boolean, why: string])[] = [];
  const made = createCacheStore({ store, maxBytes } as CacheConfig, {
    redis: { ...redisAt(url), cluster: null, sentinel: null, prefix: 'p:', pollSeconds: 2 },
    now: () => now,
    onPurged: () => undefined,
    onFallback: (active, why) => told.push([active, why]),
  });
  t.teardown(made.close);
  return { store: made, told, pass: (ms: number) => void (now += ms) };
}
const nobody = async (): Promise<string> => `redis://127.0.0.1:${await freePort()}`;

for (const where of ['memory', 'redis'] as const) {
  t.test(`${where}: answers are kept here when no Redis can be had, by the clock handed in`, async (t) => {
    const { store, pass } = storeAt(t, await nobody(), where);
    await store.set(KEY, answerEntry(), 1000);
    pass(999);
    t.same(store.get(KEY), answerEntry());
    pass(1);
    t.equal(store.get(KEY), undefined);
  });

  t.test(`${where}: no more is kept here than the configuration says`, async (t) => {
    const { store } = storeAt(t, await nobody(), where, 1000);
    for (const key of [KEY, OTHER_KEY]) await store.set(key, answerEntry({ body: Buffer.alloc(300) }), 1000);
    t.same([store.stats().entries, store.get(KEY)], [1, undefined]);
    t.ok(store.stats().bytes <= 1000);
  });
}

t.test('a Redis that cannot be had is told of once, one that is not asked for never', async (t) => {
  const { store: memory, told: nothing } = storeAt(t, await nobody(), 'memory');
  const { store: redis, told } = storeAt(t, await nobody(), 'redis');
  for (const store of [memory, redis]) for (const key of [KEY, OTHER_KEY]) await store.get(key);
  t.same([memory.shared(), nothing], [null, []]);
  t.same([redis.shared(), told], [false, [[true, 'Redis cannot be reached']]]);
});

t.test('only a store that is to be in Redis connects, by its name and prefix, until it is closed', async (t) => {
  const awaited = ['postern-cache\r\n', 'postern-cache-subscriber\r\n', 'p:cache:changed\r\n'];
  let text = '';
  let wakeUp = (): void => {};
  const { port, sockets } = await rawBackend(t, (socket) => {
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      // To each command; ioredis asks several things before it subscribes.
      socket.write('+OK\r\n'.repeat(chunk.toString('latin1').match(/^\*\d+\r$/gm)?.length ?? 0));
      if (awaited.every((part) => text.includes(part))) wakeUp();
    });
  });
  const heard = new Promise<void>((resolve) => (wakeUp = resolve));
  storeAt(t, `redis://127.0.0.1:${port}`, 'memory');
  const { store } = storeAt(t, `redis://127.0.0.1:${port}`, 'redis');
  await heard;
  t.equal(sockets.length, 2, 'its commands and its subscription');
  const closed = sockets.map((socket) => once(socket, 'close'));
  store.close();
  await Promise.all(closed);
});
