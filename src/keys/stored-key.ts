/**
 * Reads one definition as it is stored in Redis into a key, or into the reason why it cannot be used. Keys that differ in
 * nothing but their names and secrets are common by the thousand: what they share is validated and compiled once.
 */
import { compileKeys } from './compile.ts';
import type { Key, KeySecret } from './key.ts';
import { readStoredDefinition } from './read-definition.ts';

export type StoredKey =
  { readonly key: Key; readonly invalid: null } | { readonly key: null; readonly invalid: string };

export type StoredKeyReader = (id: string, json: string) => StoredKey;

/** Beyond this many different kinds of keys nothing is gained by remembering more. */
const MAX_TEMPLATES = 1000;
const ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const HASH = /^sha256:[0-9a-f]{64}$/;
const PLAIN_TEXT = /^[ -~]{0,200}$/;

export function createStoredKeyReader(): StoredKeyReader {
  const templates = new Map<string, Key>();
  return (id, json) => {
    const plain = ID.test(id) ? splitPlain(id, json) : undefined;
    const template = plain && templates.get(plain.shared);
    if (plain !== undefined && template !== undefined)
      return { key: { ...template, id, secrets: plain.secrets }, invalid: null };
    const loaded = readStoredDefinition(id, json);
    if ('invalid' in loaded) return { key: null, invalid: loaded.invalid };
    const key = compileKeys([loaded], 0).byId.get(id);
    if (key === undefined) throw new Error('a valid definition did not compile');
    if (plain !== undefined) {
      if (templates.size >= MAX_TEMPLATES) templates.clear();
      templates.set(plain.shared, key);
    }
    return { key, invalid: null };
  };
}

interface PlainDefinition {
  /** Everything but id, description and secrets, as text: what decides whether the rest of the definition is valid. */
  readonly shared: string;
  readonly secrets: readonly KeySecret[];
}

/**
 * Splits a definition whose id, description and secrets are beyond doubt: hashes without expiry, none of them twice.
 * Undefined for any other, which is then read in full.
 */
function splitPlain(id: string, json: string): PlainDefinition | undefined {
  let written: unknown;
  try {
    written = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof written !== 'object' || written === null || Array.isArray(written)) return undefined;
  const { id: writtenId = id, description = '', secrets, ...rest } = written as Record<string, unknown>;
  if (writtenId !== id || typeof description !== 'string' || !PLAIN_TEXT.test(description) || 'secret' in rest)
    return undefined;
  if (!Array.isArray(secrets) || secrets.length === 0) return undefined;
  const plain: KeySecret[] = [];
  for (const secret of secrets as unknown[]) {
    const digest = plainDigest(secret);
    if (digest === undefined || plain.some((known) => known.digest === digest)) return undefined;
    plain.push({ id: digest.slice(0, 12), digest, expiresAt: null });
  }
  return { shared: JSON.stringify(rest), secrets: plain };
}

function plainDigest(secret: unknown): string | undefined {
  if (typeof secret !== 'object' || secret === null) return undefined;
  const { hash, ...others } = secret as Record<string, unknown>;
  if (typeof hash !== 'string' || !HASH.test(hash) || Object.keys(others).length > 0) return undefined;
  return hash.slice('sha256:'.length);
}
