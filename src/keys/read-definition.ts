/**
 * Reads one key definition: validates it, fills in what was left out and turns each secret into its hash. The plain text
 * of a secret goes no further than here. Knows neither files nor other keys.
 */
import { isDeepStrictEqual } from 'node:util';
import { sha256Hex } from '../lib/digest.ts';
import { findingsOf, type Finding } from '../config/issue.ts';
import { jsonSchemaOf } from '../config/json-schema.ts';
import { fieldName } from '../config/problem.ts';
import {
  DEFAULTS,
  FIELD_TYPES,
  KeyDefinitionSchema,
  SECRET_HASH,
  type AllowedAddress,
  type KeyDefinition,
  type LoadedDefinition,
  type ParsedKeyDefinition,
  type SecretDefinition,
  type SecretHash,
  type WrittenKeyDefinition,
} from './definition.ts';
import { KEY_TYPES, METRICS_API } from './key.ts';

export type ReadDefinition =
  { readonly ok: true; readonly value: KeyDefinition } | { readonly ok: false; readonly findings: readonly Finding[] };

const SCHEMA = jsonSchemaOf(KeyDefinitionSchema);

/** Reads a definition as it was written, from YAML or JSON. Every mistake is a finding; none shows a secret. */
export function readDefinition(written: unknown): ReadDefinition {
  const parsed = KeyDefinitionSchema.safeParse(written);
  const own = parsed.success ? repeatedSecrets(parsed.data) : findingsOf(parsed.error.issues, written, SCHEMA);
  const findings = [...own, ...crossFieldFindings(written)];
  if (findings.length > 0 || !parsed.success) return { ok: false, findings };
  return { ok: true, value: completeDefinition(parsed.data) };
}

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
  if (typeof written !== 'object' || written === null || Array.isArray(written))
    return { id, invalid: 'it is not a JSON object' };
  if ('id' in written && written.id !== id)
    return { id, invalid: 'its `id` differs from the name of the field that holds it' };
  const read = readDefinition({ ...written, id });
  if (read.ok) return { id, definition: read.value };
  return { id, invalid: read.findings.map(describeFinding).join('; ') };
}

/** A finding as a clause: `type must be one of ...`. */
export const describeFinding = ({ path, message }: Finding): string => `${fieldName(path) || 'it'} ${message}`;

/** The hash under which a secret is kept: SHA-256 of its UTF-8 bytes. */
export const hashSecret = (secret: string): SecretHash => `sha256:${sha256Hex(secret)}`;

/** The shortest way to write a definition, secrets as hashes: what is put into Redis and into a key file. */
export function writtenDefinition(definition: KeyDefinition): WrittenKeyDefinition {
  const written: Record<string, unknown> = { id: definition.id };
  for (const [field, value] of Object.entries(definition)) if (value !== null && value !== '') written[field] = value;
  written['secrets'] = definition.secrets.map(({ hash, expiresAt }) =>
    expiresAt === null ? { hash } : { hash, expiresAt },
  );
  const short = (entries: readonly AllowedAddress[]): unknown[] =>
    entries.map((entry) => (entry.description === '' ? entry.address : entry));
  if (definition.allowFrom !== 'anywhere') written['allowFrom'] = short(definition.allowFrom);
  written['denyFrom'] = short(definition.denyFrom);
  for (const field of ['apis', 'allowedRoutes', 'denyFrom', 'accessToken'] as const)
    if (isDeepStrictEqual(written[field], newFieldDefault(definition, field))) delete written[field];
  if (definition.type !== 'write-only' && isDeepStrictEqual(written['allowedOrigins'], DEFAULTS.allowedOrigins))
    delete written['allowedOrigins'];
  return written as WrittenKeyDefinition;
}

function newFieldDefault(
  { type }: KeyDefinition,
  field: 'apis' | 'allowedRoutes' | 'denyFrom' | 'accessToken',
): unknown {
  switch (field) {
    case 'apis':
      return type === 'metrics' ? [METRICS_API] : 'all';
    case 'allowedRoutes':
      return 'all';
    case 'denyFrom':
      return [];
    case 'accessToken':
      return type === 'metrics' ? 'required' : DEFAULTS.accessToken;
  }
}

/** The rules between fields. They are asked of what was written, so that a mistake in one field does not hide others. */
function crossFieldFindings(written: unknown): Finding[] {
  if (typeof written !== 'object' || written === null || Array.isArray(written)) return [];
  const findings: Finding[] = [];
  const given = (field: string): boolean => ((written as Record<string, unknown>)[field] ?? null) !== null;
  const type = KEY_TYPES.find((name) => 'type' in written && written.type === name);
  if (given('secret') && given('secrets'))
    findings.push({ path: ['secret'], message: 'cannot stand beside `secrets`: move it into the list' });
  if (!('secret' in written) && !('secrets' in written))
    findings.push({ path: [], message: 'needs a secret: add `secrets` with a `hash`, which `postern keygen` makes' });
  if (type === undefined) return findings;
  for (const [field, types] of Object.entries(FIELD_TYPES))
    if (given(field) && !types.includes(type))
      findings.push({ path: [field], message: `is only for ${joined(types)} keys; remove it`, atKey: true });
  const { apis, accessToken } = written as { readonly apis?: unknown; readonly accessToken?: unknown };
  if (type === 'metrics' && given('apis') && !isDeepStrictEqual(apis, [METRICS_API]) && apis !== 'all')
    findings.push({ path: ['apis'], message: `must be [${METRICS_API}], or be left out: the key is a metrics key` });
  if (type === 'metrics' && given('accessToken') && accessToken !== 'required')
    findings.push({ path: ['accessToken'], message: 'must be required, or be left out: the key is a metrics key' });
  if (type === 'metrics' && !given('apiKey'))
    findings.push({ path: [], message: 'needs `apiKey`: metrics keys have one beside their secret' });
  return findings;
}

/** `a, b and c`. */
const joined = (names: readonly string[]): string =>
  [names.slice(0, -1).join(', '), ...names.slice(-1)].filter(Boolean).join(' and ');

function repeatedSecrets(written: ParsedKeyDefinition): Finding[] {
  const hashes = secretsOf(written).map(({ hash }) => hash);
  return hashes.flatMap((hash, index) =>
    hashes.indexOf(hash) < index
      ? [{ path: ['secrets', index], message: 'repeats a secret of the same key; remove one of them' }]
      : [],
  );
}

/** The definition with its defaults and hashes. */
function completeDefinition(written: ParsedKeyDefinition): KeyDefinition {
  const { secret: _secret, ...rest } = written;
  const forType = <T>(field: keyof typeof FIELD_TYPES, value: T): T | null =>
    FIELD_TYPES[field].includes(written.type) ? value : null;
  return {
    ...rest,
    secrets: secretsOf(written),
    allowFrom: written.allowFrom === 'anywhere' ? 'anywhere' : written.allowFrom.map(allowedAddress),
    apis: written.type === 'metrics' ? [METRICS_API] : written.apis,
    denyFrom: written.denyFrom.map(allowedAddress),
    allowedEvents: forType('allowedEvents', written.allowedEvents ?? DEFAULTS.allowedEvents),
    disallowedEvents: forType('disallowedEvents', written.disallowedEvents ?? DEFAULTS.disallowedEvents),
    allowBrowsers: forType('allowBrowsers', written.allowBrowsers ?? DEFAULTS.allowBrowsers),
    accessToken: written.accessToken ?? (written.type === 'metrics' ? 'required' : DEFAULTS.accessToken),
    apiKey: written.apiKey === null ? null : asHash(written.apiKey),
    cacheTtlMinutes: forType('cacheTtlMinutes', written.cacheTtlMinutes ?? DEFAULTS.cacheTtlMinutes),
  };
}

function secretsOf(written: ParsedKeyDefinition): SecretDefinition[] {
  const entries = written.secret === undefined ? (written.secrets ?? []) : [{ value: written.secret }];
  return entries.map((entry) => ({
    hash: 'hash' in entry && entry.hash !== undefined ? asHash(entry.hash) : hashSecret(entry.value ?? ''),
    expiresAt: ('expiresAt' in entry ? entry.expiresAt : null) ?? null,
  }));
}

const asHash = (secret: string): SecretHash =>
  SECRET_HASH.test(secret) ? (secret.toLowerCase() as SecretHash) : hashSecret(secret);

const allowedAddress = (entry: Exclude<ParsedKeyDefinition['allowFrom'], string>[number]): AllowedAddress =>
  typeof entry === 'string' ? { address: entry, description: '' } : entry;
