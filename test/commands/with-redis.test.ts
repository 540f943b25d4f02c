import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { mock } from 'node:test';
import t, { type Test } from 'tap';
import { withRedis } from '../../src/commands/with-redis.ts';
import { ConfigSchema } from '../../src/config/schema.ts';
import { RedisFailure } from '../../src/lib/redis.ts';
import { capturedIo } from '../support/command-io.ts';
import { startRedis } from '../support/redis.ts';

const settingsOf = (url: string) =>
  ConfigSchema.parse({ apis: { integration: { upstream: 'http://127.0.0.1:9' } }, redis: { url } }).redis;

/** A port that takes connections and says nothing; `gone` resolves when a client has left it. */
async function silence(t: Test) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => undefined).resume()));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived: async () => {
      if (sockets.size === 0) await once(server, 'connection');
      return [...sockets][0] as Socket;
    },
  };
}

t.test('the work is done over a connection that is then closed, and its exit code is the answer', async (t) => {
  const server = await startRedis(t);
  const { io, err } = capturedIo();
  const names = async (): Promise<string[]> =>
    [...String(await server.admin.client('LIST')).matchAll(/name=(postern-[\w-]+)/g)].map(([, name = '']) => name);
  const code = await withRedis(settingsOf(server.url), io, async (connection) => {
    t.equal(await connection.call('ping'), 'PONG');
    t.same(await names(), ['postern-keys-command']);
    return 3;
  });
  t.same([code, err], [3, []]);
  while ((await names()).length > 0) await new Promise(setImmediate);
  const failing = await withRedis(settingsOf(server.url), io, async () => {
    throw new RedisFailure('it is full', '');
  });
  t.same([failing, err], [70, ['Redis: it is full']]);
  const mistake = new Error('a mistake of ours');
  await t.rejects(
    withRedis(settingsOf(server.url), io, async () => {
      throw mistake;
    }),
    mistake,
    'what is no failure of Redis is not called one',
  );
  while ((await names()).length > 0) await new Promise(setImmediate);
});

t.test('a Redis that says nothing is given up after five seconds, and left', async (t) => {
  const { url, arrived } = await silence(t);
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const { io, err } = capturedIo();
  let done = false;
  const running = withRedis(settingsOf(url), io, async () => 0).finally(() => (done = true));
  const client = await arrived();
  const left = once(client, 'close');
  mock.timers.tick(4999);
  await new Promise(setImmediate);
  t.notOk(done);
  mock.timers.tick(1);
  t.equal(await running, 70);
  t.same(err, ['Redis: cannot be reached: no answer within 5 s']);
  await left;
});
