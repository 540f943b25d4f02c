/**
 * What requests are judged by at this moment: one pointer to an immutable ruleset, replaced whole when the configuration or
 * the keys change, and what belongs to it: connections to backends, access tokens, caches. A request takes the pointer once.
 */
import type { Caches } from './cache/caches.ts';
import type { ResponseCache } from './cache/response-cache.ts';
import type { ApiName } from './config/api-names.ts';
import type { ApiConfig } from './config/apis-schema.ts';
import type { Config } from './config/schema.ts';
import { tlsOfApi } from './config/tls-files.ts';
import type { KeySnapshot } from './keys/key.ts';
import { EMPTY_SNAPSHOT } from './keys/snapshot.ts';
import type { TlsTexts } from './lib/certificate.ts';
import { compileRules } from './policy/compile-rules.ts';
import type { CompiledRoute, RouteMatch } from './policy/route.ts';
import type { ApiRules, Ruleset } from './policy/ruleset.ts';
import { keySetOf, type ApiTokens, type Tokens } from './tokens/tokens.ts';
import { createUpstream, type Upstream, type UpstreamSettings } from './upstream/pool.ts';

export interface CurrentRules {
  readonly rules: () => Ruleset;
  readonly keys: () => KeySnapshot | null;
  /** The same list until the configuration changes. */
  readonly apiNames: () => readonly ApiName[];
  /** The connections to the backend of an API, or of a route that has its own. */
  readonly upstreamOf: (place: { readonly api: ApiRules; readonly route: RouteMatch | null }) => Upstream;
  /** Of an API that has tokens. */
  readonly tokensOf: (api: ApiRules) => ApiTokens;
  /** Of an API whose answers may be kept. */
  readonly cacheOf: (api: ApiRules) => ResponseCache;
  /** The public keys of all APIs, as JSON. */
  readonly keySet: () => string;
  /** Replaces everything but the keys. Throws, and changes nothing, when a file that it names cannot be read. */
  readonly applyConfig: (config: Config, tlsOf: TlsOf) => void;
  readonly applyKeys: (keys: KeySnapshot) => void;
  /** Closes the connections to the backends once nothing is under way on them. */
  readonly close: () => Promise<void>;
}

export interface CurrentRulesParts {
  readonly tokens: Tokens;
  readonly caches: Caches;
}

/** What the files of a section `tls` hold, by the name of its place. */
export type TlsOf = (place: string) => TlsTexts;

/** Connections by their settings: equal text, equal connections. */
type Open = Map<string, Upstream>;

/** Throws when a file that the configuration names cannot be read or used. */
export function createCurrentRules(config: Config, tlsOf: TlsOf, parts: CurrentRulesParts): CurrentRules {
  let compiled = compileRules(config);
  let keys: KeySnapshot | null = null;
  let rules: Ruleset = { ...compiled, ready: false, keys: EMPTY_SNAPSHOT };
  let names: readonly ApiName[] = [];
  let keySet = '';
  let open: Open = new Map();
  // A request admitted under the last ruleset still finds what belongs to it.
  const upstreams = new WeakMap<ApiRules | CompiledRoute, Upstream>();
  const tokens = new WeakMap<ApiRules, ApiTokens>();
  const caches = new WeakMap<ApiRules, ResponseCache>();

  /** Everything that can fail comes first: the files that are named here. */
  function put(next: ReturnType<typeof compileRules>, { apis }: Config, tlsTextsOf: TlsOf): void {
    const written = next.apis.map((api) => ({ api, config: apis[api.name] as ApiConfig }));
    const settings = written.map((one) =>
      settingsOf(one.config, tlsTextsOf(tlsOfApi(one.api.name, one.config.tls).name)),
    );
    const services = written.flatMap(({ api, config: { token } }) =>
      token === null ? [] : [{ api, ...parts.tokens.configure(api.name, token) }],
    );
    const opened: Open = new Map();
    const connect = (name: ApiName, wanted: UpstreamSettings): Upstream => {
      const text = JSON.stringify([name, wanted]);
      const upstream = opened.get(text) ?? open.get(text) ?? createUpstream(wanted);
      opened.set(text, upstream);
      return upstream;
    };
    next.apis.forEach((api, n) => {
      const base = settings[n] as UpstreamSettings;
      upstreams.set(api, connect(api.name, base));
      for (const route of api.router.routes)
        if (hasOwnUpstream(route)) upstreams.set(route, connect(api.name, settingsOfRoute(route, base)));
    });
    const kept = parts.caches.configure(
      written.filter(({ api }) => api.caches).map(({ config, api: { name } }) => [name, config]),
    );
    for (const { api, service, endpoint } of services) tokens.set(api, { service, endpoint });
    for (const api of next.apis) if (kept.has(api.name)) caches.set(api, kept.get(api.name) as ResponseCache);
    keySet = keySetOf(services.map(({ service }) => service));
    names = next.apis.map(({ name }) => name);
    for (const [text, upstream] of open) if (!opened.has(text)) void upstream.close();
    [compiled, open] = [next, opened];
  }

  const publish = (): void => {
    rules = { ...compiled, ready: keys !== null, keys: keys ?? EMPTY_SNAPSHOT };
  };

  put(compiled, config, tlsOf);
  return {
    rules: () => rules,
    keys: () => keys,
    apiNames: () => names,
    upstreamOf: ({ api, route }) => {
      const own = route !== null && hasOwnUpstream(route.route) ? upstreams.get(route.route) : undefined;
      return own ?? (upstreams.get(api) as Upstream);
    },
    tokensOf: (api) => tokens.get(api) as ApiTokens,
    cacheOf: (api) => caches.get(api) as ResponseCache,
    keySet: () => keySet,
    applyConfig: (next, tlsTextsOf) => {
      put(compileRules(next), next, tlsTextsOf);
      publish();
    },
    applyKeys: (next) => {
      keys = next;
      publish();
    },
    close: async () => {
      await Promise.all([...open.values()].map((upstream) => upstream.close()));
    },
  };
}

/** Whether a route says anything of its connections that its API does not. */
const hasOwnUpstream = ({ upstream, timeoutMs, idleTimeoutMs }: CompiledRoute): boolean =>
  upstream !== null || timeoutMs !== null || idleTimeoutMs !== null;

/** The content belongs to the settings, and not the names of files: a renewed certificate has connections of its own. */
function settingsOf(api: ApiConfig, texts: TlsTexts): UpstreamSettings {
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
    tls: { ...texts, insecureSkipVerify: tls.insecureSkipVerify, serverName: tls.serverName },
  };
}

const settingsOfRoute = (
  { upstream, timeoutMs, idleTimeoutMs }: CompiledRoute,
  api: UpstreamSettings,
): UpstreamSettings => ({
  ...api,
  url: upstream ?? api.url,
  // The name is that of the API's backend.
  tls: upstream === null ? api.tls : { ...api.tls, serverName: null },
  timeoutSeconds: timeoutMs === null ? api.timeoutSeconds : timeoutMs / 1000,
  idleTimeoutSeconds: idleTimeoutMs === null ? api.idleTimeoutSeconds : idleTimeoutMs / 1000,
});
