/**
 * A key definition as the admin API shows and takes it: secrets appear as ids alone. What comes back is judged by the very
 * rules that key files are judged by.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Finding } from '../config/issue.ts';
import { digestOf } from '../keys/compile.ts';
import {
  defaultsOf,
  type KeyDefinition,
  type Loaded,
  type SecretDefinition,
  type SharedRecords,
  type WholeDefinition,
} from '../keys/definition.ts';
import { definitionVersion } from '../keys/key-store.ts';
import { readDefinition, writtenDefinition, type ReadDefinition } from '../keys/read-definition.ts';
import { namesTag } from '../lib/entity-tag.ts';

export interface ShownSecret {
  readonly id: string;
  readonly expiresAt: string | null;
}

export type ShownDefinition = Omit<WholeDefinition, 'secrets' | 'apiKey'> & {
  readonly secrets: readonly ShownSecret[];
  readonly apiKey: { readonly id: string } | null;
  /** The fields that the key has from its policy. */
  readonly inherited: readonly string[];
};

/** Enough digits to tell secrets apart, too few to look one up. */
export const secretIdOf = (hash: SecretDefinition['hash']): string => digestOf(hash).slice(0, 12);

/** A key with all that holds for it. One whose policy is not there shows the defaults in its place. */
export function showDefinition(definition: KeyDefinition, records: SharedRecords): ShownDefinition {
  const whole = wholeOf(definition, records);
  return {
    ...whole,
    secrets: definition.secrets.map(showSecret),
    apiKey: definition.apiKey === null ? null : { id: secretIdOf(definition.apiKey) },
    inherited: definition.policy === null ? [] : Object.keys(whole).filter((field) => !(field in definition)),
  };
}

function wholeOf(definition: KeyDefinition, records: SharedRecords): WholeDefinition {
  if (definition.policy === null) return definition;
  const policy = records.policies.get(definition.policy);
  const shared = policy !== undefined && 'definition' in policy ? policy.definition : {};
  const type = definition.type ?? shared.type ?? 'write-only';
  return { ...defaultsOf(type), ...shared, ...definition, type };
}

const showSecret = ({ hash, expiresAt }: SecretDefinition): ShownSecret => ({ id: secretIdOf(hash), expiresAt });

/** A strong entity tag (RFC 9110 8.8.3): equal for equal definitions, in every process. */
export const entityTag = (stored: Loaded<object>): string => `"${definitionVersion(stored)}"`;

/**
 * Whether `If-Match` names this tag. RFC 9110 13.1.1 lets no weak tag match, since the bytes behind it may differ. This tag
 * stands for the definition, on which the change is based: if a proxy compressed its text on the way, no change is lost.
 */
export const matches = namesTag;

/** A definition that was sent to be created, with the secrets that were made for it. */
export function readNewDefinition(
  body: unknown,
  made: { readonly hash: string; readonly apiKey: string },
): ReadDefinition {
  if (!isObject(body)) return readDefinition(body);
  const { secret: _secret, secrets: _secrets, inherited: _inherited, ...fields } = body;
  const sent = ['secret', 'secrets'].filter((field) => given(body[field]));
  const apiKey = body['type'] === 'metrics' && !given(body['apiKey']) ? { apiKey: made.apiKey } : {};
  const read = readDefinition({ ...fields, secrets: [{ hash: made.hash }], ...apiKey });
  return withFindings(
    read,
    sent.map((field) => ({ path: [field], message: 'is made here: leave it out', atKey: true })),
  );
}

/** A definition that was sent to replace another one, whose secrets stay. */
export function readReplacement(body: unknown, stored: KeyDefinition, records: SharedRecords): ReadDefinition {
  if (!isObject(body)) return readDefinition(body);
  const { secret, secrets, apiKey, ...fields } = saidIn(body, stored, records);
  const findings: Finding[] = [];
  if (given(secret)) findings.push({ path: ['secret'], message: MADE_BY_ROTATION, atKey: true });
  if (given(secrets)) findings.push(...secretFindings(secrets, stored));
  if ('id' in fields && fields['id'] !== stored.id)
    findings.push({ path: ['id'], message: `cannot be changed: it is ${JSON.stringify(stored.id)}` });
  const change = changedApiKey(apiKey, stored);
  if (change === 'another')
    findings.push({ path: ['apiKey'], message: 'is not the one that is set; send a new one as text' });
  const wanted = change === 'new' ? apiKey : (body['type'] ?? 'metrics') === 'metrics' ? stored.apiKey : null;
  const read = readDefinition({ ...fields, id: stored.id, secrets: stored.secrets, apiKey: wanted });
  return withFindings(read, findings);
}

/** What is sent back as it was shown, and was not the key's own, is not said by it; with a policy that makes a difference. */
function saidIn(body: Record<string, unknown>, stored: KeyDefinition, records: SharedRecords): Record<string, unknown> {
  const { inherited: _, ...fields } = body;
  if (!given(fields['policy'])) return fields;
  const own = new Set(Object.keys(writtenDefinition(stored)));
  const shown: Record<string, unknown> = { ...wholeOf(stored, records) };
  return Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => own.has(name) || !isDeepStrictEqual(value, shown[name])),
  );
}

const MADE_BY_ROTATION = 'cannot be set here: make a new secret with POST /api/keys/{id}/secrets';

/** Secrets that are left out stay. A mistake is only one that is not among the stored ones as they are shown. */
function secretFindings(secrets: unknown, stored: KeyDefinition): Finding[] {
  if (!Array.isArray(secrets)) return [{ path: ['secrets'], message: 'must be a list of secrets as they are shown' }];
  const shown = stored.secrets.map(showSecret);
  return secrets.flatMap((secret: unknown, index) => {
    const fields = isObject(secret) ? secret : {};
    const known = shown.find(({ id }) => id === fields['id']);
    if (known === undefined) return [{ path: ['secrets', index], message: MADE_BY_ROTATION }];
    const others = Object.keys(fields).filter((field) => field !== 'id' && field !== 'expiresAt');
    const same = others.length === 0 && (!('expiresAt' in fields) || fields['expiresAt'] === known.expiresAt);
    return same ? [] : [{ path: ['secrets', index], message: 'cannot be changed here: rotate or remove it' }];
  });
}

/** What `apiKey` in a replacement asks for; null: it stays. */
function changedApiKey(sent: unknown, stored: KeyDefinition): 'new' | 'another' | null {
  if (!given(sent)) return null;
  if (!isObject(sent)) return 'new';
  const same = stored.apiKey !== null && sent['id'] === secretIdOf(stored.apiKey) && Object.keys(sent).length === 1;
  return same ? null : 'another';
}

function withFindings(read: ReadDefinition, findings: readonly Finding[]): ReadDefinition {
  if (findings.length === 0) return read;
  return { ok: false, findings: [...findings, ...(read.ok ? [] : read.findings)] };
}

const given = (value: unknown): boolean => value !== undefined && value !== null;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
