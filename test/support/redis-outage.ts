/** An outage of Redis under a steady load of requests, none of which may fail. */
import type { Test } from 'tap';
import { startLoad, startNumberingBackend, startReplica, writeSharedKeys, type Replica } from './redis-postern.ts';
import { eventually } from './eventually.ts';
import { type RedisServer } from './redis.ts';

/**
 * Within these times `postern_key_source_up` is 0: many times what is promised (3 s and 9 s), since a machine may be busy. What
 * asks no longer finds out at all, which these still tell.
 */
export const LOST_MS = 45_000;
export const HANGING_MS = 60_000;
/** What probes say while the last keys serve. */
export const SERVING = { ready: 200, alive: 200 };

/** A server that has its data again after it was killed. */
export const DURABLE = { conf: ['appendonly yes', 'appendfsync always'] };

export interface Stage {
  readonly redis: Record<string, unknown>;
  /** Where keys are written before it begins. */
  readonly server: RedisServer;
  readonly prefix?: string;
  /** What happens to Redis; asked what is true meanwhile. */
  readonly outage: (replica: Replica) => Promise<void>;
}

/** Runs the outage with clients that go on asking, none of which may notice. */
export async function underLoad(t: Test, { redis, server, prefix = 'postern:', outage }: Stage): Promise<void> {
  await writeSharedKeys(server, prefix);
  const { url } = await startNumberingBackend(t);
  const replica = await startReplica(t, url, { ...redis, pollSeconds: 1 });
  await replica.sourceUp(1);
  const load = startLoad(replica, await replica.obtainToken());
  await isShared(replica);
  await outage(replica);
  await replica.sourceUp(1);
  await isShared(replica);
  t.same(await load.stop(), []);
  t.equal(await replica.metric('postern_upstream_errors_total{api="integration",kind="reset"}'), 0);
}

/** Limits and cached answers go through Redis. */
async function isShared(replica: Replica): Promise<void> {
  for (const use of ['cache', 'rate_limit'])
    await eventually(async () => (await replica.metric(`postern_redis_up{use="${use}"}`)) === 1, `${use} to be shared`);
}

/** Resolves when the log has such a line. */
export const said = (replica: Replica, what: RegExp): Promise<unknown> =>
  eventually(() => what.test(replica.logText()), `the log to say ${what.source}`);

/** Resolves when a back end with this secret is admitted. */
export async function isLive(replica: Replica, secret: string): Promise<void> {
  await eventually(async () => (await replica.statusOf(secret)) === 200, `${secret} to be known`);
}
