import t from 'tap';
import { makeSubscriber, seedsOf } from '../../src/lib/redis-client.ts';
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
