/**
 * What requests are judged by at this moment: one pointer to an immutable ruleset, replaced whole when the configuration or
 * the keys change, and the connections to the backends that belong to it. A request takes the pointer once.
 */
import type { ApiConfig } from './config/apis-schema.ts';
import type { Config } from './config/schema.ts';
import { readFileSync } from 'node:fs';
import type { KeySnapshot } from './keys/key.ts';
import { EMPTY_SNAPSHOT } from './keys/snapshot.ts';
import { compileRules } from './policy/compile-rules.ts';
import type { ApiName, ApiRules, Ruleset } from './policy/ruleset.ts';
import type { MetricsService, MetricsServices } from './metrics-api/metrics-service.ts';
import { createUpstream, type Upstream, type UpstreamSettings } from './upstream/pool.ts';

export interface CurrentRules {
  readonly rules: () => Ruleset;
  readonly keys: () => KeySnapshot | null;
  /** The same list until the configuration changes. */
  readonly apiNames: () => readonly ApiName[];
  readonly upstreamOf: (api: ApiRules) => Upstream;
  /** The tokens and the cache that belong to the rules of the metrics API. */
  readonly metricsOf: (api: ApiRules) => MetricsService;
  /** Replaces everything but the keys. Throws, and changes nothing, when a file that it names cannot be read. */
  readonly applyConfig: (config: Config) => void;
  readonly applyKeys: (keys: KeySnapshot) => void;
  /** Closes the connections to the backends once nothing is under way on them. */
  readonly close: () => Promise<void>;
}

interface OpenUpstream {
  /** The settings as text: equal text, equal connections. */
  readonly settings: string;
  readonly upstream: Upstream;
}

/** Throws when a file that the configuration names cannot be read or used. */
export function createCurrentRules(config: Config, metricsServices: MetricsServices): CurrentRules {
  let compiled = compileRules(config);
  let keys: KeySnapshot | null = null;
  let names = compiled.apis.map(({ name }) => name);
  let rules: Ruleset = { ...compiled, ready: false, keys: EMPTY_SNAPSHOT };
  let open = openUpstreams(config, new Map());
  // A request admitted under the last ruleset still finds the connections that belong to it.
  const upstreams = new WeakMap<ApiRules, Upstream>();
  const services = new WeakMap<ApiRules, MetricsService>();

  function serve({ apis }: Config): void {
    for (const api of compiled.apis) {
      const written = apis[api.name] as ApiConfig;
      if (written.token !== null || written.cache !== null) services.set(api, metricsServices.configure(written));
    }
  }

  function publish(): void {
    for (const api of compiled.apis) upstreams.set(api, (open.get(api.name) as OpenUpstream).upstream);
    rules = { ...compiled, ready: keys !== null, keys: keys ?? EMPTY_SNAPSHOT };
  }

  serve(config);
  publish();
  return {
    rules: () => rules,
    keys: () => keys,
    apiNames: () => names,
    upstreamOf: (api) => upstreams.get(api) as Upstream,
    metricsOf: (api) => services.get(api) as MetricsService,
    applyConfig: (next) => {
      const opened = openUpstreams(next, open);
      const before = compiled;
      compiled = compileRules(next);
      try {
        serve(next);
      } catch (error) {
        compiled = before;
        throw error;
      }
      const kept = new Set([...opened.values()].map(({ upstream }) => upstream));
      const replaced = [...open.values()].filter(({ upstream }) => !kept.has(upstream));
      open = opened;
      names = compiled.apis.map(({ name }) => name);
      publish();
      for (const { upstream } of replaced) void upstream.close();
    },
    applyKeys: (next) => {
      keys = next;
      publish();
    },
    close: async () => {
      await Promise.all([...open.values()].map(({ upstream }) => upstream.close()));
    },
  };
}

/** Connections whose settings did not change are kept: a reload costs no backend a reconnect. */
function openUpstreams(config: Config, open: ReadonlyMap<ApiName, OpenUpstream>): Map<ApiName, OpenUpstream> {
  const next = new Map<ApiName, OpenUpstream>();
  for (const [name, api] of Object.entries(config.apis)) {
    const wanted = settingsOf(api);
    const settings = JSON.stringify(wanted);
    const known = open.get(name);
    next.set(name, known?.settings === settings ? known : { settings, upstream: createUpstream(wanted) });
  }
  return next;
}

function settingsOf(api: ApiConfig): UpstreamSettings {
  const { connectTimeoutSeconds, timeoutSeconds, idleTimeoutSeconds, preserveHost, tls } = api;
  const { maxConnections, maxConnectionsPerKey, keepAliveSeconds } = api;
  return {
    url: api.upstream,
    connectTimeoutSeconds,
    timeoutSeconds,
    idleTimeoutSeconds,
    maxConnections,
    maxConnectionsPerKey,
    keepAliveSeconds,
    preserveHost,
    tls: {
      ca: pemOf(tls.caFile),
      insecureSkipVerify: tls.insecureSkipVerify,
      serverName: tls.serverName,
      cert: pemOf(tls.certFile),
      key: pemOf(tls.keyFile),
    },
  };
}

/** The content belongs to the settings, and not the name: a renewed certificate has connections of its own. */
const pemOf = (file: string | null): string | null => (file === null ? null : readFileSync(file, 'utf8'));
