import t from 'tap';
import { Redis } from 'ioredis';
import { makeClient, makeSubscriber, seedsOf } from '../../src/lib/redis-client.ts';
import { redisAt } from '../support/redis.ts';

t.test('a subscriber of a Cluster goes to any node that is known now, or to a seed', async (t) => {
  const settings = redisAt('redis://127.0.0.1:1', { cluster: ['redis://127.0.0.1:2', 'redis://127.0.0.1:3'] });
  t.same(seedsOf(settings), [
    { ...seedsOf(settings)[0], host: '127.0.0.1', port: 2 },
    { ...seedsOf(settings)[1], host: '127.0.0.1', port: 3 },
  ]);
  const nodes = [{ options: { host: '127.0.0.4', port: 4 } }, { options: { host: '127.0.0.5', port: 5 } }];
  const { random } = Math;
  t.teardown(() => (Math.random = random));
  const ports = [0, 0.25, 0.5, 0.99].map((chance) => {
    Math.random = () => chance;
    const client = makeSubscriber(settings, { lazyConnect: true }, 'name', { nodes: () => nodes } as never);
    t.equal(client.options.connectionName, 'name-subscriber');
    client.disconnect();
    return client.options.port;
  });
  t.same(ports, [4, 5, 2, 3]);
});

t.test('no command waits in a client for a connection, and no connection is waited for long', async (t) => {
  for (const cluster of [null, ['redis://127.0.0.1:2']]) {
    const client = makeClient({
      settings: redisAt('redis://127.0.0.1:1', { cluster }),
      ends: { lazyConnect: true },
      connectors: { dnsLookup: undefined } as never,
      options: { name: 'name' },
    });
    const { options } = client as Redis;
    t.equal(options.enableOfflineQueue, false);
    const { connectTimeout, socketTimeout, maxRetriesPerRequest } =
      client instanceof Redis ? options : (client.options.redisOptions ?? {});
    t.same([connectTimeout, socketTimeout, maxRetriesPerRequest], [2500, 2500, 0]);
    client.disconnect();
  }
});
