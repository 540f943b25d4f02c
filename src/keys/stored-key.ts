/**
 * Reads one definition as it is stored in Redis into a key, or into the reason why it cannot be used beside the stored policies and
 * lists. Keys by the thousand differ in little but their names, secrets and addresses: what they share is validated and compiled
 * once. Whatever is not plainly of that kind is read in full; the outcome is the same.
 */
import { parseCidr } from '../lib/cidr.ts';
import { compileAllowRule } from './address-rule.ts';
import { completed, keyCompiler } from './compile.ts';
import type { SharedRecords } from './definition.ts';
import type { Key, KeySecret } from './key.ts';
import { readStoredDefinition } from './read-definition.ts';
import { recordsNamedBy } from './whole-definition.ts';

/** `records`: the policies and lists that it names, whether they are there or not, as `policy:NAME` and `list:NAME`. */
export type StoredKey =
  | { readonly key: Key; readonly invalid: null; readonly records: readonly string[] }
  | { readonly key: null; readonly invalid: string; readonly records: readonly string[] };

export type StoredKeyReader = (id: string, json: string) => StoredKey;

/** Beyond this many different kinds of keys nothing is gained by remembering more. */
const MAX_TEMPLATES = 1000;
const ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const HASH = /^sha256:[0-9a-f]{64}$/;
const PLAIN_TEXT = /^[ -~]{0,200}$/;

/** Reads keys beside these records, which may not change: for others there is another reader. */
export function createStoredKeyReader(records: SharedRecords): StoredKeyReader {
  const templates = new Map<string, StoredKey & { readonly key: Key }>();
  const compile = keyCompiler(records);
  const readInFull = (id: string, json: string): StoredKey => {
    const loaded = readStoredDefinition(id, json);
    if ('invalid' in loaded) return { key: null, invalid: loaded.invalid, records: [] };
    const named = recordsNamedBy(loaded.definition, records);
    const whole = completed(loaded, records);
    if ('invalid' in whole) return { key: null, invalid: whole.invalid, records: named };
    return { key: compile(whole.definition), invalid: null, records: named };
  };
  return (id, json) => {
    const plain = ID.test(id) ? splitPlain(id, json) : undefined;
    const template = plain && templates.get(plain.shared);
    if (plain !== undefined && template !== undefined) {
      const { secrets, addresses } = plain;
      const allowFrom =
        addresses === undefined ? template.key.allowFrom : compileAllowRule(addresses.map((address) => ({ address })));
      return { key: { ...template.key, id, secrets, allowFrom }, invalid: null, records: template.records };
    }
    const read = readInFull(id, json);
    if (plain !== undefined && read.key !== null) {
      if (templates.size >= MAX_TEMPLATES) templates.clear();
      templates.set(plain.shared, read);
    }
    return read;
  };
}

interface PlainDefinition {
  /** Everything else, as text: what decides whether the definition is valid, and the rest of the key. */
  readonly shared: string;
  readonly secrets: readonly KeySecret[];
  /** Undefined: what `shared` says. */
  readonly addresses: readonly string[] | undefined;
}

/**
 * Splits a definition whose id, description, secrets and addresses are beyond doubt: secrets as hashes without expiry, none
 * of them twice. Undefined for any other.
 */
function splitPlain(id: string, json: string): PlainDefinition | undefined {
  const written = parseObject(json);
  if (written === undefined) return undefined;
  const { id: writtenId = id, description = '', secrets, ...rest } = written;
  if (writtenId !== id || typeof description !== 'string' || !PLAIN_TEXT.test(description) || 'secret' in rest)
    return undefined;
  const plainSecrets = Array.isArray(secrets) ? readSecrets(secrets) : undefined;
  if (plainSecrets === undefined) return undefined;
  const { allowFrom } = rest;
  const addresses = Array.isArray(allowFrom) ? allowFrom : undefined;
  if (addresses?.every(isAddress) === false) return undefined;
  const shared = textOf(addresses === undefined ? rest : { ...rest, allowFrom: [] });
  return shared === undefined ? undefined : { shared, secrets: plainSecrets, addresses };
}

/** Undefined for what is nested deeper than can be written, which no key is: JSON.parse has no such bound. */
function textOf(value: object): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function parseObject(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function readSecrets(written: readonly unknown[]): KeySecret[] | undefined {
  const secrets: KeySecret[] = [];
  for (const secret of written) {
    const digest = plainDigest(secret);
    if (digest === undefined || secrets.some((known) => known.digest === digest)) return undefined;
    secrets.push({ id: digest.slice(0, 12), digest, expiresAt: null });
  }
  return secrets.length > 0 ? secrets : undefined;
}

function plainDigest(secret: unknown): string | undefined {
  if (typeof secret !== 'object' || secret === null) return undefined;
  const { hash, ...others } = secret as Record<string, unknown>;
  if (typeof hash !== 'string' || !HASH.test(hash) || Object.keys(others).length > 0) return undefined;
  return hash.slice('sha256:'.length);
}

const isAddress = (entry: unknown): entry is string => typeof entry === 'string' && parseCidr(entry).ok;
