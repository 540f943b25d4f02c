/**
 * The only maker of Redis clients: for one server, behind Sentinel, or for a Cluster, and how each of them reconnects, gives up
 * and takes a server for lost. Sends no command.
 */
import type { Cluster, Redis } from 'ioredis';
import { withNamelessNodes } from './redis-cluster.ts';
import type { RedisConnectors } from './redis-connector.ts';
import { redisLibrary } from './redis-library.ts';
import { type ClientOptions, parseRedisUrl, type RedisEndpoint, type RedisSettings } from './redis-settings.ts';
import { backoffMs } from './redis-subscription.ts';

/** A server that says nothing for this long while an answer is due is lost. */
const SILENCE_MS = 2500;
export const CONNECT_MS = 2500;
const DEMOTED_EVERY_MS = 5000;

function commonOptions(name: string): ClientOptions {
  return {
    connectionName: name,
    // What library it is helps nobody, and would be one more right, of a name that older servers do not know.
    disableClientInfo: true,
    // RESP2 throughout: `HELLO` would put the password among the arguments that old servers repeat in their error.
    protocol: 2,
    connectTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    disconnectTimeout: 500,
    // 0: what was under way when a connection broke fails at once instead of being sent again.
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
    maxLoadingRetryTime: 250,
    keepAlive: 10_000,
  };
}

export const seedsOf = ({ cluster }: RedisSettings): RedisEndpoint[] =>
  (cluster ?? []).map((url) => parseRedisUrl(url));

interface ClientInput {
  readonly settings: RedisSettings;
  /** How the server, or each node of a Cluster, is connected to. */
  readonly ends: ClientOptions;
  readonly connectors: RedisConnectors;
  /** As in `CLIENT LIST`, and whether a read-only answer means that the server was demoted. */
  readonly options: { readonly name: string; readonly writes?: boolean };
}

export function makeClient({ settings, ends, connectors, options }: ClientInput): Redis | Cluster {
  const { name, writes = false } = options;
  if (settings.cluster) return makeCluster(seedsOf(settings), { ends, name, dnsLookup: connectors.dnsLookup });
  let leftAt = 0;
  const leaveDemoted = (error: Error): boolean => {
    if (!error.message.startsWith('READONLY') || Date.now() - leftAt < DEMOTED_EVERY_MS) return false;
    leftAt = Date.now();
    return true;
  };
  const { Redis: Client } = redisLibrary();
  return new Client({
    ...commonOptions(name),
    ...ends,
    enableOfflineQueue: false,
    retryStrategy: backoffMs,
    ...(settings.sentinel && { sentinelRetryStrategy: backoffMs, failoverDetector: true }),
    ...(writes && { reconnectOnError: leaveDemoted }),
  });
}

/** A client for one channel that gives up with its connection; a new one is then made. */
export function makeSubscriber(
  settings: RedisSettings,
  ends: ClientOptions,
  name: string,
  client: Redis | Cluster,
): Redis {
  const own: ClientOptions = { ...commonOptions(`${name}-subscriber`), retryStrategy: () => null };
  const { Redis: Client } = redisLibrary();
  if (client instanceof Client) return new Client({ ...own, ...ends, sentinelRetryStrategy: () => null });
  const known = client.nodes().map(({ options }) => ({ host: options.host, port: options.port }));
  const nodes = [...known, ...seedsOf(settings)];
  const { host = '127.0.0.1', port = 6379 } = nodes[Math.floor(Math.random() * nodes.length)] ?? {};
  return new Client({ ...own, ...ends, host, port });
}

interface ClusterInput {
  readonly ends: ClientOptions;
  readonly name: string;
  readonly dnsLookup: RedisConnectors['dnsLookup'];
}

function makeCluster(seeds: readonly RedisEndpoint[], { ends, name, dnsLookup }: ClusterInput): Cluster {
  const { Cluster: Client } = redisLibrary();
  return withNamelessNodes(
    new Client(
      seeds.map(({ host, port }) => ({ host, port })),
      {
        enableOfflineQueue: false,
        dnsLookup,
        clusterRetryStrategy: backoffMs,
        slotsRefreshTimeout: SILENCE_MS,
        slotsRefreshInterval: 5000,
        // A move is followed by redirections; a dead node is given up within a second.
        maxRedirections: 8,
        redisOptions: { ...commonOptions(name), ...ends },
      },
    ),
  );
}
