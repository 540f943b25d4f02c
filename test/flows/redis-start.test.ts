/** Starting without Redis, or with one that is of no use: alive, not ready, 503 to all, and on its way as soon as keys come. */
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { stringify } from 'yaml';
import { runExplain } from '../../src/commands/explain.ts';
import { runKeys } from '../../src/commands/keys.ts';
import { capturedIo } from '../support/command-io.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startRedis } from '../support/redis.ts';
import { startNumberingBackend, beginReplica, writeSharedKeys, type Replica } from '../support/redis-postern.ts';

const UNAVAILABLE = 70;

/** A server that accepts connections and never says anything. */
async function silentServer(t: Test): Promise<string> {
  const open = new Set<{ destroy: () => void }>();
  const server = createServer((socket) => void open.add(socket.on('error', () => undefined))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return `redis://:never-shown@127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function isNotReady(t: Test, replica: Replica): Promise<void> {
  t.match(await replica.told(), { ready: 503, alive: 200, up: 0 });
  const requests: [path: string, init: RequestInit][] = [
    ['/profile/u1', {}],
    ['/a/../%2e%2e/b//c', {}],
    ['/nowhere', { headers: { authorization: 'Bearer secret-of-server' } }],
    ['/metrics/auth/token', { method: 'POST', body: '{}' }],
    [
      '/event/ingest',
      { method: 'OPTIONS', headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' } },
    ],
  ];
  for (const [path, init] of requests) {
    const answer = await fetch(replica.url + path, init);
    t.equal(answer.status, 503, path);
    t.match(await answer.json(), { code: 'not_ready', status: 503 });
  }
  t.equal(
    await replica.metric('postern_rejections_total{api="",key="",reason="not_ready",mode="enforce"}'),
    requests.length,
  );
}

t.jobs = 3;

t.test('away at the start, and there later', { buffered: true }, async (t) => {
  const redis = await startRedis(t);
  await redis.kill();
  const { url } = await startNumberingBackend(t);
  const replica = await beginReplica(t, url, { url: redis.url });
  await isNotReady(t, replica);
  await redis.restart();
  await eventually(() => /it was emptied or is a fresh one/.test(replica.logText()), 'the log to say that it is empty');
  t.equal((await replica.told()).ready, 503, 'an empty Redis has no keys to be ready with');
  await writeSharedKeys(redis);
  await eventually(async () => (await replica.told()).ready === 200, 'readiness');
  t.equal(await replica.statusOf('secret-of-server'), 200);
  t.ok(replica.lines.some(({ msg }) => msg === 'key_source_down'));
  await eventually(() => replica.lines.some(({ msg }) => msg === 'key_source_up'), 'the log to say that it is back');
});

t.test('hanging at the start: it listens all the same', { buffered: true }, async (t) => {
  const replica = await beginReplica(t, (await startNumberingBackend(t)).url, { url: await silentServer(t) });
  await isNotReady(t, replica);
  t.notMatch(replica.logText(), 'never-shown');
});

t.test('a wrong password at the start: told, not shown', { buffered: true }, async (t) => {
  const redis = await startRedis(t, { password: 'right-password' });
  await writeSharedKeys(redis);
  const { url } = await startNumberingBackend(t);
  const replica = await beginReplica(t, url, { url: redis.url.replace('right', 'wrong') });
  await isNotReady(t, replica);
  await eventually(() => replica.logText().includes('WRONGPASS'), 'the log to say why');
  t.notMatch(replica.logText(), /wrong-password|right-password/);
  await redis.admin.config('SET', 'requirepass', 'wrong-password');
  await eventually(async () => (await replica.told()).ready === 200, 'readiness');
});

t.test('commands give up in time, with 70 and one sentence', { buffered: true }, async (t) => {
  const away = `redis://:never-shown@127.0.0.1:${await freePort()}`;
  for (const url of [away, await silentServer(t)]) {
    const folder = t.testdir({
      'postern.yaml': stringify({
        apis: { integration: { upstream: 'http://127.0.0.1:1' } },
        keys: { source: 'redis' },
        redis: { url },
      }),
      'keys.yaml': 'keys: []\n',
    });
    const config = join(folder, 'postern.yaml');
    for (const action of ['push', 'list', 'pull'] as const) {
      const { io, err } = capturedIo();
      t.equal(await runKeys({ action, config, dryRun: false, prune: false }, io), UNAVAILABLE, action);
      t.equal(err.length, 1);
      t.match(err[0], /^Redis: cannot be reached/);
      t.notMatch(err.join(), 'never-shown');
    }
    const { io, err } = capturedIo();
    const question = {
      config,
      key: 'x',
      ip: '127.0.0.1',
      method: 'GET',
      path: '/profile/u1',
      events: [],
      origin: null,
      host: null,
      keyId: null,
    };
    t.equal(await runExplain({ ...question, json: false }, io), UNAVAILABLE);
    t.match(err.join(), /Redis/);
    t.notMatch(err.join(), 'never-shown');
  }
});
