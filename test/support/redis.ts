/**
 * Redis servers for tests: each a process of its own on a free port in a temporary directory, stopped and removed with the
 * test. Never touches a server that it did not start. `redis-server` comes from PATH.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import type { Test } from 'tap';
import type { ClientOptions, RedisSettings } from '../../src/lib/redis-settings.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { requireTool } from './tools.ts';

export const REDIS_CA_FILE = resolve('test/fixtures/redis-tls/ca.pem');

export interface RedisServerOptions {
  readonly password?: string;
  readonly tls?: boolean;
  /** Further lines of redis.conf. */
  readonly conf?: readonly string[];
}

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** For looking in and writing from outside. */
  readonly admin: Redis;
  /** SIGKILL, and the port is closed when this resolves. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with what it had saved; `meanwhile` changes that before anybody else can reach it. */
  restart(meanwhile?: (admin: Redis) => Promise<unknown>): Promise<void>;
  /** SIGSTOP: the kernel accepts connections, nothing answers. */
  freeze(): void;
  thaw(): void;
}

/** Settings for a single server, as the configuration gives them. */
export const redisAt = (url: string, more: Partial<RedisSettings> = {}): RedisSettings => ({
  url,
  cluster: null,
  sentinel: null,
  username: null,
  password: null,
  tls: null,
  ...more,
});

/** Starts a server that ends with the test. */
export async function startRedis(t: Test, options: RedisServerOptions = {}): Promise<RedisServer> {
  const dir = temporaryDirectory(t);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOn(t, await freePort(), dir, options);
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}

/** A master with one replica and one Sentinel that fails over within about two seconds: sooner, and a master that only waits for a busy machine would be left. */
export async function startSentinel(
  t: Test,
  password?: string,
): Promise<{ readonly settings: RedisSettings; readonly master: RedisServer; readonly replica: RedisServer }> {
  const secret = password === undefined ? {} : { password };
  const auth = password === undefined ? [] : [`masterauth ${password}`];
  const master = await startRedis(t, { ...secret, conf: auth });
  const replica = await startRedis(t, { ...secret, conf: [`replicaof 127.0.0.1 ${master.port}`, ...auth] });
  await eventually(async () => (await replica.admin.info('replication')).includes('master_link_status:up'), 'replica');
  const dir = temporaryDirectory(t);
  const port = await freePort();
  writeFileSync(
    join(dir, 'redis.conf'),
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${dir}`,
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      ...(password === undefined ? [] : [`sentinel auth-pass main ${password}`]),
      'sentinel down-after-milliseconds main 1500',
      'sentinel failover-timeout main 2000',
    ].join('\n'),
  );
  const child = spawnServer([join(dir, 'redis.conf'), '--sentinel'], dir);
  const admin = adminClient({ port });
  t.teardown(() => stop(child, admin));
  await answering(admin, child);
  await eventually(async () => {
    const replicas = (await admin.call('sentinel', 'replicas', 'main')) as unknown[];
    return replicas.length === 1;
  }, 'Sentinel to find the replica');
  const settings: RedisSettings = {
    ...redisAt(''),
    url: null,
    sentinel: { name: 'main', urls: [`redis://127.0.0.1:${port}`] },
    password: password ?? null,
  };
  return { settings, master, replica };
}

/** A Cluster of masters without replicas that share all slots. */
export async function startCluster(
  t: Test,
  size = 3,
): Promise<{
  readonly settings: RedisSettings;
  readonly nodes: readonly RedisServer[];
  /** Moves the slot of a key to the next node, which is returned. */
  moveSlotOf(key: string): Promise<RedisServer>;
}> {
  const conf = ['cluster-enabled yes', 'cluster-node-timeout 15000'];
  const nodes = await Promise.all(Array.from({ length: size }, () => startRedis(t, { conf })));
  const [first, ...others] = nodes as [RedisServer, ...RedisServer[]];
  await Promise.all(
    nodes.map((node, i) =>
      node.admin.call(
        'cluster',
        'addslotsrange',
        Math.floor((16_384 * i) / size),
        Math.floor((16_384 * (i + 1)) / size) - 1,
      ),
    ),
  );
  await Promise.all(nodes.map((node, i) => node.admin.call('cluster', 'set-config-epoch', i + 1)));
  for (const node of others) await first.admin.call('cluster', 'meet', '127.0.0.1', node.port);
  await Promise.all(
    nodes.map((node) =>
      eventually(async () => {
        const info = String(await node.admin.call('cluster', 'info'));
        return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${size}`);
      }, 'the Cluster to form'),
    ),
  );
  const settings = { ...redisAt(''), url: null, cluster: nodes.map((node) => node.url) };
  const owners = new Map<number, number>();
  const moveSlotOf = async (key: string): Promise<RedisServer> => {
    const slot = Number(await first.admin.call('cluster', 'keyslot', key));
    const from = owners.get(slot) ?? Math.floor((slot * size) / 16_384);
    const to = (from + 1) % size;
    await moveSlot(nodes, slot, from, to);
    owners.set(slot, to);
    return nodes[to] as RedisServer;
  };
  return { settings, nodes, moveSlotOf };
}

async function moveSlot(nodes: readonly RedisServer[], slot: number, from: number, to: number): Promise<void> {
  const ids = await Promise.all(nodes.map(async (node) => String(await node.admin.call('cluster', 'myid'))));
  const source = nodes[from] as RedisServer;
  const target = nodes[to] as RedisServer;
  await target.admin.call('cluster', 'setslot', slot, 'importing', ids[from] as string);
  await source.admin.call('cluster', 'setslot', slot, 'migrating', ids[to] as string);
  const keys = (await source.admin.call('cluster', 'getkeysinslot', slot, 100)) as string[];
  if (keys.length > 0) await source.admin.call('migrate', '127.0.0.1', target.port, '', 0, 5000, 'keys', ...keys);
  await target.admin.call('cluster', 'setslot', slot, 'node', ids[to] as string);
  await source.admin.call('cluster', 'setslot', slot, 'node', ids[to] as string);
  for (const node of nodes) await node.admin.call('cluster', 'setslot', slot, 'node', ids[to] as string);
}

async function startOn(t: Test, port: number, dir: string, options: RedisServerOptions): Promise<RedisServer> {
  const { password, tls = false, conf = [] } = options;
  const fixture = (name: string): string => resolve('test/fixtures/redis-tls', name);
  writeFileSync(
    join(dir, 'redis.conf'),
    [
      ...(tls
        ? [
            'port 0',
            `tls-port ${port}`,
            `tls-cert-file ${fixture('server.pem')}`,
            `tls-key-file ${fixture('server-key.pem')}`,
            `tls-ca-cert-file ${REDIS_CA_FILE}`,
            'tls-auth-clients no',
          ]
        : [`port ${port}`]),
      'bind 127.0.0.1',
      `dir ${dir}`,
      'save ""',
      'repl-diskless-sync-delay 0',
      ...(password === undefined ? [] : [`requirepass ${password}`]),
      ...conf,
    ].join('\n'),
  );
  const admin = adminClient({
    port,
    ...(password !== undefined && { password }),
    ...(tls && { tls: { rejectUnauthorized: false } }),
  });
  let child = spawnServer([join(dir, 'redis.conf')], dir);
  t.teardown(() => stop(child, admin));
  await answering(admin, child);
  return {
    port,
    url: `${tls ? 'rediss' : 'redis'}://${password === undefined ? '' : `:${password}@`}127.0.0.1:${port}`,
    admin,
    async kill() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
    async restart(meanwhile) {
      if (meanwhile !== undefined) await changeApart(dir, meanwhile);
      child = spawnServer([join(dir, 'redis.conf')], dir);
      await answering(admin, child);
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}

/** Runs the server that this directory belongs to on a socket file that nobody else knows. */
async function changeApart(dir: string, change: (admin: Redis) => Promise<unknown>): Promise<void> {
  const path = join(dir, 'apart.sock');
  const child = spawnServer([join(dir, 'redis.conf'), '--port', '0', '--unixsocket', path], dir);
  const admin = adminClient({ path });
  try {
    await answering(admin, child);
    await change(admin);
  } finally {
    await stop(child, admin);
  }
}

function temporaryDirectory(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'postern-redis-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function spawnServer(args: readonly string[], cwd: string): ChildProcess {
  return spawn(requireTool('redis-server', 'redis-server'), args, { cwd, stdio: 'ignore' });
}

function adminClient(options: ClientOptions): Redis {
  const admin = new Redis({
    host: '127.0.0.1',
    protocol: 2,
    maxRetriesPerRequest: null,
    retryStrategy: () => 20,
    ...options,
  });
  admin.on('error', () => undefined);
  return admin;
}

async function answering(admin: Redis, child: ChildProcess): Promise<void> {
  const gone = Promise.race([once(child, 'exit'), once(child, 'error')]).then(() => {
    throw new Error('redis-server did not start');
  });
  try {
    await Promise.race([admin.ping(), gone]);
  } finally {
    gone.catch(() => undefined);
  }
}

async function stop(child: ChildProcess, admin: Redis): Promise<void> {
  admin.disconnect();
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGCONT');
  child.kill('SIGKILL');
  await ended;
}
