/**
 * Reads one key or one policy: validates it, fills in what was left out and turns each secret into its hash. The plain text of a
 * secret goes no further than here. Knows neither files nor what else there is.
 */
import { isDeepStrictEqual } from 'node:util';
import { METRICS_API } from '../config/api-names.ts';
import type { AddressEntry } from '../config/address-entries.ts';
import { findingsOf, type Finding } from '../config/issue.ts';
import { jsonSchemaLater } from '../config/json-schema.ts';
import { fieldName } from '../config/problem.ts';
import { SECRET_HASH } from '../config/values.ts';
import { createDefinitionKinds, type OwnParts } from './definition-kinds.ts';
import {
  KeyDefinitionSchema,
  PolicySchema,
  type ParsedKeyDefinition,
  type ParsedPolicy,
  type WrittenKeyDefinition,
  type WrittenPolicy,
} from './definition-schema.ts';
import {
  DEFAULTS,
  defaultsOf,
  type AddressItem,
  type KeyDefinition,
  type LoadedDefinition,
  type PolicyDefinition,
  type SecretDefinition,
  type SecretHash,
  type SharedField,
} from './definition.ts';
import { KEY_TYPES } from './key-fields.ts';
import { hashSecret } from './secret-hash.ts';
import { typeFindings } from './type-rules.ts';

export type Read<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly findings: readonly Finding[] };

export type ReadDefinition = Read<KeyDefinition>;

const keySchema = jsonSchemaLater(KeyDefinitionSchema);
const policySchema = jsonSchemaLater(PolicySchema);

/** Reads a key as it was written, from YAML or JSON. Every mistake is a finding; none shows a secret. */
export function readDefinition(written: unknown): ReadDefinition {
  const parsed = KeyDefinitionSchema.safeParse(written);
  const own = parsed.success ? repeatedSecrets(parsed.data) : findingsOf(parsed.error.issues, written, keySchema());
  const findings = [...own, ...crossFieldFindings(written)];
  if (findings.length > 0 || !parsed.success) return { ok: false, findings };
  return { ok: true, value: normalDefinition(parsed.data) };
}

/** Reads one definition after the other as `readDefinition` does, and what many have in common once. */
export function createDefinitionReader(): (written: unknown) => ReadDefinition {
  const kinds = createDefinitionKinds<KeyDefinition>();
  return (written) => {
    if (!isObject(written)) return readDefinition(written);
    const alike = kinds.find(written);
    if (alike !== null) return { ok: true, value: ofKind(alike.known, alike.own) };
    const read = readDefinition(written);
    if (read.ok) kinds.remember(written, read.value);
    return read;
  };
}

/** A key that differs from this one in nothing else. */
function ofKind(known: KeyDefinition, { id, description, secrets, addresses }: OwnParts): KeyDefinition {
  const key: { -readonly [Field in keyof KeyDefinition]: KeyDefinition[Field] } = { ...known, id, secrets };
  // What is not written has its default, or none beside a policy, as in the other key.
  if (description !== null) key.description = description;
  if (addresses !== null) key.allowFrom = addresses.map(addressItem);
  return key as KeyDefinition;
}

/** Reads a policy in the same way. */
export function readPolicy(written: unknown): Read<PolicyDefinition> {
  const fields = isObject(written) ? written : {};
  const astray = Object.keys(fields).filter((field) => NOT_SHARED.has(field));
  const known = isObject(written)
    ? Object.fromEntries(Object.entries(written).filter(([name]) => !NOT_SHARED.has(name)))
    : written;
  const parsed = PolicySchema.safeParse(known);
  const findings = [
    ...astray.map((field) => ({
      path: [field],
      message: 'cannot stand in a policy: each key has its own',
      atKey: true,
    })),
    ...(parsed.success ? [] : findingsOf(parsed.error.issues, written, policySchema())),
    ...typeFindings(typeOf(fields), fields),
  ];
  if (findings.length > 0 || !parsed.success) return { ok: false, findings };
  return { ok: true, value: saidFields(parsed.data) };
}

const NOT_SHARED: ReadonlySet<string> = new Set(['id', 'secret', 'secrets', 'apiKey', 'policy']);

/**
 * Reads the value of one field of the Redis hash: the field names the key, so `id` may be left out of the JSON.
 * A definition that cannot be used comes back with the reason, in one line that shows no secret.
 */
export function readStoredDefinition(id: string, json: string): LoadedDefinition {
  let written: unknown;
  try {
    written = JSON.parse(json);
  } catch {
    return { id, invalid: 'it is not JSON' };
  }
  if (!isObject(written)) return { id, invalid: 'it is not a JSON object' };
  if ('id' in written && written['id'] !== id)
    return { id, invalid: 'its `id` differs from the name of the field that holds it' };
  const read = readDefinition({ ...written, id });
  return read.ok ? { id, definition: read.value } : { id, invalid: describeFindings(read.findings) };
}

/** A finding as a clause: `type must be one of ...`. */
export const describeFinding = ({ path, message }: Finding): string => `${fieldName(path) || 'it'} ${message}`;

export const describeFindings = (findings: readonly Finding[]): string => findings.map(describeFinding).join('; ');

/**
 * The shortest way to write a key, secrets as hashes: what is put into Redis and into a key file. What is at its default is left out
 * where no policy could say otherwise, so that a program that does not know a field yet can read every key that makes no use of it.
 */
export function writtenDefinition(definition: KeyDefinition): WrittenKeyDefinition {
  const { id, policy, secrets, apiKey, ...shared } = definition;
  const type = definition.type;
  const written: Record<string, unknown> = { id, type, ...(policy !== null && { policy }) };
  written['secrets'] = secrets.map(({ hash, expiresAt }) => (expiresAt === null ? { hash } : { hash, expiresAt }));
  if (apiKey !== null) written['apiKey'] = apiKey;
  const defaults = policy === null && type !== undefined ? defaultsOf(type) : {};
  Object.assign(written, writtenFields(shared, defaults));
  if (type === undefined) delete written['type'];
  return written as unknown as WrittenKeyDefinition;
}

/** The shortest way to write a policy. */
export const writtenPolicy = (policy: PolicyDefinition): WrittenPolicy => writtenFields(policy, {});

function writtenFields(fields: PolicyDefinition, defaults: PolicyDefinition): WrittenPolicy {
  const written: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(fields))
    if (!(field in defaults) || !isDeepStrictEqual(value, defaults[field as SharedField])) written[field] = value;
  const { allowFrom, denyFrom } = written as PolicyDefinition;
  if (allowFrom !== undefined && allowFrom !== 'anywhere') written['allowFrom'] = allowFrom.map(shortItem);
  if (denyFrom !== undefined) written['denyFrom'] = denyFrom.map(shortItem);
  return written;
}

const shortItem = (item: AddressItem): unknown => ('address' in item && item.description === '' ? item.address : item);

/** The rules between fields. They are asked of what was written, so that a mistake in one field does not hide others. */
function crossFieldFindings(written: unknown): Finding[] {
  if (!isObject(written)) return [];
  const findings: Finding[] = [];
  const given = (field: string): boolean => (written[field] ?? null) !== null;
  if (given('secret') && given('secrets'))
    findings.push({ path: ['secret'], message: 'cannot stand beside `secrets`: move it into the list' });
  if (!('secret' in written) && !('secrets' in written))
    findings.push({ path: [], message: 'needs a secret: add `secrets` with a `hash`, which `postern keygen` makes' });
  if (!('type' in written) && !given('policy')) findings.push({ path: ['type'], message: MISSING_TYPE });
  const type = typeOf(written);
  findings.push(...typeFindings(type, written));
  if (type === 'metrics' && !given('apiKey')) findings.push({ path: [], message: NEEDS_API_KEY });
  return findings;
}

export const MISSING_TYPE = `is missing: it must be one of ${KEY_TYPES.map((type) => `"${type}"`).join(', ')}`;
export const NEEDS_API_KEY = 'needs `apiKey`: metrics keys have one beside their secret';

const typeOf = (written: Readonly<Record<string, unknown>>) => KEY_TYPES.find((type) => type === written['type']);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function repeatedSecrets(written: ParsedKeyDefinition): Finding[] {
  if (written.secrets === undefined || written.secrets.length < 2) return [];
  const hashes = secretsOf(written).map(({ hash }) => hash);
  return hashes.flatMap((hash, index) =>
    hashes.indexOf(hash) < index
      ? [{ path: ['secrets', index], message: 'repeats a secret of the same key; remove one of them' }]
      : [],
  );
}

/** The definition with its hashes, and without a policy with its defaults. */
function normalDefinition(written: ParsedKeyDefinition): KeyDefinition {
  const { id, policy = null, type, apiKey = null } = written;
  const own = { secrets: secretsOf(written), apiKey: apiKey === null ? null : asHash(apiKey) };
  const said = saidFields(written);
  if (policy !== null) return { id, policy, ...said, ...own };
  const defaults = defaultsOf(type ?? 'write-only');
  const fixed = type === 'metrics' ? { apis: [METRICS_API] } : type === 'write-only' ? { allowBrowsers: null } : {};
  return { id, policy, ...defaults, ...said, ...fixed, ...own };
}

const SHARED_FIELDS = [
  'description',
  'type',
  ...Object.keys(DEFAULTS).filter((name) => name !== 'description'),
] as readonly SharedField[];

/** Of these fields null says something: that there is none. */
const NULL_SAYS: ReadonlySet<SharedField> = new Set(['expiresAt', 'rateLimit']);

function saidFields(written: ParsedPolicy): PolicyDefinition {
  const said: Partial<Record<SharedField, unknown>> = {};
  for (const field of SHARED_FIELDS) {
    const value = written[field];
    if (value !== undefined && (value !== null || NULL_SAYS.has(field))) said[field] = value;
  }
  const { allowFrom, denyFrom } = written;
  if (allowFrom !== undefined && allowFrom !== 'anywhere') said.allowFrom = allowFrom.map(addressItem);
  if (denyFrom !== undefined) said.denyFrom = denyFrom.map(addressItem);
  return said as PolicyDefinition;
}

const addressItem = (entry: AddressEntry): AddressItem =>
  typeof entry === 'string' ? { address: entry, description: '' } : entry;

function secretsOf(written: ParsedKeyDefinition): SecretDefinition[] {
  const entries = written.secret === undefined ? (written.secrets ?? []) : [{ value: written.secret }];
  return entries.map((entry) => ({
    hash: 'hash' in entry && entry.hash !== undefined ? asHash(entry.hash) : hashSecret(entry.value ?? ''),
    expiresAt: ('expiresAt' in entry ? entry.expiresAt : null) ?? null,
  }));
}

const asHash = (secret: string): SecretHash =>
  SECRET_HASH.test(secret) ? (secret.toLowerCase() as SecretHash) : hashSecret(secret);
