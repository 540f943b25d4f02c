/**
 * Compiles definitions into the snapshot that requests are judged by: digests, address sets, event sets. Definitions that
 * contradict each other disable themselves and nothing else. Validates nothing that one definition can tell on its own.
 */
import { ANYWHERE, compileAllowRule, compileDenyRule, type AddressRule } from './address-rule.ts';
import { compileAllowedRoutes, type RouteList } from './allowed-routes.ts';
import {
  NO_RECORDS,
  type AddressItem,
  type Loaded,
  type LoadedDefinition,
  type SecretHash,
  type SharedRecords,
  type WholeDefinition,
} from './definition.ts';
import type { Key, KeySecret, KeySnapshot } from './key.ts';
import { describeFindings } from './read-definition.ts';
import { wholeDefinition } from './whole-definition.ts';

/**
 * The snapshot of these definitions, beside these policies and lists. Of definitions that share a secret, an id or the place of the
 * one metrics key, none is used: which of them was meant cannot be told. What its lists stand for is added where they are read.
 */
export function compileKeys(
  definitions: readonly LoadedDefinition[],
  version: number,
  records: SharedRecords = NO_RECORDS,
): KeySnapshot {
  const loaded = definitions.map((one) => completed(one, records));
  const contradicted = contradictions(loaded);
  const building = buildSnapshot(records);
  for (const one of loaded) {
    const why = contradicted.get(one);
    building.add(why === undefined ? one : { id: one.id, invalid: why });
  }
  return building.done(version);
}

/** A snapshot that is made part by part. */
export interface SnapshotBuilding {
  /** Of definitions that are known not to contradict each other. */
  readonly add: (one: Completed) => void;
  readonly done: (version: number) => KeySnapshot;
}

export function buildSnapshot(records: SharedRecords): SnapshotBuilding {
  const invalid: { id: string; why: string }[] = [];
  const byId = new Map<string, Key>();
  const bySecret = new Map<string, { key: Key; secret: KeySecret }>();
  const compile = keyCompiler(records);
  return {
    add(one) {
      if ('invalid' in one) {
        invalid.push({ id: one.id, why: one.invalid });
        return;
      }
      const key = compile(one.definition);
      byId.set(key.id, key);
      for (const secret of key.secrets) bySecret.set(secret.digest, { key, secret });
    },
    done: (version) => ({ version, byId, bySecret, invalid, lists: new Map(), records }),
  };
}

export type Completed = Loaded<WholeDefinition>;

/** With all that holds for the key, or why it cannot be used. */
export function completed(loaded: LoadedDefinition, records: SharedRecords): Completed {
  if ('invalid' in loaded) return loaded;
  const { id } = loaded;
  const whole = wholeDefinition(loaded.definition, records);
  return whole.ok ? { id, definition: whole.value } : { id, invalid: describeFindings(whole.findings) };
}

/** The hex digits of a hash. */
export const digestOf = (hash: SecretHash): string => hash.slice('sha256:'.length);

/** What each definition that clashes with another is at odds about. */
function contradictions(definitions: readonly Completed[]): Map<Completed, string> {
  const found = new Map<Completed, string>();
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

type WhyNot = (own: Completed, other: Completed) => string;

/** Takes claims to what only one may have. When a second one comes, it and the first are both found, each with its reason. */
function claims(found: Map<Completed, string>, why: WhyNot): (what: string, by: Completed) => void {
  const owners = new Map<string, Completed>();
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

/** Keys often have the same lists: equal ones are compiled once and shared, and those of a policy are not even compared. */
export function keyCompiler({ policies }: SharedRecords = NO_RECORDS): (definition: WholeDefinition) => Key {
  const allowRules = shared<WholeDefinition['allowFrom'] & object, AddressRule>(compileAllowRule, placesOf);
  const denyRules = shared<readonly AddressItem[], AddressRule>(compileDenyRule, placesOf);
  const routeLists = shared<readonly string[], RouteList>(compileAllowedRoutes);
  const textSets = shared<readonly string[], ReadonlySet<string>>((names) => new Set(names));
  return (definition) => ({
    id: definition.id,
    type: definition.type,
    policy: definition.policy,
    policyFields: textSets(fieldsOfPolicy(definition, policies)),
    enabled: definition.enabled,
    expiresAt: millisecondsOf(definition.expiresAt),
    secrets: definition.secrets.map(({ hash, expiresAt }) => compileSecret(hash, expiresAt)),
    apis: compileApis(definition, textSets),
    allowedRoutes: Array.isArray(definition.allowedRoutes) ? routeLists(definition.allowedRoutes) : null,
    allowFrom: definition.allowFrom === 'anywhere' ? ANYWHERE : allowRules(definition.allowFrom),
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

/** What a key may be refused by, as `explain` and the log name it. */
const DECIDING = ['allowedRoutes', 'allowFrom', 'denyFrom', 'allowedEvents', 'rateLimit'] as const;
const NO_FIELDS: readonly string[] = [];

/** The deciding fields that are the very ones of the policy. */
function fieldsOfPolicy(whole: WholeDefinition, policies: SharedRecords['policies']): readonly string[] {
  const policy = whole.policy === null ? undefined : policies.get(whole.policy);
  if (policy === undefined || !('definition' in policy)) return NO_FIELDS;
  const { definition } = policy;
  return DECIDING.filter((field) => typeof whole[field] === 'object' && whole[field] === definition[field]);
}

/** What a list of addresses says: a name of a list looks like no address, and neither holds a comma. */
function placesOf(entries: readonly AddressItem[]): string {
  let places = '';
  for (const entry of entries) places += 'address' in entry ? `${entry.address},` : `list:${entry.list},`;
  return places;
}

/** Lists that say the same are compiled once. */
function shared<T extends readonly unknown[], U extends object>(
  compile: (input: T) => U,
  contentOf: (input: T) => string = JSON.stringify,
): (input: T) => U {
  const byInput = new WeakMap<T, U>();
  const byContent = new Map<string, U>();
  let none: U | null = null;
  let latest: { readonly input: T; readonly compiled: U } | null = null;
  return (input) => {
    if (input.length === 0) return (none ??= compile(input));
    if (latest?.input === input) return latest.compiled;
    // Those of policies are the same ones in many keys, and may be long; to keep each short one in mind would take longer.
    const isLong = input.length > SHORT_LIST;
    let compiled = isLong ? byInput.get(input) : undefined;
    if (compiled === undefined) {
      const content = contentOf(input);
      compiled = byContent.get(content);
      if (compiled === undefined) {
        compiled = compile(input);
        if (byContent.size < MOST_CONTENTS) byContent.set(content, compiled);
      }
      if (isLong) byInput.set(input, compiled);
    }
    latest = { input, compiled };
    return compiled;
  };
}

/** Where nearly every key has a list of its own, to remember more of them would only take memory. */
const MOST_CONTENTS = 1000;

const SHORT_LIST = 5;

export function compileSecret(hash: SecretHash, expiresAt: string | null): KeySecret {
  const digest = digestOf(hash);
  return { id: digest.slice(0, 12), digest, expiresAt: millisecondsOf(expiresAt) };
}

type TextSets = (names: readonly string[]) => ReadonlySet<string>;

const compileOrigins = (origins: readonly string[], textSets: TextSets): ReadonlySet<string> | null =>
  origins.includes('*') ? null : textSets(origins);

const compileApis = ({ apis }: WholeDefinition, textSets: TextSets): ReadonlySet<string> | null =>
  apis === 'all' ? null : textSets(apis);

const millisecondsOf = (instant: string | null): number | null => (instant === null ? null : Date.parse(instant));
