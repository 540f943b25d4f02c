/**
 * Turns the configuration of an API into the rules that requests are judged by, once, when the configuration is loaded.
 * The configuration is valid already; nothing is checked again here.
 */
import { METRICS_API } from '../config/api-names.ts';
import type { AddressEntry } from '../config/address-entries.ts';
import type { ApiConfig } from '../config/apis-schema.ts';
import type { Config } from '../config/schema.ts';
import { presetOf } from '../config/presets.ts';
import { compileAllowRule, compileDenyRule, type WrittenEntry } from '../keys/address-rule.ts';
import { foldPath } from '../lib/path-reading.ts';
import { compileApiChoice } from './api-choice.ts';
import { compileAuthorization, compileLocation } from './compile-credential.ts';
import { compileRoutes } from './route.ts';
import type { ApiName, ApiRules, Ruleset } from './ruleset.ts';
import { compileTrustedProxies } from './trusted-proxies.ts';

/** The rules of a configuration, without the keys, which come from elsewhere and change on their own. */
export function compileRules(config: Config): Omit<Ruleset, 'keys' | 'ready'> {
  const apis = Object.entries(config.apis).map(([name, api]) => ({ rules: compileApi(name, api), paths: api.paths }));
  const rules = apis.map((api) => api.rules);
  return {
    trustedProxies: compileTrustedProxies(config.listen.trustedProxies),
    denyFrom: compileDenyRule(config.listen.denyFrom.map(entryOf)),
    pathQuirks: new Set(config.listen.allowPathQuirks),
    apis: rules,
    choice: compileApiChoice(apis),
    idleTimeoutMs: Math.min(...rules.map(({ idleTimeoutMs }) => idleTimeoutMs)),
  };
}

function compileApi(name: ApiName, api: ApiConfig): ApiRules {
  const credential = api.credential.map(compileLocation);
  const router = compileRoutes(
    api.routes ?? (api.preset === null ? [] : presetOf(api.preset).routes),
    credential.flatMap((location) => (location.kind === 'query' ? [location.name] : [])),
    credential.flatMap((location) => (location.kind === 'body' && !location.name.includes('/') ? [location.name] : [])),
  );
  return {
    name,
    hosts: api.hosts.length === 0 ? null : new Set(api.hosts.map((host) => host.toLowerCase())),
    allowFrom: compileAllowRule(api.allowFrom === 'anywhere' ? api.allowFrom : api.allowFrom.map(entryOf)),
    denyFrom: compileDenyRule(api.denyFrom.map(entryOf)),
    router,
    credential,
    credentialFields: credential.flatMap((location) => (location.kind === 'header' ? [location.name] : [])),
    looksIntoBody: credential.some(({ kind }) => kind === 'body'),
    authorization: compileAuthorization(api.authorization, api.credential),
    cors: {
      allowedHeaders: new Set(api.cors.allowedHeaders.map((header) => header.toLowerCase())),
      maxAgeSeconds: api.cors.maxAgeSeconds,
      allowCredentials: api.cors.allowCredentials,
    },
    refusalForm: api.preset !== null && presetOf(api.preset).readsStatusInCode ? 'amplitude' : 'problem',
    enforcement: api.enforcement,
    unlisted: api.unlisted,
    maxBodyBytes: api.maxBodyBytes,
    idleTimeoutMs: Math.round(api.idleTimeoutSeconds * 1000),
    caches: name === METRICS_API || router.routes.some(({ cacheMs }) => cacheMs !== null),
    tokenPath: api.token === null ? null : foldPath(api.token.path),
    publishesKeys: api.token !== null && api.token.privateKeyFile !== null,
  };
}

const entryOf = (entry: AddressEntry): WrittenEntry => (typeof entry === 'string' ? { address: entry } : entry);
