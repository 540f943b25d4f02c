import t from 'tap';
import { Cluster } from 'ioredis';
import { withNamelessNodes } from '../../src/lib/redis-cluster.ts';
import { startCluster, type RedisServer } from '../support/redis.ts';

const clientOf = (node: RedisServer | undefined, host = '127.0.0.1'): Cluster =>
  withNamelessNodes(
    new Cluster([{ host, port: Number(new URL(node?.url ?? '').port) }], { redisOptions: { protocol: 2 } }),
  );

void t.test('a Cluster of one node, which has met no other and does not know its address', async (t) => {
  const { nodes } = await startCluster(t, 1);
  const [node] = nodes;
  const slots = (await node?.admin.call('cluster', 'slots')) as [number, number, [string | null]][];
  t.notOk(slots[0]?.[2][0], 'it names none');
  const cluster = clientOf(node);
  t.teardown(() => cluster.disconnect());
  t.equal(await cluster.set('a', 'b'), 'OK');
  t.equal(await cluster.get('a'), 'b');
});

void t.test('nodes that name themselves are asked where they say', async (t) => {
  const { nodes } = await startCluster(t, 2);
  const cluster = clientOf(nodes[0], 'localhost');
  t.teardown(() => cluster.disconnect());
  for (const name of ['a', 'b', 'c', 'd']) t.equal(await cluster.set(name, name), 'OK');
  t.same(new Set(cluster.nodes('master').map(({ options }) => options.host)), new Set(['127.0.0.1']));
});
