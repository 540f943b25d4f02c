import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createHistory, type History } from '../../../src/admin/history/history.ts';
import { ConfigSchema } from '../../../src/config/schema.ts';
import type { KeyStore, StoreFailure } from '../../../src/keys/key-store.ts';
import type { KeySet } from '../../../src/keys/record-kind.ts';
import { EMPTY_SNAPSHOT } from '../../../src/keys/snapshot.ts';
import { EDITOR } from '../../support/admin-client.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { holdTimers } from '../../support/held-timers.ts';
import { NOON } from '../../support/outcomes.ts';
import { startRedis } from '../../support/redis.ts';

const CALL = { caller: { token: EDITOR, session: null }, address: '192.0.2.1' };
const made = (name: string, after: object | null = { mode: 'report' }) => ({
  action: 'create_policy',
  target: { kind: 'policy' as const, name },
  before: null,
  after: after as Record<string, unknown> | null,
});

interface World {
  readonly keys: object;
  readonly redis?: object;
  /** What is in Redis. */
  readonly stored?: () => KeySet | StoreFailure;
}

function started(t: Test, { keys, redis = {}, stored }: World) {
  const warned: unknown[] = [];
  let snapshot = { ...EMPTY_SNAPSHOT };
  const everything: KeyStore['everything'] = async () => {
    const found = stored?.() ?? { kind: 'unavailable', why: 'Nobody asked for it.' };
    return 'kind' in found ? { ok: false, failure: found } : { ok: true, value: found };
  };
  const history: History = createHistory(
    ConfigSchema.parse({ apis: { integration: { upstream: 'http://127.0.0.1:9' } }, keys, redis }),
    {
      env: { SECRET: 'the-secret-of-web-in-the-environment' },
      now: () => NOON,
      log: { warn: (event, fields) => void warned.push([event, fields]) },
      keys: () => snapshot,
      store: () => ({ everything }) as KeyStore,
    },
  );
  t.teardown(() => history.close());
  const told = async () =>
    (await history.read()).changes.map(({ who, action, target, address }) => [who, action, target, address]);
  /** The source has told of another set of keys. */
  const turn = (): void => {
    snapshot = { ...EMPTY_SNAPSHOT, records: { ...EMPTY_SNAPSHOT.records } };
    history.look();
  };
  return { history, warned, told, turn };
}

const connected = ({ history }: { readonly history: History }): Promise<unknown> =>
  eventually(async () => (await history.read()).why === null, 'the connection');

t.test('with a key file: what was made here, and what is seen in the file while it can be read', async (t) => {
  const timers = holdTimers(t, [1500, 5000]);
  const folder = t.testdir();
  const file = join(folder, 'keys.yaml');
  const write = (more: string) =>
    writeFileSync(file, `keys:\n  - { id: web, type: write-only, secret: "\${SECRET}" }\n${more}`);
  write('');
  const { history, told, turn, warned } = started(t, { keys: { source: 'file', file } });
  t.same(await history.read(), { changes: [], why: null });
  const end = history.begin();
  await history.changed(CALL, made('here'));
  end();
  t.same(await told(), [['admin', 'create_policy', 'here', '192.0.2.1']]);
  const [first] = (await history.read()).changes;
  t.same(
    [first?.time, first?.kind, first?.fields],
    [new Date(NOON).toISOString(), 'policy', { mode: { before: null, after: 'report' } }],
  );
  // The first look only learns what there is: what it finds depends on when it comes.
  let tries = 0;
  const isSeen = async () => {
    write(`policies: { a${(tries += 1)}: { mode: report } }\n`);
    turn();
    return (await told()).length > 1 || timers.delays().includes(1500);
  };
  await eventually(isSeen, 'a policy to be seen');
  t.notOk(timers.delays().includes(1500), 'there is no other replica to wait for');
  t.ok(
    (await told()).every(([who, action]) => who === 'admin' || (who === 'file' && String(action).endsWith('_policy'))),
  );
  timers.letGo();
  writeFileSync(file, 'keys: [\n');
  await eventually(() => (turn(), timers.delays().includes(5000)), 'the file to be found broken');
  write('  - { id: other, type: read-only, secret: another-secret-of-this }\n');
  await eventually(async () => (turn(), (await told()).some(([, , name]) => name === 'other')), 'the key to be seen');
  t.same(
    (await told()).filter(([, action]) => String(action).endsWith('_key')),
    [['file', 'create_key', 'other', null]],
    'what could not be read had not gone',
  );
  t.same(warned, []);
});

t.test('with Redis: kept there under its name, and left when it is closed', async (t) => {
  const server = await startRedis(t);
  const names = async (): Promise<string[]> =>
    [...String(await server.admin.client('LIST')).matchAll(/name=(postern-[\w-]+)/g)].map(([, name = '']) => name);
  const redis = { url: server.url };
  const one = started(t, { keys: { source: 'redis' }, redis });
  t.same(await names(), [], 'nobody has asked yet');
  await connected(one);
  await one.history.changed(CALL, made('here'));
  t.same(await names(), ['postern-history']);
  t.equal(await server.admin.xlen('postern:history'), 1);
  const other = started(t, { keys: { source: 'redis' }, redis });
  await connected(other);
  t.same(await other.told(), [['admin', 'create_policy', 'here', '192.0.2.1']]);
  t.same((await one.history.read()).why, null);
  other.history.close();
  const connection = async (): Promise<string | undefined> =>
    /id=(\d+) .*name=postern-history/.exec(String(await server.admin.client('LIST')))?.[1];
  while ((await names()).length > 1) await new Promise(setImmediate);
  const before = await connection();
  await server.admin.call('REPLICAOF', '127.0.0.1', String(await freePort()));
  await one.history.changed(CALL, made('refused'));
  await eventually(async () => {
    const now = await connection();
    return now !== undefined && now !== before;
  }, 'a server that was demoted to be left');
  one.history.close();
  while ((await names()).length > 0) await new Promise(setImmediate);
});

t.test('a change that was seen in Redis waits for the replica that made it', async (t) => {
  const timers = holdTimers(t, [1500, 5000]);
  const server = await startRedis(t);
  let stored: KeySet | StoreFailure = { definitions: [], records: EMPTY_SNAPSHOT.records };
  const { history, turn, told } = started(t, {
    keys: { source: 'redis' },
    redis: { url: server.url },
    stored: () => stored,
  });
  turn();
  stored = {
    definitions: [],
    records: { ...EMPTY_SNAPSHOT.records, policies: new Map([['a', { id: 'a', definition: { mode: 'report' } }]]) },
  };
  await eventually(() => (turn(), timers.delays().includes(1500)), 'the change to be seen');
  t.same(await told(), [], 'not at once');
  stored = { kind: 'unavailable', why: 'It is away.' };
  await eventually(() => (turn(), timers.delays().includes(5000)), 'the failure to be seen');
  history.close();
});

t.test('a Redis that is away costs the history of others, and one line', async (t) => {
  const redis = { url: `redis://127.0.0.1:${await freePort()}` };
  const { history, warned, told } = started(t, { keys: { source: 'redis' }, redis });
  for (const name of ['a', 'b']) await history.changed(CALL, made(name));
  t.same(
    (await told()).map(([, , name]) => name),
    ['b', 'a'],
  );
  t.match((await history.read()).why, /^The history in Redis cannot be used: ./);
  t.equal(warned.length, 1);
  t.match(warned[0], [
    'history_not_kept',
    { detail: /cannot be used: .* Changes of this process are kept in its memory\.$/ },
  ]);
});
