/**
 * Redis behind Sentinel and as a Cluster: failing over and moving slots under a steady load, unnoticed by clients.
 * Slow: a failover takes seconds, and a Cluster has to form first.
 */
import t from 'tap';
import { isLive, LOST_MS, SERVING, underLoad } from '../support/redis-outage.ts';
import { eventually } from '../support/eventually.ts';
import { startCluster, startSentinel, type RedisServer } from '../support/redis.ts';
import { changeKeys, definitionOf } from '../support/redis-keys.ts';

t.jobs = 2;

t.test('Sentinel fails over', { buffered: true }, async (t) => {
  const { settings, master, replica: standby } = await startSentinel(t, 'sentinel-password');
  const { sentinel, password } = settings;
  await underLoad(t, {
    redis: { sentinel, password },
    server: master,
    async outage(replica) {
      await eventually(async () => (await standby.admin.hlen('postern:keys')) === 3, 'the replica to have the keys');
      await master.kill();
      await replica.sourceUp(0, LOST_MS);
      t.match(await replica.told(), SERVING);
      await eventually(async () => (await standby.admin.info('replication')).includes('role:master'), 'the failover');
      await changeKeys(standby.admin, { set: { later: definitionOf('later') } });
      await isLive(replica, 'secret-of-later');
      t.notMatch(replica.logText(), 'sentinel-password');
    },
  });
});

t.test('a Cluster moves the slot of all that Postern has', { buffered: true }, async (t) => {
  const { settings, nodes, moveSlotOf } = await startCluster(t);
  const prefix = '{postern}:';
  const slot = Number(await nodes[0]?.admin.call('cluster', 'keyslot', `${prefix}keys`));
  const owner = nodes[Math.floor((slot * nodes.length) / 16_384)] as RedisServer;
  await underLoad(t, {
    redis: { cluster: settings.cluster, prefix },
    server: owner,
    prefix,
    async outage(replica) {
      const next = await moveSlotOf(`${prefix}keys`);
      await changeKeys(next.admin, { set: { moved: definitionOf('moved') }, prefix });
      await isLive(replica, 'secret-of-moved');
      t.match(await replica.told(), SERVING);
    },
  });
});
