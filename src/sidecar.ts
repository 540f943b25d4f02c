/**
 * The composition root: builds everything once, in the order in which a request meets it, and takes it down again.
 * Decides nothing of its own; signals and exit codes are commands/serve's.
 */
import type { AddressInfo } from 'node:net';
import { makeAdminPort } from './admin-port.ts';
import type { LoadedConfig } from './config/load.ts';
import type { Config } from './config/schema.ts';
import { createCertificates } from './certificates.ts';
import { tlsPlaces } from './config/tls-files.ts';
import { createCurrentRules } from './current-rules.ts';
import { clientErrorListener } from './data-port/client-error.ts';
import { createKeySource } from './keys/create-source.ts';
import { followNamedLists } from './keys/missing-lists.ts';
import { refuseUnknownLists } from './keys/list-problems.ts';
import type { KeySnapshot } from './keys/key.ts';
import { memoryLimit } from './lib/garbage.ts';
import { endedBy, wait } from './lib/waiting.ts';
import { authenticateByTokenOrSecret } from './tokens/authenticate.ts';
import { createTokens } from './tokens/tokens.ts';
import { createCaches } from './cache/caches.ts';
import { createCacheStore } from './cache/create-store.ts';
import { createHealth } from './observability/health.ts';
import { fallbackLog, type Log } from './observability/log.ts';
import { createMetrics } from './observability/prometheus.ts';
import { createReporting } from './observability/reporting.ts';
import { authenticateBySecret } from './policy/authenticate.ts';
import { createRateLimits } from './rate-store/create-store.ts';
import { createReloader, followChanges, statusOfFiles } from './reload.ts';
import { recordBrokenRequests } from './request/broken-requests.ts';
import { connectionOf } from './request/connection.ts';
import { createEnding } from './request/ending.ts';
import { createGateway, type Clock } from './request/gateway.ts';
import { createInFlight } from './request/in-flight.ts';
import { startObserving } from './request/observing.ts';
import type { World } from './request/send.ts';
import { closeInTime, makeDataPort, openConnections, openPort, readProxyHeaders } from './listeners.ts';
import { startKeys } from './start-keys.ts';
import { startTracing } from './telemetry/start-tracing.ts';

export interface SidecarOptions {
  readonly file: string;
  readonly loaded: LoadedConfig & { readonly config: Config };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Ends a start that is under way: nothing is left open, and the promise rejects with its reason. */
  readonly signal?: AbortSignal;
}

export interface Sidecar {
  /** Of a Unix socket, its path. */
  readonly data: AddressInfo | string;
  readonly admin: AddressInfo;
  /** Reads the configuration and the keys again, as on SIGHUP. */
  readonly reload: () => Promise<void>;
  /** Turns readiness off, lets balancers see it, then lets the requests under way end; resolves when all is closed. */
  readonly drain: (options: { readonly announceMs: number; readonly graceMs: number }) => Promise<void>;
}

/** Starts listening. Rejects, with nothing left open, when a port cannot be bound or a file cannot be read. */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const { file, loaded, env, version, log, clock, signal = new AbortController().signal } = options;
  const { config } = loaded;
  const tokens = createTokens({
    now: clock.now,
    warn: (warning) => log.warn('token_secret_made_at_start', { detail: warning }),
  });
  const caches = createCaches({
    createStore: (settings, onPurged) => {
      const { redis } = config;
      return createCacheStore(settings, { redis, now: clock.now, onPurged, onFallback: fallbackLog(log, 'cache') });
    },
    now: clock.now,
  });
  const certificates = createCertificates(tlsPlaces(config), { log, now: clock.now });
  const current = createCurrentRules(config, certificates.of, { tokens, caches });
  const source = createKeySource(config, { env, now: clock.now, apis: () => Object.keys(running.apis) });
  const health = createHealth(() => current.keys() !== null);
  const reloader = createReloader(config, { file, env, log, now: clock.now, apply, renew });
  const reloadStatus = statusOfFiles(reloader, source, certificates);
  const rate = createRateLimits(config, { now: clock.now, onFallback: fallbackLog(log, 'rate_limit') });
  const observing = startObserving(config, { now: clock.now, log });
  const metrics = createMetrics({
    version,
    node: process.version,
    sources: {
      now: clock.now,
      keys: current.keys,
      apis: current.apiNames,
      keySource: () => source.status(),
      addressLists: () => named.lists(),
      config: reloadStatus,
      cache: caches.stats,
      redisUp: {
        cache: caches.shared,
        rate_limit: () => rate.shared(),
        observe: () => observing?.observer.shared() ?? null,
      },
      certificates: certificates.ofPorts,
      enforcement: () => current.rules().apis,
      connections: () => openConnections(dataPort.server),
      limits: { connections: config.listen.maxConnections, requestsInFlight: config.listen.maxRequestsInFlight },
      signInFailures: () => admin.signInFailures(),
      logLinesDropped: log.dropped,
      observedTruncated: () => observing?.observer.truncated() ?? new Map(),
    },
  });
  const named = followNamedLists({ config: () => running, source, apply: current.applyKeys, log });
  const reporting = createReporting({ metrics, log, logging: config.log, start: clock.now() });
  const draining = (): boolean => health.readiness() === 'draining';
  const inFlight = createInFlight({
    limit: config.listen.maxRequestsInFlight,
    bytesLimit: config.listen.maxBodyBytesInFlight ?? memoryLimit() / 4,
    apis: apisIn(config),
  });
  const dataPort = makeDataPort(config.listen, certificates, log);
  const ending = createEnding({
    record: reporting.record,
    observing,
    draining,
    enter: metrics.enter,
    leave: metrics.leave,
    inFlight,
    now: clock.monotonic,
  });
  const world: World = {
    ending,
    rate,
    observing,
    draining,
    authenticate: (passage) =>
      passage.api.tokenPath === null
        ? authenticateBySecret(passage)
        : authenticateByTokenOrSecret(passage, current.tokensOf(passage.api).service),
    tokensOf: current.tokensOf,
    cacheOf: current.cacheOf,
    keySet: current.keySet,
    upstreamOf: current.upstreamOf,
    openStreamLane: ({ req, res }, then) => dataPort.openStreamLane(req, res, then),
    now: clock.monotonic,
  };
  const tracing = await startTracing({ env, version, log });
  dataPort.serve({
    request: createGateway({ world, rules: current.rules, clock, tracing }),
    clientError: clientErrorListener({
      ...recordBrokenRequests(reporting.record, current.rules, clock),
      openOn: (socket) => connectionOf(socket).open,
      refuse: ending.refuse,
    }),
  });
  const proxyProtocol = readProxyHeaders(dataPort, config.listen, log);
  let running = config;
  const admin = makeAdminPort(config, {
    env,
    log,
    now: clock.now,
    version,
    certificates,
    current,
    source,
    metrics,
    health,
    reporting,
    caches,
    observer: observing?.observer ?? null,
    running: () => running,
    configStatus: statusOfFiles(reloader, null, certificates),
  });

  function takeKeys(keys: KeySnapshot): void {
    named.use(keys);
    admin.keysChanged();
  }

  function apply(next: Config): void {
    admin.prepare(next.admin);
    const wanted = certificates.read(tlsPlaces(next));
    current.applyConfig(next, wanted.of);
    wanted.use();
    inFlight.setApis(apisIn(next));
    // A key file may name an API that is there since, or is not there any more.
    if (Object.keys(next.apis).join() !== Object.keys(running.apis).join()) queueMicrotask(() => void source.reload());
    running = next;
    named.tell();
    admin.admit(next.admin);
    log.setLevel(next.log.level);
    reporting.setLogging(next.log);
  }
  /** The certificates of the ports first: what else fails must not hold them up. */
  function renew(): void {
    const wanted = certificates.read(tlsPlaces(running));
    wanted.use();
    current.applyConfig(running, wanted.of);
  }
  const reloads = followChanges({ files: loaded.files, reloader, reloadKeys: () => source.reload() });

  /** Keys are followed to the end: one that is taken back while requests under way end must not go on working. */
  const closeAll = async (leftMs: () => number): Promise<void> => {
    reloads.close();
    proxyProtocol?.closePending();
    await Promise.all([dataPort.close(), current.close()]);
    rate.close();
    caches.close();
    const traced = tracing?.close(Math.min(leftMs(), TRACES_MS));
    await Promise.all([source.close(), admin.close(), observing?.observer.close(), traced]);
    admin.release();
  };
  /** Whatever does not close by itself is cut at the end of the grace, and what cannot be cut is left. */
  const closeWithin = async (graceMs: number): Promise<void> => {
    const inTime = await closeInTime(dataPort.server, { graceMs, monotonic: clock.monotonic, closeAll });
    if (!inTime) log.warn('stopped_unclosed', { detail: 'not all connections could be closed in time' });
  };
  try {
    const unlessEnded = endedBy(signal);
    await unlessEnded(startKeys({ source, use: takeKeys, log }));
    refuseUnknownLists(loaded.namedLists, source);
    await unlessEnded(openPort('admin', config.admin, admin.listen));
    const data = await unlessEnded(openPort('listen', config.listen, () => dataPort.listen()));
    return {
      data,
      admin: admin.address(),
      reload: reloads.reloadAll,
      drain: async ({ announceMs, graceMs }) => {
        health.drain();
        log.info('draining', { detail: 'readiness is off; requests under way may end' });
        await wait(announceMs);
        await closeWithin(graceMs);
      },
    };
  } catch (error) {
    await closeWithin(0);
    throw error;
  }
}

/** How long a shutdown waits at most for the last spans to be exported. */
const TRACES_MS = 2000;

const apisIn = ({ apis }: Config): number => Object.keys(apis).length;
