import t, { type Test } from 'tap';
import type { KeyDefinition } from '../../src/keys/definition.ts';
import type { Decide } from '../../src/keys/key-store.ts';
import { createRedisStore } from '../../src/keys/redis-store.ts';
import { connectRedis, type RedisConnection } from '../../src/lib/redis.ts';
import { redisAt, startRedis } from '../support/redis.ts';
import { changeKeys, definitionOf } from '../support/redis-keys.ts';

async function started(t: Test, wrap: (connection: RedisConnection) => RedisConnection = (same) => same) {
  const redis = await startRedis(t);
  await changeKeys(redis.admin, { set: { b: definitionOf('b'), a: definitionOf('a'), bad: '{' } });
  const store = await new Promise<ReturnType<typeof createRedisStore>>((resolve) => {
    const connection = connectRedis(redisAt(redis.url), {
      name: 'test-store',
      onReady: () =>
        resolve(createRedisStore({ connection: wrap(connection), prefix: 'postern:', apis: () => ['integration'] })),
    });
    t.teardown(() => connection.close());
  });
  return { redis, store };
}

const describe =
  (description: string): Decide<never> =>
  (stored) => ({ next: { ...(stored as { definition: KeyDefinition }).definition, description } });

t.test('lists by id, the unreadable among them', async (t) => {
  const { store } = await started(t);
  t.match(await store.list(), {
    ok: true,
    value: [{ id: 'a' }, { id: 'b' }, { id: 'bad', invalid: 'it is not JSON' }],
  });
});

t.test('a change raises the counter by one and is published; no change does neither', async (t) => {
  const { redis, store } = await started(t);
  const version = Number(await redis.admin.get('postern:keys:version'));
  t.match(await store.update('a', describe('x')), { ok: true, after: { description: 'x' } });
  t.match(await store.update('a', describe('x')), { ok: true });
  t.equal(Number(await redis.admin.get('postern:keys:version')), version + 1);
  t.match(JSON.parse((await redis.admin.hget('postern:keys', 'a')) ?? ''), { description: 'x', type: 'read-write' });
  t.match(await store.update('a', () => ({ next: null })), { ok: true, after: null });
  t.equal(await redis.admin.hget('postern:keys', 'a'), null);
});

t.test('decides again on what another writer stored meanwhile', async (t) => {
  let theirs: Promise<unknown> | null = null;
  const { redis, store } = await started(t, (connection) => ({
    ...connection,
    // Between the decision and its being carried out, the other writer is done.
    script: (lua) => async (keys, args) => {
      await theirs;
      return connection.script(lua)(keys, args);
    },
  }));
  const seen: string[] = [];
  const result = await store.update('a', (stored) => {
    const { definition } = stored as { definition: KeyDefinition };
    seen.push(definition.description ?? '');
    theirs ??= redis.admin.hset('postern:keys', 'a', definitionOf('a', { description: 'theirs' }));
    return { next: { ...definition, enabled: false } };
  });
  t.match(result, { ok: true, after: { description: 'theirs', enabled: false } });
  t.same(seen, ['', 'theirs']);
  const stored = JSON.parse((await redis.admin.hget('postern:keys', 'a')) ?? '') as Record<string, unknown>;
  t.match(stored, { description: 'theirs', enabled: false });
});

t.test('a Redis that may only be read says so', async (t) => {
  const { redis, store } = await started(t);
  await redis.admin.config('SET', 'min-replicas-to-write', '1');
  const refused = await store.update('a', describe('x'));
  t.match(refused, { ok: false, failure: { kind: 'unavailable' } });
  await redis.admin.config('SET', 'min-replicas-to-write', '0');
  await redis.admin.call('ACL', 'SETUSER', 'default', '-eval', '-evalsha', '-hset');
  t.match(await store.update('a', describe('x')), { ok: false, failure: { kind: 'read_only' } });
});
