/**
 * Turns the configuration of an API into the rules that requests are judged by, once, when the configuration is loaded.
 * The configuration is valid already; nothing is checked again here.
 */
import type { Config, IntegrationApiConfig, MetricsApiConfig } from '../config/schema.ts';
import { presetRoutes } from '../config/presets.ts';
import { compileAddressSet, parseCidr, type Cidr } from '../lib/cidr.ts';
import { compileAuthorization, compileLocation } from './compile-credential.ts';
import { compileRoutes } from './route.ts';
import type { ApiName, ApiRules, Ruleset } from './ruleset.ts';

/** The rules of a configuration, without the keys, which come from elsewhere and change on their own. */
export function compileRules(config: Config): Omit<Ruleset, 'keys' | 'ready'> {
  const { integration, metrics } = config.apis;
  return {
    trustedProxies: compileAddressSet(config.listen.trustedProxies.map(cidrOf)),
    pathQuirks: new Set(config.listen.allowPathQuirks),
    integration: integration === undefined ? null : compileApi('integration', integration),
    metrics: metrics === undefined ? null : compileApi('metrics', metrics),
  };
}

function compileApi(name: ApiName, api: IntegrationApiConfig | MetricsApiConfig): ApiRules {
  const credential = api.credential.map(compileLocation);
  return {
    name,
    hosts: api.hosts.length === 0 ? null : new Set(api.hosts.map((host) => host.toLowerCase())),
    router: compileRoutes(
      api.routes ?? presetRoutes(api.preset ?? 'userflux'),
      credential.flatMap((location) => (location.kind === 'query' ? [location.name] : [])),
    ),
    credential,
    credentialFields: credential.flatMap((location) => (location.kind === 'header' ? [location.name] : [])),
    looksIntoBody: credential.some(({ kind }) => kind === 'body'),
    authorization: compileAuthorization(api.authorization, api.credential),
    cors: {
      allowedHeaders: new Set(api.cors.allowedHeaders.map((header) => header.toLowerCase())),
      maxAgeSeconds: api.cors.maxAgeSeconds,
      allowCredentials: api.cors.allowCredentials,
    },
    refusalForm: 'problem',
    enforcement: api.enforcement,
    maxBodyBytes: api.maxBodyBytes,
    idleTimeoutMs: Math.round(api.idleTimeoutSeconds * 1000),
    publishesKeys: 'token' in api && api.token.privateKeyFile !== null,
  };
}

/** A range that validation has let through. */
export function cidrOf(text: string): Cidr {
  const parsed = parseCidr(text);
  if (!parsed.ok) throw new Error(`not a valid range after validation: ${text}`);
  return parsed.value;
}
