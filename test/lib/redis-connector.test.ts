import net from 'node:net';
import t from 'tap';
import { Redis, SentinelConnector } from 'ioredis';
import { redisConnectors } from '../../src/lib/redis-connector.ts';
import { startNameServer } from '../support/dns.ts';
import { startRedis, startSentinel } from '../support/redis.ts';

void t.test('a name is looked up by us, and each of its addresses is tried', async (t) => {
  const server = await startRedis(t);
  const { lookup, questions } = await startNameServer(t, (_name, family) =>
    family === 'A' ? ['127.0.0.2', '127.0.0.1'] : [],
  );
  const port = Number(new URL(server.url).port);
  const client = new Redis({ host: 'redis.test', port, Connector: redisConnectors(2500, lookup).server });
  t.teardown(() => client.disconnect());
  t.equal(await client.ping(), 'PONG');
  t.ok(questions.includes('A redis.test'));
});

void t.test('the first address is taken where Node asks for one alone', async (t) => {
  const server = await startRedis(t);
  const asksForAll = net.getDefaultAutoSelectFamily();
  net.setDefaultAutoSelectFamily(false);
  t.teardown(() => net.setDefaultAutoSelectFamily(asksForAll));
  const port = Number(new URL(server.url).port);
  const lookup = async (): Promise<readonly string[]> => ['127.0.0.1', '192.0.2.1'];
  const client = new Redis({ host: 'redis.test', port, Connector: redisConnectors(2500, lookup).server });
  t.teardown(() => client.disconnect());
  t.equal(await client.ping(), 'PONG');
});

void t.test('so are the names of Sentinels', async (t) => {
  const { lookup, questions } = await startNameServer(t, (_name, family) => (family === 'A' ? ['127.0.0.1'] : []));
  const sentinel = await startSentinel(t);
  const port = Number(new URL(sentinel.settings.sentinel?.urls[0] ?? '').port);
  const client = new Redis({
    name: sentinel.settings.sentinel?.name ?? '',
    sentinels: [{ host: 'sentinel.test', port }],
    Connector: redisConnectors(2500, lookup).sentinel,
  });
  t.teardown(() => client.disconnect());
  t.equal(await client.ping(), 'PONG');
  t.ok(questions.includes('A sentinel.test'));
});

void t.test('a master that a Sentinel tells by name is looked up, one that it tells by address is not', async (t) => {
  type Resolve = (endpoint: unknown) => Promise<unknown>;
  const prototype = SentinelConnector.prototype as unknown as { resolve: Resolve };
  const { resolve } = prototype;
  t.teardown(() => (prototype.resolve = resolve));
  const looked: string[] = [];
  const lookup = async (host: string) => (looked.push(host), ['192.0.2.1', '192.0.2.2']);
  const told = async (answer: unknown): Promise<unknown> => {
    prototype.resolve = async () => answer;
    const connector = new (redisConnectors(2500, lookup).sentinel)({ sentinels: [{ host: 's', port: 1 }], name: 'm' });
    return (connector as unknown as { resolve: Resolve }).resolve({});
  };
  const named = { host: '192.0.2.1', port: 6379, servername: 'master.test' };
  t.same(await told({ host: 'master.test', port: 6379 }), named);
  for (const answer of [{ host: '192.0.2.9', port: 6379 }, { host: '::1', port: 6379 }, null])
    t.same(await told(answer), answer);
  t.same(looked, ['master.test']);
});

void t.test('a name whose server is silent takes no longer than the time to connect', async (t) => {
  const { lookup } = await startNameServer(t, () => 'silence');
  const errors: string[] = [];
  const client = new Redis({
    host: 'redis.test',
    connectTimeout: 100,
    retryStrategy: () => null,
    Connector: redisConnectors(100, lookup).server,
  });
  client.on('error', (error: Error) => errors.push(error.message));
  await new Promise((resolve) => void client.once('end', resolve));
  t.match(errors, [/ETIMEDOUT/]);
});
