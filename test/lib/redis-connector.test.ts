import t from 'tap';
import { Redis } from 'ioredis';
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
