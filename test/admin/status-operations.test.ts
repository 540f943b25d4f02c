import t from 'tap';
import { apiListOperation } from '../../src/admin/api-list-operation.ts';
import { historyOperation } from '../../src/admin/history-operation.ts';
import type { HistoryChange } from '../../src/admin/history/change.ts';
import type { Call } from '../../src/admin/operation.ts';
import { problem } from '../../src/admin/problem.ts';
import { rejectionOperations } from '../../src/admin/rejection-operations.ts';
import { statusOperations, type StatusPorts } from '../../src/admin/status-operations.ts';
import { ConfigSchema } from '../../src/config/schema.ts';
import type { Rejection } from '../../src/observability/outcome.ts';
import { createRecentRejections } from '../../src/observability/recent-rejections.ts';
import { asking, loadedKey, storedWorld } from '../support/admin-operations.ts';
import { apiRules, NOON, rulesOf } from '../support/passages.ts';

const isoNoon = new Date(NOON).toISOString();
const config = ConfigSchema.parse({
  admin: { token: 'the-token-of-this-test' },
  apis: { integration: { upstream: 'http://127.0.0.1:9', paths: ['/v1'] } },
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

t.test('APIs with their paths and routes, and whether they give tokens', async (t) => {
  const rules = rulesOf([], {
    integration: apiRules({ unlisted: 'refuse' }),
    metrics: apiRules({ name: 'metrics', tokenPath: '/metrics/auth/token' }),
  });
  const { status, body } = await asking([apiListOperation({ config: () => config, rules: () => rules })])('listApis');
  t.equal(status, 200);
  t.same(
    body.apis.map(({ name, paths, unlisted, tokens }: Record<string, unknown>) => [name, paths, unlisted, tokens]),
    [
      ['integration', ['/v1'], 'refuse', false],
      ['metrics', ['/metrics'], rules.apis[1]?.unlisted, true],
    ],
  );
  const [ingest] = body.apis[0].routes.filter(({ path }: { path: string }) => path === '/event/ingest');
  t.same(ingest, { method: 'POST', path: '/event/ingest', events: true, public: false, pages: false });
  t.ok(body.apis[0].routes.some(({ events }: { events: boolean }) => !events));
});

t.test('the history by key and by admin, newest first, with why some may be missing', async (t) => {
  const change = (who: string, target: string, kind: HistoryChange['kind'] = 'key'): HistoryChange => ({
    time: isoNoon,
    who,
    address: null,
    action: `replace_${kind}`,
    kind,
    target,
    fields: {},
  });
  const changes = [
    change('anna', 'web'),
    change('file', 'web'),
    change('anna', 'web', 'policy'),
    change('anna', 'other'),
  ];
  const ask = asking([historyOperation({ read: async () => ({ changes, why: 'Redis is away.' }) })]);
  const found = async (query: object) => {
    const { body } = await ask('listChanges', { query });
    return body.changes.map((one: HistoryChange) => changes.indexOf(one));
  };
  const { status, body } = await ask('listChanges');
  t.same([status, body], [200, { changes, why: 'Redis is away.' }]);
  t.same(await found({ key: 'web' }), [0, 1], 'a policy of that name is another thing');
  t.same(await found({ who: 'anna' }), [0, 2, 3]);
  t.same(await found({ who: 'anna', key: 'web' }), [0]);
  t.same(await found({ key: '' }), []);
  t.same(await found({ limit: '3' }), [0, 1, 2]);
  t.same(await found({ limit: '2', who: 'anna' }), [0, 2]);
  for (const query of [
    { limit: '0' },
    { limit: ['1', '2'] },
    { key: ['a', 'b'] },
    { who: 'x'.repeat(16_385) },
    { x: '' },
  ])
    t.equal((await ask('listChanges', { query })).status, 422, JSON.stringify(query).slice(0, 40));
});

t.test('refusals by every filter, newest first, and no more than are asked for', async (t) => {
  const recent = createRecentRejections();
  const streams = {
    open: () => problem('too_many_followers', 'Too many.'),
    endInvalid: () => undefined,
    close: () => undefined,
  };
  const summary = { version: () => '', read: () => ({}) as never };
  const operations = rejectionOperations({ recent, summary, streams, now: () => NOON });
  const rejection = { keyId: 'web', reason: 'a', clientIp: '192.0.2.1', path: '/a', requestId: 'r1', mode: 'enforce' };
  const others = [
    {},
    { keyId: 'k' },
    { reason: 'b' },
    { clientIp: '::1' },
    { path: '/b' },
    { requestId: 'r2' },
    { mode: 'report' },
    { events: ['login'] },
  ];
  for (const other of others) recent.add({ ...rejection, ...other } as unknown as Rejection);
  const ask = asking(operations);
  const found = async (query: object) => {
    const { status, body } = await ask('listRejections', { query });
    return [status, body.rejections?.length];
  };
  const { body } = await ask('listRejections');
  t.same(body.rejections[0], { ...rejection, events: ['login'] });
  t.same(await found({}), [200, 8]);
  t.same(await found({ limit: '3' }), [200, 3]);
  for (const query of [
    { key: 'k' },
    { reason: 'b' },
    { address: '::1' },
    { path: '/b' },
    { requestId: 'r2' },
    { mode: 'report' },
    { event: 'login' },
  ])
    t.same(await found(query), [200, 1], JSON.stringify(query));
  t.same(await found({ key: 'k', reason: 'b' }), [200, 0]);
  t.same(await found({ limit: '0' }), [422, undefined]);
  const stream = operations.find(({ operationId }) => operationId === 'streamRejections');
  if (stream === undefined || !('stream' in stream)) throw new Error('no stream');
  const open = (query: object) => stream.stream({ query } as Call, {} as never, {} as never)?.code;
  t.same(
    [open({}), open({ limit: '1' }), open({ key: 'k' })],
    ['too_many_followers', 'invalid_request', 'too_many_followers'],
  );
});

t.test('the summary: an hour or what was asked for, and not sent again while it says the same', async (t) => {
  let version = 'a';
  const asked: number[] = [];
  const operations = (start: number) =>
    rejectionOperations({
      recent: createRecentRejections(),
      summary: {
        version: () => version,
        read: (_now, minutes = 0) => (asked.push(minutes), { since: 'then' }) as never,
      },
      streams: { open: () => null, endInvalid: () => undefined, close: () => undefined },
      now: () => start,
    });
  const ask = asking(operations(NOON));
  const first = await ask('getSummary');
  t.same([first.status, first.body], [200, { since: 'then' }]);
  const day = await ask('getSummary', { query: { minutes: '1440' } });
  t.same(asked, [60, 1440]);
  t.not(day.tag, first.tag, 'another range is another answer');
  const ifNoneMatch = first.tag ?? '';
  t.same((await ask('getSummary', { ifNoneMatch })).status, 304);
  t.same((await asking(operations(NOON + 1))('getSummary', { ifNoneMatch })).status, 200, 'of another process');
  version = 'b';
  t.same((await ask('getSummary', { ifNoneMatch })).status, 200);
  for (const minutes of ['0', '1441', 'x']) t.equal((await ask('getSummary', { query: { minutes } })).status, 422);
});
