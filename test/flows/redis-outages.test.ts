/**
 * Every outage of Redis under a steady load: no request fails, probes and metrics tell the truth, nothing that was changed
 * meanwhile is missed, and no password is logged.
 * Slow: silence is noticed after seconds, and each outage has a server of its own; three run at once.
 */
import t from 'tap';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';
import { changeKeys, definitionOf } from '../support/redis-keys.ts';
import { DURABLE, HANGING_MS, isLive, LOST_MS, said, SERVING, underLoad } from '../support/redis-outage.ts';
import { writeSharedKeys } from '../support/redis-postern.ts';

t.jobs = 3;

t.test('killed, and started again', { buffered: true }, async (t) => {
  const server = await startRedis(t, DURABLE);
  await underLoad(t, {
    redis: { url: server.url },
    server,
    async outage(replica) {
      await server.kill();
      await replica.sourceUp(0, LOST_MS);
      t.match(await replica.told(), SERVING);
      // A connection of its own, which hears of it by itself.
      await eventually(
        async () => (await replica.metric('postern_redis_up{use="cache"}')) === 0,
        'the cache to be alone',
      );
      await said(replica, /"redis_fallback_begins"/);
      await server.restart();
      await changeKeys(server.admin, { set: { meanwhile: definitionOf('meanwhile') }, publish: null });
      await isLive(replica, 'secret-of-meanwhile');
      await said(replica, /"key_source_up"/);
    },
  });
});

t.test('hanging: it accepts, and never answers', { buffered: true }, async (t) => {
  const server = await startRedis(t);
  await underLoad(t, {
    redis: { url: server.url },
    server,
    async outage(replica) {
      server.freeze();
      await replica.sourceUp(0, HANGING_MS);
      t.match(await replica.told(), SERVING);
      server.thaw();
      await changeKeys(server.admin, { remove: ['server'], publish: null });
      await changeKeys(server.admin, { set: { server: definitionOf('server'), late: definitionOf('late') } });
      await isLive(replica, 'secret-of-late');
    },
  });
});

t.test('read-only', { buffered: true }, async (t) => {
  const server = await startRedis(t);
  await underLoad(t, {
    redis: { url: server.url },
    server,
    async outage(replica) {
      await server.admin.replicaof('127.0.0.1', 1);
      await said(replica, /"redis_fallback_begins"/);
      t.match(await replica.told(), { ...SERVING, up: 1 }, 'keys are only read');
      await server.admin.replicaof('NO', 'ONE');
      await said(replica, /"redis_fallback_ends"/);
    },
  });
});

t.test('loading its data', { buffered: true }, async (t) => {
  const conf = [...DURABLE.conf, 'key-load-delay 20000', 'loading-process-events-interval-bytes 1024'];
  const server = await startRedis(t, { conf });
  await server.admin.eval('for i = 1, 120 do redis.call("set", "filler" .. i, string.rep("x", 200)) end', 0);
  await underLoad(t, {
    redis: { url: server.url },
    server,
    async outage(replica) {
      await server.kill();
      const restarted = server.restart();
      await replica.sourceUp(0, LOST_MS);
      t.match(await replica.told(), SERVING);
      await restarted;
    },
  });
});

t.test('the password is changed, and changed back', { buffered: true }, async (t) => {
  const server = await startRedis(t, { password: 'first-password' });
  await underLoad(t, {
    redis: { url: server.url },
    server,
    async outage(replica) {
      await server.admin.config('SET', 'requirepass', 'second-password');
      await server.admin.call('client', 'kill', 'type', 'normal', 'skipme', 'yes');
      await replica.sourceUp(0, LOST_MS);
      t.match(await replica.told(), SERVING);
      await said(replica, /WRONGPASS/);
      await server.admin.config('SET', 'requirepass', 'first-password');
      await replica.sourceUp(1);
      t.notMatch(replica.logText(), /first-password|second-password/);
    },
  });
});

t.test('emptied, which is not the deletion of its keys', { buffered: true }, async (t) => {
  const server = await startRedis(t);
  await underLoad(t, {
    redis: { url: server.url },
    server,
    async outage(replica) {
      await server.admin.flushall();
      await replica.sourceUp(0, LOST_MS);
      t.match(await replica.told(), SERVING);
      await said(replica, /it was emptied or is a fresh one/);
      t.ok((await replica.metric('postern_key_source_last_sync_timestamp_seconds')) > 0);
      await writeSharedKeys(server);
    },
  });
});
