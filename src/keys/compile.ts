/**
 * Compiles definitions into the snapshot that requests are judged by: digests, address sets, event sets. Definitions that
 * contradict each other disable themselves and nothing else. Validates nothing that one definition can tell on its own.
 */
import { compileAllowRule, compileDenyRule, type AddressRule } from './address-rule.ts';
import { compileAllowedRoutes, type RouteList } from './allowed-routes.ts';
import type { AllowedAddress, KeyDefinition, LoadedDefinition, SecretHash } from './definition.ts';
import { METRICS_API, type Key, type KeySecret, type KeySnapshot } from './key.ts';

/**
 * The snapshot of these definitions. Of definitions that share a secret, an id or the place of the one metrics key, none
 * is used: which of them was meant cannot be told.
 */
export function compileKeys(definitions: readonly LoadedDefinition[], version: number): KeySnapshot {
  const contradicted = contradictions(definitions);
  const invalid: { id: string; why: string }[] = [];
  const byId = new Map<string, Key>();
  const bySecret = new Map<string, { key: Key; secret: KeySecret }>();
  const compile = keyCompiler();
  for (const loaded of definitions) {
    const why = 'invalid' in loaded ? loaded.invalid : contradicted.get(loaded);
    if (why !== undefined || 'invalid' in loaded) {
      invalid.push({ id: loaded.id, why: why ?? '' });
      continue;
    }
    const key = compile(loaded.definition);
    byId.set(key.id, key);
    for (const secret of key.secrets) bySecret.set(secret.digest, { key, secret });
  }
  return { version, byId, bySecret, invalid, lists: new Map() };
}

/** The hex digits of a hash. */
export const digestOf = (hash: SecretHash): string => hash.slice('sha256:'.length);

/** What each definition that clashes with another is at odds about. */
function contradictions(definitions: readonly LoadedDefinition[]): Map<LoadedDefinition, string> {
  const found = new Map<LoadedDefinition, string>();
  const ids = claims(found, () => 'its id is used twice');
  const secrets = claims(found, (own, other) =>
    own === other ? 'it holds one secret twice' : `it shares a secret with ${other.id}`,
  );
  const metrics = claims(found, (_own, other) => `there may be one metrics key, and ${other.id} is another`);
  for (const loaded of definitions) {
    ids(loaded.id, loaded);
    if ('invalid' in loaded) continue;
    if (loaded.definition.type === 'metrics') metrics('', loaded);
    for (const { hash } of loaded.definition.secrets) secrets(hash, loaded);
  }
  return found;
}

type WhyNot = (own: LoadedDefinition, other: LoadedDefinition) => string;

/** Takes claims to what only one may have. When a second one comes, it and the first are both found, each with its reason. */
function claims(found: Map<LoadedDefinition, string>, why: WhyNot): (what: string, by: LoadedDefinition) => void {
  const owners = new Map<string, LoadedDefinition>();
  return (what, by) => {
    const owner = owners.get(what);
    if (owner === undefined) {
      owners.set(what, by);
      return;
    }
    if (!found.has(owner)) found.set(owner, why(owner, by));
    if (!found.has(by)) found.set(by, why(by, owner));
  };
}

/** Keys often have the same lists: equal ones are compiled once and shared. */
function keyCompiler(): (definition: KeyDefinition) => Key {
  const namesOf = (entries: 'anywhere' | readonly AllowedAddress[]): string =>
    entries === 'anywhere' ? entries : JSON.stringify(entries.map(({ address }) => address));
  const allowRules = shared<'anywhere' | readonly AllowedAddress[], AddressRule>(namesOf, compileAllowRule);
  const denyRules = shared<readonly AllowedAddress[], AddressRule>(namesOf, compileDenyRule);
  const routeLists = shared<readonly string[], RouteList>(JSON.stringify, compileAllowedRoutes);
  const textSets = shared<readonly string[], ReadonlySet<string>>(JSON.stringify, (names) => new Set(names));
  return (definition) => ({
    id: definition.id,
    type: definition.type,
    enabled: definition.enabled,
    expiresAt: millisecondsOf(definition.expiresAt),
    secrets: definition.secrets.map(({ hash, expiresAt }) => compileSecret(digestOf(hash), expiresAt)),
    apis: compileApis(definition, textSets),
    allowedRoutes: Array.isArray(definition.allowedRoutes) ? routeLists(definition.allowedRoutes) : null,
    allowFrom: allowRules(definition.allowFrom),
    denyFrom: denyRules(definition.denyFrom),
    allowedEvents: Array.isArray(definition.allowedEvents) ? textSets(definition.allowedEvents) : null,
    disallowedEvents: definition.disallowedEvents ?? 'reject',
    allowedOrigins: compileOrigins(definition.allowedOrigins, textSets),
    allowBrowsers: definition.type === 'write-only' || definition.allowBrowsers === true,
    accessToken: definition.accessToken,
    rateLimit: definition.rateLimit,
    mode: definition.mode,
    apiKeyDigest: definition.apiKey === null ? null : digestOf(definition.apiKey),
    cacheTtlMs: definition.cacheTtlMinutes === null ? null : definition.cacheTtlMinutes * 60_000,
  });
}

function shared<T, U>(nameOf: (input: T) => string, compile: (input: T) => U): (input: T) => U {
  const compiled = new Map<string, U>();
  return (input) => {
    const name = nameOf(input);
    let known = compiled.get(name);
    if (known === undefined) compiled.set(name, (known = compile(input)));
    return known;
  };
}

const compileSecret = (digest: string, expiresAt: string | null): KeySecret => ({
  id: digest.slice(0, 12),
  digest,
  expiresAt: millisecondsOf(expiresAt),
});

type TextSets = (names: readonly string[]) => ReadonlySet<string>;

const compileOrigins = (origins: readonly string[], textSets: TextSets): ReadonlySet<string> | null =>
  origins.includes('*') ? null : textSets(origins);

function compileApis({ type, apis }: KeyDefinition, textSets: TextSets): ReadonlySet<string> | null {
  if (type === 'metrics') return textSets([METRICS_API]);
  return apis === 'all' ? null : textSets(apis);
}

const millisecondsOf = (instant: string | null): number | null => (instant === null ? null : Date.parse(instant));
