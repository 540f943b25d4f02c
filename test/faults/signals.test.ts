import net, { type AddressInfo } from 'node:net';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { startBackend } from '../support/backend.ts';
import { SERVER_KEY, SERVER_SECRET } from '../support/flow.ts';
import { hearsSignals, portsOf, spawnPostern } from '../support/process.ts';
import { startRedis } from '../support/redis.ts';
import { RawClient } from '../support/upstream.ts';

const apis = { integration: { upstream: 'http://127.0.0.1:9' } };
const listen = { host: '127.0.0.1', port: 0, shutdownGraceSeconds: 1 };
const headers = { authorization: `Bearer ${SERVER_SECRET}` };

/** Sends the process a signal as soon as it listens to it: nobody else could be sure that the start is not over by then. */
const signalAtOnce = (signal: NodeJS.Signals): string => `
const { on } = process;
process.on = function (name, ...rest) {
  on.call(this, name, ...rest);
  if (name === '${signal}') process.kill(process.pid, name);
  return this;
};`;

for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)
  t.test(`${signal} while starting ends the start`, async (t) => {
    const preload = `data:text/javascript,${encodeURIComponent(signalAtOnce(signal))}`;
    const postern = spawnPostern(t, { config: { apis }, keys: [SERVER_KEY], node: ['--import', preload] });
    t.equal(await postern.exit, 0);
    t.notMatch(postern.stdout(), '"msg":"started"');
    t.equal(postern.stderr(), '');
  });

t.test('SIGTERM while a start waits for a Redis that does not answer ends it', async (t) => {
  const silent = net.createServer((socket) => void socket.on('error', () => {})).listen(0, '127.0.0.1');
  t.teardown(() => silent.close());
  await once(silent, 'listening');
  const url = `redis://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const postern = spawnPostern(t, { config: { apis, keys: { source: 'redis' }, redis: { url } }, keys: [] });
  await once(silent, 'connection');
  postern.child.kill('SIGTERM');
  t.equal(await postern.exit, 0);
  t.notMatch(postern.stdout(), '"msg":"started"');
});

t.test('SIGHUP while starting does not end the process, and is not forgotten', async (t) => {
  const postern = spawnPostern(t, { config: { apis }, keys: [SERVER_KEY] });
  await hearsSignals(postern.child);
  postern.child.kill('SIGHUP');
  await postern.line(({ msg }) => msg === 'config_reloaded');
  t.match(postern.stdout(), /"msg":"started"[\s\S]*"msg":"config_reloaded"/);
});

t.test('signals that Node or the system would answer by a debugger, a core file or death do nothing', async (t) => {
  const backend = await startBackend(t, (_req, res) => void res.end('ok'));
  const postern = spawnPostern(t, { config: { apis: { integration: { upstream: backend.url } } }, keys: [SERVER_KEY] });
  await hearsSignals(postern.child);
  postern.child.kill('SIGUSR1');
  const { data } = await portsOf(postern);
  for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGXFSZ'] as const) {
    postern.child.kill(signal);
    await postern.line((line) => line['msg'] === 'signal_unused' && line['signal'] === signal);
  }
  for (const signal of ['SIGPIPE', 'SIGWINCH', 'SIGURG', 'SIGCHLD', 'SIGCONT'] as const) postern.child.kill(signal);
  t.equal((await fetch(`http://127.0.0.1:${data}/x`, { headers })).status, 200);
  t.equal(postern.stderr(), '', 'no debugger listens');
});

/** A request that is under way when `send` is called, and whether it was answered whole. */
async function underWay(t: Test, signals: readonly NodeJS.Signals[]): Promise<void> {
  const finish: (() => void)[] = [];
  const backend = await startBackend(t, (_req, res) => void finish.push(() => res.writeHead(200).end('finished')));
  const postern = spawnPostern(t, {
    config: { listen: { ...listen, shutdownGraceSeconds: 20 }, apis: { integration: { upstream: backend.url } } },
    keys: [SERVER_KEY],
  });
  const { data } = await portsOf(postern);
  const arrived = backend.next();
  const client = new RawClient(t, data);
  client.write(`GET /slow HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${SERVER_SECRET}\r\n\r\n`);
  await arrived;
  const [first, ...others] = signals;
  postern.child.kill(first);
  await postern.line(({ msg }) => msg === 'draining');
  for (const signal of others) {
    postern.child.kill(signal);
    await postern.line((line) => line['msg'] === 'still_stopping' && line['signal'] === signal);
  }
  finish.shift()?.();
  await client.until('finished');
  await client.closed;
  t.equal(await postern.exit, 0);
}

t.test('signals that come again, or another after one, cut nothing', async (t) => {
  await underWay(t, ['SIGTERM', 'SIGTERM', 'SIGINT', 'SIGQUIT']);
  await underWay(t, ['SIGINT', 'SIGINT']);
});

t.test('a Redis that hangs does not hold up the end', async (t) => {
  const redis = await startRedis(t);
  const postern = spawnPostern(t, {
    config: { listen, apis, keys: { source: 'redis' }, redis: { url: redis.url }, rateLimit: { store: 'redis' } },
    keys: [],
  });
  await portsOf(postern);
  redis.freeze();
  t.teardown(redis.thaw);
  postern.child.kill('SIGTERM');
  t.equal(await postern.exit, 0);
});
