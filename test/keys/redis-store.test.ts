import t, { type Test } from 'tap';
import type { KeyDefinition, PolicyDefinition } from '../../src/keys/definition.ts';
import type { Decide } from '../../src/keys/key-store.ts';
import { readStoredDefinition } from '../../src/keys/read-definition.ts';
import { LISTS, POLICIES } from '../../src/keys/record-kind.ts';
import { createRedisStore } from '../../src/keys/redis-store.ts';
import { connectRedis, type RedisConnection } from '../../src/lib/redis.ts';
import { eventually } from '../support/eventually.ts';
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
  t.match(await store.update('a', describe('x')), { ok: true, before: { description: 'x' } });
  t.equal(Number(await redis.admin.get('postern:keys:version')), version + 1);
  t.match(JSON.parse((await redis.admin.hget('postern:keys', 'a')) ?? ''), { description: 'x', type: 'read-write' });
  t.match(await store.update('a', () => ({ next: null })), { ok: true, before: { description: 'x' }, after: null });
  t.equal(await redis.admin.hget('postern:keys', 'a'), null);
  t.same(await store.update('a', () => ({ next: null })), { ok: true, before: null, after: null });
  t.same(await store.update('bad', () => ({ next: null })), { ok: true, before: null, after: null });
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

const metrics = { type: 'metrics', apiKey: `sha256:${'1'.repeat(64)}` };
const whyNot = async (updated: Promise<unknown>): Promise<unknown> => {
  const result = (await updated) as { ok: boolean; failure?: { kind: string; findings?: unknown; why?: string } };
  return result.ok ? null : result.failure;
};
const asKey = (id: string, more: Record<string, unknown> = {}): KeyDefinition => {
  const read = readStoredDefinition(id, definitionOf(id, more));
  if ('invalid' in read) throw new Error(read.invalid);
  return read.definition;
};

t.test('a change that clashes with what else is stored is not made', async (t) => {
  const { redis, store } = await started(t);
  const put = (id: string, more: Record<string, unknown>) =>
    whyNot(store.update(id, () => ({ next: asKey(id, more) })));
  t.match(await put('c', { apis: ['nowhere'] }), {
    kind: 'contradiction',
    findings: [{ path: ['apis', 0], message: /is the name of no API/ }],
  });
  t.match(await put('c', { policy: 'p' }), { kind: 'contradiction', findings: [{ path: ['policy'] }] });
  t.equal(await put('m', metrics), null, 'the first metrics key');
  t.match(await put('n', metrics), {
    kind: 'contradiction',
    findings: [{ path: ['type'], message: 'cannot be metrics: there may be one metrics key, and m is it' }],
  });
  t.equal(await put('m', { ...metrics, description: 'x' }), null, 'it is no other than itself');
  await redis.admin.hset('postern:policies', 'p', '{"type":"metrics"}');
  t.match(await put('n', { policy: 'p', type: undefined, apiKey: metrics.apiKey }), {
    findings: [{ path: ['type'], message: /and m is it/ }],
  });
  t.equal(await redis.admin.hget('postern:keys', 'n'), null);
});

t.test('policies and lists are changed like keys, and nothing that would spoil a key', async (t) => {
  const { redis, store } = await started(t);
  const put = (next: PolicyDefinition | null) => store.updateRecord(POLICIES, 'p', () => ({ next }));
  t.match(await put({ mode: 'report' }), { ok: true, before: null, after: { mode: 'report' } });
  t.match(await put({ apis: ['nowhere'] }), {
    failure: { kind: 'contradiction', findings: [{ path: ['apis', 0] }] },
  });
  t.match(await put({ allowFrom: [{ list: 'gone' }] }), {
    failure: { kind: 'contradiction', findings: [{ path: ['allowFrom', 0, 'list'] }] },
  });
  await redis.admin.hset('postern:keys', 'c', definitionOf('c', { policy: 'p' }));
  t.match(await put(null), { failure: { kind: 'contradiction', findings: [{ path: ['keys', 'c', 'policy'] }] } });
  const version = Number(await redis.admin.get('postern:keys:version'));
  t.match(await put({ mode: 'report' }), { ok: true, before: { mode: 'report' } }, 'as it is');
  t.equal(Number(await redis.admin.get('postern:keys:version')), version);
  const seen: unknown[] = [];
  t.match(await store.updateRecord(POLICIES, 'p', (stored, users) => (seen.push(stored, users), { refused: 'no' })), {
    ok: false,
    refused: 'no',
  });
  t.same(seen, [
    { id: 'p', definition: { mode: 'report' } },
    { keys: ['c'], policies: [] },
  ]);
  const list = { kind: 'literal', entries: [{ address: '192.0.2.1', description: '' }] } as const;
  t.match(await store.updateRecord(LISTS, 'l', () => ({ next: list })), { ok: true, after: list });
  t.equal(await redis.admin.hget('postern:lists', 'l'), '["192.0.2.1"]');
  t.match(await store.updateRecord(LISTS, 'l', () => ({ next: { kind: 'file' as const, file: 'x' } })), {
    failure: { kind: 'contradiction', findings: [{ path: [], message: /^cannot be used: .*file/ }] },
  });
  await redis.admin.hset('postern:policies', 'z', '{');
  t.same(await store.updateRecord(POLICIES, 'z', () => ({ next: {} })), { ok: true, before: null, after: {} });
  await redis.admin.hset('postern:policies', 'a', '{');
  t.match(await store.everything(), {
    ok: true,
    value: {
      definitions: [{ id: 'a' }, { id: 'b' }, { id: 'bad', invalid: 'it is not JSON' }, { id: 'c' }],
    },
  });
  const everything = await store.everything();
  t.same(everything.ok && [...everything.value.records.policies.keys()], ['a', 'p', 'z']);
});

t.test('who decides is told what is there, and that nothing is', async (t) => {
  const { store } = await started(t);
  const refused = 'no';
  const seen: unknown[] = [];
  await store.update('none', (stored) => (seen.push(stored), { refused }));
  for (const kind of [POLICIES, LISTS] as const)
    await store.updateRecord(kind as typeof POLICIES, 'none', (stored) => (seen.push(stored), { refused }));
  t.same(seen, [null, null, null]);
});

t.test('a change that rests on policies is decided again when any of them changes meanwhile', async (t) => {
  let meanwhile: (() => Promise<unknown>) | null = null;
  const { redis, store } = await started(t, (connection) => ({
    ...connection,
    script: (lua) => async (keys, args) => {
      await meanwhile?.();
      meanwhile = null;
      return connection.script(lua)(keys, args);
    },
  }));
  await redis.admin.hset('postern:policies', 'p', '{"mode":"report"}');
  const remove = async () => {
    await redis.admin.multi().hdel('postern:policies', 'p').incr('postern:keys:version').exec();
  };
  meanwhile = remove;
  t.match(await store.update('c', () => ({ next: asKey('c', { policy: 'p' }) })), {
    failure: { kind: 'contradiction', findings: [{ path: ['policy'] }] },
  });
  meanwhile = async () => redis.admin.incr('postern:keys:version');
  let turns = 0;
  t.match(await store.update('c', () => (turns++, { next: asKey('c') })), { ok: true });
  t.equal(turns, 1, 'a key that names nothing does not wait for others');
  meanwhile = async () => redis.admin.incr('postern:keys:version');
  turns = 0;
  t.match(await store.updateRecord(POLICIES, 'p', () => (turns++, { next: {} })), { ok: true });
  t.equal(turns, 2);
});

t.test('a key that never rests is given up, and what is closed is closed', async (t) => {
  let closed = 0;
  const { store } = await started(t, (connection) => ({
    ...connection,
    script: () => async () => 0,
    close: () => void (closed += 1),
  }));
  let turns = 0;
  t.match(await store.update('c', () => (turns++, { next: asKey('c') })), {
    failure: { kind: 'unavailable', why: /keeps changing/ },
  });
  t.match(await store.updateRecord(POLICIES, 'p', () => (turns++, { next: {} })), {
    failure: { kind: 'unavailable', why: /keep changing/ },
  });
  t.equal(turns, 20);
  store.close();
  t.equal(closed, 1);
});

t.test('what is stored is told under its id, and what Redis does not do by its word alone', async (t) => {
  const { redis, store } = await started(t);
  t.match(await store.get('a'), { ok: true, value: { id: 'a', definition: { type: 'read-write' } } });
  t.same(await store.get('none'), { ok: true, value: null });
  t.match(await store.update('bad', (stored) => ({ refused: stored })), {
    refused: { id: 'bad', invalid: 'it is not JSON' },
  });
  t.match(await store.update('bad', () => ({ next: asKey('bad') })), { ok: true, before: null });
  t.notMatch(await redis.admin.hget('postern:keys', 'bad'), '"id"');
  t.equal(store.readOnly(), null);
  await redis.admin.call('ACL', 'SETUSER', 'default', '-hget', '-hscan');
  t.same(await store.get('a'), {
    ok: false,
    failure: { kind: 'read_only', why: 'Redis does not let this process write (NOPERM)' },
  });
  await redis.admin.call('ACL', 'SETUSER', 'default', '+hget', '+hscan');
  await redis.admin.del('postern:keys');
  await redis.admin.set('postern:keys', 'x');
  t.same(await store.get('a'), {
    ok: false,
    failure: { kind: 'unavailable', why: 'Redis does not do it now (WRONGTYPE).' },
  });
  await redis.kill();
  await eventually(async () => !(await store.get('a')).ok, 'the end');
  t.same(await store.list(), { ok: false, failure: { kind: 'unavailable', why: 'Redis cannot be reached now.' } });
});
