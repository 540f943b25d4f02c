/**
 * Reads one definition as it is stored in Redis into a key, or into the reason why it cannot be used beside the stored policies and
 * lists. Keys by the thousand differ in little but their names, secrets and addresses: what they share is validated and compiled
 * once. Whatever is not plainly of that kind is read in full; the outcome is the same.
 */
import { compileAllowRule } from './address-rule.ts';
import { compileSecret, completed, keyCompiler } from './compile.ts';
import { createDefinitionKinds, type OwnParts, type Written } from './definition-kinds.ts';
import type { SharedRecords } from './definition.ts';
import type { Key } from './key.ts';
import { readStoredDefinition } from './read-definition.ts';
import { recordsNamedBy } from './whole-definition.ts';

/** `records`: the policies and lists that it names, whether they are there or not, as `policy:NAME` and `list:NAME`. */
export type StoredKey =
  | { readonly key: Key; readonly invalid: null; readonly records: readonly string[] }
  | { readonly key: null; readonly invalid: string; readonly records: readonly string[] };

export type StoredKeyReader = (id: string, json: string) => StoredKey;

/** Reads keys beside these records, which may not change: for others there is another reader. */
export function createStoredKeyReader(records: SharedRecords): StoredKeyReader {
  const kinds = createDefinitionKinds<StoredKey & { readonly key: Key }>();
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
    const written = parseObject(id, json);
    if (written === undefined) return readInFull(id, json);
    const alike = kinds.find(written);
    if (alike !== null) return { ...alike.known, key: ofKind(alike.known.key, alike.own) };
    const read = readInFull(id, json);
    if (read.key !== null) kinds.remember(written, read);
    return read;
  };
}

/** A key that differs from this one in nothing else. */
function ofKind(known: Key, { id, secrets, addresses }: OwnParts): Key {
  const allowFrom = addresses === null ? known.allowFrom : compileAllowRule(addresses.map(addressOf));
  return { ...known, id, secrets: secrets.map(({ hash }) => compileSecret(hash, null)), allowFrom };
}

const addressOf = (address: string): { readonly address: string } => ({ address });

/** With its id, which may be left out. undefined: it is none, or says another. */
function parseObject(id: string, json: string): Written | undefined {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const written = { id, ...value };
    return written.id === id ? written : undefined;
  } catch {
    return undefined;
  }
}
