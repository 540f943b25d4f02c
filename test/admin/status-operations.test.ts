import t from 'tap';
import { statusOperations, type StatusPorts } from '../../src/admin/status-operations.ts';
import { ConfigSchema } from '../../src/config/schema.ts';
import { asking, loadedKey, storedWorld } from '../support/admin-operations.ts';
import { NOON } from '../support/outcomes.ts';

const isoNoon = new Date(NOON).toISOString();
const config = ConfigSchema.parse({
  admin: { token: 'the-token-of-this-test' },
  apis: { integration: { upstream: 'http://127.0.0.1:9' } },
});

function started(change: Partial<StatusPorts> = {}) {
  const world = storedWorld([loadedKey({ id: 'web', type: 'write-only', secret: 'the-secret-of-web' })]);
  const done: unknown[] = [];
  const status = { up: true, why: null, lastSyncAt: NOON as number | null, invalidDefinitions: 0, loaded: true };
  const state = { lastReloadSuccessful: true, lastLoaded: NOON };
  const ask = asking(
    statusOperations({
      version: '1.2.3',
      config: () => config,
      configStatus: () => state,
      source: { kind: 'file', status: () => status },
      keys: world.snapshot,
      changes: world.changes,
      samples: () => [],
      cache: { stats: () => null, purge: async () => void done.push('purged') },
      audit: (_call, action) => void done.push(action),
      now: () => NOON,
      ...change,
    }),
  );
  return { ask, world, done, status, state };
}

t.test('the state of the process: its source, its configuration, its cache', async (t) => {
  const { ask, world, status, state } = started();
  const { keys, ...rest } = (await ask('getStatus')).body;
  t.equal(keys.length, 1);
  t.same(rest, {
    version: '1.2.3',
    keySource: { kind: 'file', up: true, why: null, lastSyncAt: isoNoon, readOnly: null },
    config: { lastReloadSuccessful: true, lastLoadedAt: isoNoon },
    cache: null,
    keyCounts: { active: 1, disabled: 0, expired: 0, invalid: 0, warned: 1 },
  });
  world.readOnly = 'the file is read-only';
  Object.assign(status, { up: false, why: 'it is broken', lastSyncAt: null });
  state.lastReloadSuccessful = false;
  const { keySource, config: read } = (await ask('getStatus')).body;
  t.same(keySource, {
    kind: 'file',
    up: false,
    why: 'it is broken',
    lastSyncAt: null,
    readOnly: 'The keys cannot be changed here: the file is read-only.',
  });
  t.equal(read.lastReloadSuccessful, false);
  t.same((await ask('getStatus', { query: { key: '' } })).body.keys, []);
  t.equal((await ask('getStatus', { query: { keys: '' } })).status, 422);
});

t.test('the cache: what it holds, and what became of requests by it', async (t) => {
  const { ask } = started({
    cache: { stats: () => ({ bytes: 10, entries: 2 }), purge: async () => undefined },
    samples: (metric) =>
      metric === 'postern_cache_requests_total'
        ? [
            { labels: { result: 'hit' }, value: 3 },
            { labels: { result: 'miss' }, value: 4 },
          ]
        : [],
  });
  t.same((await ask('getStatus')).body.cache, { bytes: 10, entries: 2, results: { hit: 3, miss: 4 } });
});

t.test('the state is not sent again while nothing changed but the time of the last reading', async (t) => {
  const { ask, world, status, state } = started();
  const { tag = '' } = await ask('getStatus');
  t.match(tag, /^"[\w-]{22}"$/);
  status.lastSyncAt = NOON + 1000;
  const again = await ask('getStatus', { ifNoneMatch: tag });
  t.same([again.status, again.body, again.tag], [304, undefined, tag]);
  const others: (() => void)[] = [
    () => void (status.up = false),
    () => void (world.readOnly = 'the file is read-only'),
    () => void (world.keys = []),
    () => void (state.lastReloadSuccessful = false),
  ];
  let before = tag;
  for (const change of others) {
    change();
    const next = await ask('getStatus', { ifNoneMatch: before });
    t.equal(next.status, 200);
    t.not(next.tag, before);
    before = next.tag ?? '';
  }
});

t.test('the configuration without a secret, and the cache emptied before it is told', async (t) => {
  const { ask, done } = started();
  const shown = await ask('getConfig');
  t.same([shown.status, shown.body.admin.token], [200, '***']);
  const purged = await ask('purgeCache');
  t.same([purged.status, purged.body], [204, undefined]);
  t.same(done, ['purged', 'purge_cache']);
});

t.test('a cache that Redis did not empty is not said to be empty', async (t) => {
  const purge = () => Promise.reject(new Error('connect ECONNREFUSED 127.0.0.1:6379'));
  const { ask, done } = started({ cache: { stats: () => null, purge } });
  const { status, body } = await ask('purgeCache');
  t.same([status, body.code, done], [503, 'source_unavailable', []]);
  t.match(body.detail, /^The answers in Redis stay \(connect ECONNREFUSED 127\.0\.0\.1:6379\)/);
});
