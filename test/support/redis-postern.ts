/**
 * Whole sidecars that keep keys, limits and cached answers in one Redis, and clients that go on asking whatever happens to it.
 */
import { Agent, request } from 'node:http';
import type { Test } from 'tap';
import { startBackend, type Backend } from './backend.ts';
import { startPostern, type Postern } from './postern.ts';
import { changeKeys, definitionOf, digest } from './redis-keys.ts';
import { eventually } from './eventually.ts';
import { type RedisServer } from './redis.ts';

export const CLIENT_SECRET = 'client-secret-of-the-dashboard';
export const API_KEY = 'environment-api-key-of-the-dashboard';

/** Definitions by id: what a back end, a limited client and a dashboard need. */
export const SHARED_KEYS: Readonly<Record<string, string>> = {
  server: definitionOf('server'),
  limited: definitionOf('limited', { rateLimit: { requests: 100_000, windowSeconds: 60 } }),
  dashboard: JSON.stringify({
    type: 'metrics',
    apiKey: `sha256:${digest(API_KEY)}`,
    secrets: [{ hash: `sha256:${digest(CLIENT_SECRET)}` }],
  }),
};

/** Writes them as any writer does. */
export const writeSharedKeys = (redis: Pick<RedisServer, 'admin'>, prefix = 'postern:'): Promise<void> =>
  changeKeys(redis.admin, { set: SHARED_KEYS, prefix });

/** A backend that numbers its answers, so that the same number twice came from a cache. */
export function startNumberingBackend(t: Test): Promise<Backend> {
  let answered = 0;
  return startBackend(
    t,
    (_req, res) => void res.writeHead(200, { 'content-type': 'application/json' }).end(`{"answer":${++answered}}`),
  );
}

export interface Replica extends Postern {
  /** The status that a back end with this secret gets. */
  readonly statusOf: (secret: string) => Promise<number>;
  readonly obtainToken: () => Promise<string>;
  readonly query: (token: string, body: string) => Promise<Response>;
  /** What probes and a scrape say. */
  readonly told: () => Promise<{ readonly ready: number; readonly alive: number; readonly up: number }>;
  readonly sourceUp: (up: 0 | 1, withinMs?: number) => Promise<unknown>;
}

type ReplicaParts = readonly [t: Test, upstream: string, redis: object, more?: Record<string, unknown>];

/** `redis`: that section of the configuration. It has its keys when this resolves. */
export async function startReplica(...parts: ReplicaParts): Promise<Replica> {
  const replica = await beginReplica(...parts);
  await replica.ready();
  return replica;
}

/** The same, without waiting for keys. */
export async function beginReplica(...[t, upstream, redis, more = {}]: ReplicaParts): Promise<Replica> {
  const postern = await startPostern(t, {
    config: {
      apis: {
        integration: { upstream },
        metrics: { upstream, token: { secret: 't'.repeat(32) }, cache: { store: 'redis' } },
      },
      keys: { source: 'redis' },
      redis,
      rateLimit: { store: 'redis' },
      ...more,
    },
    keys: [],
  });
  const post = (path: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(postern.url + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
  const statusAt = async (path: string): Promise<number> => (await fetch(postern.adminUrl + path)).status;
  const sourceUp = (): Promise<number> => postern.metric('postern_key_source_up');
  return {
    ...postern,
    statusOf: async (secret) =>
      (await fetch(`${postern.url}/profile/u1`, { headers: { authorization: `Bearer ${secret}` } })).status,
    obtainToken: async () => {
      const pair = JSON.stringify({ clientSecret: CLIENT_SECRET, environmentApiKey: API_KEY });
      return ((await (await post('/metrics/auth/token', pair)).json()) as { accessToken: string }).accessToken;
    },
    query: (token, body) => post('/metrics/query', body, { authorization: `Bearer ${token}` }),
    told: async () => ({ ready: await statusAt('/readyz'), alive: await statusAt('/healthz'), up: await sourceUp() }),
    sourceUp: (up, withinMs) =>
      eventually(async () => (await sourceUp()) === up, `the key source to be ${up}`, withinMs),
  };
}

export interface Load {
  /**
   * Resolves with each status but 200 and each broken connection, when the last request has its answer: the load goes on
   * until it has asked everything that it knows to ask.
   */
  readonly stop: () => Promise<readonly string[]>;
}

const EVERY_MS = 5;
const QUERIES = 90;
const ENOUGH = QUERIES * 3;

/** Sends 200 requests a second: plain ones, limited ones, and queries of which some repeat. */
export function startLoad({ port }: Pick<Postern, 'port'>, token: string): Load {
  const agent = new Agent({ keepAlive: true });
  const failures: string[] = [];
  const answers: Promise<void>[] = [];
  const send = (n: number): Promise<void> =>
    new Promise((resolve) => {
      const failed = (why: string): void => (failures.push(why), resolve());
      const metrics = n % 3 === 2;
      const secret = metrics ? token : n % 3 === 1 ? 'secret-of-limited' : 'secret-of-server';
      const [method, path] = metrics ? ['POST', '/metrics/query'] : ['GET', '/profile/u1'];
      const headers = { authorization: `Bearer ${secret}` };
      const req = request({ host: '127.0.0.1', port, agent, method, path, headers }, (res) => {
        res.once('error', (error) => failed(error.message)).once('end', resolve);
        if (res.statusCode !== 200) failures.push(`${method} ${path}: ${res.statusCode}`);
        res.resume();
      });
      req.once('error', (error) => failed(error.message));
      req.end(metrics ? `{"variables":{"n":${n % QUERIES}}}` : undefined);
    });
  const timer = setInterval(() => answers.push(send(answers.length)), EVERY_MS);
  return {
    async stop() {
      await eventually(() => answers.length >= ENOUGH, 'enough requests to be sent');
      clearInterval(timer);
      await Promise.all(answers);
      agent.destroy();
      return failures;
    },
  };
}
