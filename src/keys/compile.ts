/**
 * Compiles definitions into the snapshot that requests are judged by: digests, address sets, event sets. Definitions that
 * contradict each other disable themselves and nothing else. Validates nothing that one definition can tell on its own.
 */
import { compileAddressSet, parseCidr, type Cidr } from '../lib/cidr.ts';
import type { Address } from '../lib/address.ts';
import type { AllowedAddress, KeyDefinition, LoadedDefinition, SecretHash } from './definition.ts';
import type { Key, KeySecret, KeySnapshot } from './key.ts';

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
  return { version, byId, bySecret, invalid };
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

type AdmitsAddress = Key['admitsAddress'];

const anywhere: AdmitsAddress = () => true;

/** Keys often have the same lists: equal ones are compiled once and shared. */
function keyCompiler(): (definition: KeyDefinition) => Key {
  const addressSets = shared<readonly AllowedAddress[], AdmitsAddress>(
    (entries) => entries.map(({ address }) => address).join(' '),
    compileAllowFrom,
  );
  const textSets = shared<readonly string[], ReadonlySet<string>>(JSON.stringify, (names) => new Set(names));
  return (definition) => ({
    id: definition.id,
    type: definition.type,
    enabled: definition.enabled,
    expiresAt: millisecondsOf(definition.expiresAt),
    secrets: definition.secrets.map(({ hash, expiresAt }) => compileSecret(digestOf(hash), expiresAt)),
    admitsAddress: definition.allowFrom === 'anywhere' ? anywhere : addressSets(definition.allowFrom),
    allowedEvents: Array.isArray(definition.allowedEvents) ? textSets(definition.allowedEvents) : null,
    disallowedEvents: definition.disallowedEvents ?? 'reject',
    allowedOrigins: compileOrigins(definition.allowedOrigins, textSets),
    allowBrowsers: definition.allowBrowsers ?? false,
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

function compileAllowFrom(entries: readonly AllowedAddress[]): AdmitsAddress {
  const set = compileAddressSet(entries.map(({ address }) => cidrOf(address)));
  return (address: Address | null) => set.has(address);
}

function cidrOf(text: string): Cidr {
  const parsed = parseCidr(text);
  if (!parsed.ok) throw new TypeError(parsed.why);
  return parsed.value;
}

const compileSecret = (digest: string, expiresAt: string | null): KeySecret => ({
  id: digest.slice(0, 12),
  digest,
  expiresAt: millisecondsOf(expiresAt),
});

/** Only write-only keys have origins; for the others the browser guard decides, and no origin is on their list. */
function compileOrigins(
  origins: readonly string[] | null,
  textSets: (names: readonly string[]) => ReadonlySet<string>,
): ReadonlySet<string> | null {
  if (origins === null) return textSets([]);
  return origins.includes('*') ? null : textSets(origins);
}

const millisecondsOf = (instant: string | null): number | null => (instant === null ? null : Date.parse(instant));
