/**
 * One Postern under soak, with its backend and its clients: lets them run, brings everything to rest, and then counts what is
 * left. At rest nothing is under way, every pool of an earlier configuration is closed, and only the lasting connections are open.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { portsOf, spawnPostern } from './process.ts';
import { eventually } from './eventually.ts';
import { startSoakBackend, type SoakBackend } from './soak-backend.ts';
import { ask, bearer, startTraffic, type Traffic } from './soak-traffic.ts';

export interface Subject {
  readonly name: string;
  readonly backend: SoakBackend;
  readonly traffic: Traffic;
  readonly reload: () => void;
  /** How the process ended, if it has, and its last words; null: it lives. */
  readonly end: () => string | null;
  /**
   * Counts by what is counted. What ought to be nothing at rest and is not comes as a complaint. `windowMs`: after that long a
   * rate limit remembers nothing of the traffic.
   */
  readonly atRest: (
    windowMs: number,
  ) => Promise<{ readonly counts: Readonly<Record<string, number>>; readonly complaints: string[] }>;
  /** Complains unless exactly as many requests can be under way as are allowed. */
  readonly checkLimit: () => Promise<readonly string[]>;
}

export interface SubjectOptions {
  readonly name: string;
  /** The compiled `main.js`; left out: that of the build. */
  readonly entry?: string | undefined;
  readonly keys: readonly Record<string, unknown>[];
  /** What the configuration has besides listeners and APIs. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly cacheStore: 'memory' | 'redis';
}

interface Owner {
  readonly teardown: (dispose: () => unknown) => void;
}

const ADMIN_TOKEN = 'the-admin-token-of-the-soak';
/** More than the clients of the traffic have under way, and few enough to be filled. */
const MOST_IN_FLIGHT = 80;
/** Of two APIs one has three quarters of it. */
const ROOM_OF_ONE_API = 60;
const PROBE = ['--expose-gc', '--import=./.build/test/support/soak-probe.js'];
/** How long connections and counts may take to come to nothing: less than an idle connection is kept. */
const REST_MS = 15_000;

export async function startSubject(owner: Owner, options: SubjectOptions): Promise<Subject> {
  const { name, entry } = options;
  const backend = await startSoakBackend(owner);
  const config = (reload: number): Record<string, unknown> => configOf(options, backend.url, reload);
  const postern = spawnPostern(owner, { config: config(0), keys: options.keys, node: PROBE, entry });
  const { data, admin } = await portsOf(postern);
  const { child } = postern;
  // What is written is not needed, and would grow here.
  child.stdout?.removeAllListeners('data').resume();
  const traffic = startTraffic(data, backend.isFlapping);
  owner.teardown(traffic.close);
  let reloads = 0;
  const reload = (): void => {
    writeFileSync(postern.configFile, stringify(config(++reloads)));
    child.kill('SIGHUP');
  };
  const parts: Parts = { name, backend, traffic, data, admin, child, reload };
  return {
    name,
    backend,
    traffic,
    reload,
    end: () =>
      child.exitCode === null && child.signalCode === null
        ? null
        : `the process ended (${child.signalCode ?? child.exitCode}) ${postern.stderr().slice(-500)}`,
    atRest: (windowMs) => bringToRest(parts, windowMs),
    checkLimit: () => checkLimit(parts),
  };
}

interface Parts extends Pick<Subject, 'name' | 'backend' | 'traffic' | 'reload'> {
  readonly data: number;
  readonly admin: number;
  readonly child: ChildProcess;
}

async function bringToRest(parts: Parts, windowMs: number): ReturnType<Subject['atRest']> {
  const { name, backend, traffic, admin, child } = parts;
  const complaints: string[] = [];
  const shouldBeNothing = async (what: string, of: () => Promise<number>): Promise<void> => {
    await eventually(async () => (await of()) === 0, what, REST_MS).catch(async () => {
      complaints.push(`${name}: ${await of()} ${what}`);
    });
  };
  await eventually(() => !backend.isFlapping(), 'the backend is back');
  await traffic.touch();
  await reloaded(parts);
  await shouldBeNothing('connections of replaced pools stay open', backend.connections);
  await shouldBeNothing('requests are counted in flight while there is none', () =>
    gauge(admin, 'postern_requests_in_flight'),
  );
  // What is remembered for a while is let go when the next asks.
  await pause(windowMs);
  await traffic.touch();
  await fetch(`http://127.0.0.1:${admin}/api/cache/purge`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, connection: 'close' },
  });
  backend.closeIdle();
  await eventually(async () => (await backend.connections()) === 0, 'no connection to the backend is left');
  child.send('count');
  const [counts] = (await once(child, 'message')) as [Record<string, number>];
  const descriptors = readdirSync(`/proc/${child.pid}/fd`).length;
  return { counts: { ...counts, 'file descriptors': descriptors }, complaints };
}

async function reloaded({ admin, reload }: Parts): Promise<void> {
  const loadedAt = (): Promise<number> => gauge(admin, 'postern_config_last_reload_timestamp_seconds');
  const before = await loadedAt();
  reload();
  await eventually(async () => (await loadedAt()) > before, 'the configuration is loaded again');
}

/** The sum of a metric over all its labels. */
async function gauge(admin: number, metric: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${admin}/metrics`, { headers: { connection: 'close' } });
  const values = [...(await answer.text()).matchAll(new RegExp(`^${metric}(?:{[^}]*})? (\\S+)$`, 'gm'))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

async function checkLimit({ name, backend, data }: Parts): Promise<readonly string[]> {
  const keys = ['server', 'limited'] as const;
  const hold = (n: number): Promise<number> =>
    ask({ port: data }, ['GET', '/profile/hold'], bearer(`secret-of-${keys[n % 2]}`)).catch(() => 0);
  const waiting = Array.from({ length: ROOM_OF_ONE_API }, (_, n) => hold(n));
  const filled = await eventually(() => backend.held() === ROOM_OF_ONE_API, 'all are held', 5000).catch(() => false);
  const reached = backend.held();
  const oneMore = filled ? await Promise.race([hold(0), pause(REST_MS).then(() => 0)]) : 503;
  backend.release();
  const statuses = await Promise.all(waiting);
  const told = [...new Set(statuses)].join(', ');
  if (!filled) return [`${name}: ${reached} of ${ROOM_OF_ONE_API} requests could be under way (${told})`];
  return oneMore === 503 ? [] : [`${name}: more than ${ROOM_OF_ONE_API} requests could be under way`];
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function configOf({ config, cacheStore }: SubjectOptions, upstream: string, reload: number): Record<string, unknown> {
  const maxConnections = 2 * MOST_IN_FLIGHT + (reload % 2);
  // Longer than a rest: a pool that was left open would else let go of its connections by itself.
  const keepAliveSeconds = 300;
  return {
    ...config,
    listen: { host: '127.0.0.1', port: 0, maxRequestsInFlight: MOST_IN_FLIGHT },
    admin: { port: 0, token: ADMIN_TOKEN },
    apis: {
      integration: { upstream, maxConnections, keepAliveSeconds },
      metrics: {
        upstream,
        maxConnections,
        keepAliveSeconds,
        token: { secret: 't'.repeat(32) },
        cache: { store: cacheStore, maxBytes: 4_194_304 },
      },
    },
  };
}
