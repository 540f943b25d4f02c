/**
 * Keys by the thousand differ in little but their names, secrets and addresses. Takes these apart from what makes the kind of a key,
 * and remembers something for each kind, so that what many keys have in common is read once. Whatever is not plainly of that sort is
 * left to be read in full, and whether a kind is valid is for the caller to know.
 */
import { isDeepStrictEqual } from 'node:util';
import { isCidr } from '../lib/cidr.ts';
import type { SecretDefinition, SecretHash } from './definition.ts';

/** A definition as it was written. */
export type Written = Readonly<Record<string, unknown>>;

/** What is a key's own: valid, whatever its kind is, and of no weight for whether the kind is. */
export interface OwnParts {
  readonly id: string;
  /** null: there is none that is text. */
  readonly description: string | null;
  /** Hashes without expiry, none of them twice. */
  readonly secrets: readonly SecretDefinition[];
  /** null: what `allowFrom` says, if anything, is a matter of the kind. */
  readonly addresses: readonly string[] | null;
}

export interface DefinitionKinds<T> {
  /** What was remembered for the kind of this definition, and what is its own; null: it has to be read in full. */
  readonly find: (written: Written) => { readonly known: T; readonly own: OwnParts } | null;
  /** Remembers this for the kind of the definition that was last looked for in vain, and is valid. */
  readonly remember: (written: Written, value: T) => void;
}

/** Beyond this many different kinds nothing is gained by remembering more. */
const MOST_KINDS = 1000;
const ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const HASH = /^sha256:[0-9a-f]{64}$/;

export function createDefinitionKinds<T>(): DefinitionKinds<T> {
  const kinds = new Map<string, Kind<T>>();
  /** Most definitions are of the kind of the one before. */
  let latest: Kind<T> | null = null;
  /** The text of what was last looked for in vain. */
  let missed: string | null = null;
  let found = 0;
  /** Each has a kind of its own: to look for it would be in vain. */
  let allDiffer = false;

  const kindOf = (written: Written): Kind<T> | null => {
    missed = null;
    if (latest !== null && isAlike(latest.written, written)) return latest;
    const text = allDiffer ? null : textOf(written);
    const kind = text === null ? undefined : kinds.get(text);
    // Numbers that JSON cannot tell apart are in one text.
    if (kind !== undefined && isAlike(kind.written, written)) {
      found += 1;
      return (latest = kind);
    }
    missed = text;
    return null;
  };

  return {
    find(written) {
      const kind = kindOf(written);
      const own = kind === null ? null : ownParts(written);
      return kind === null || own === null ? null : { known: kind.value, own };
    },
    remember(written, value) {
      if (missed === null || ownParts(written) === null) return;
      if (kinds.size >= MOST_KINDS) {
        allDiffer = found < MOST_KINDS;
        found = 0;
        kinds.clear();
      }
      latest = { written, value };
      kinds.set(missed, latest);
    },
  };
}

interface Kind<T> {
  /** One of them. */
  readonly written: Written;
  readonly value: T;
}

/** Whether both say the same, but for what is their own, if that is plain in both. */
function isAlike(one: Written, other: Written): boolean {
  const names = Object.keys(one);
  const others = Object.keys(other);
  if (names.length !== others.length) return false;
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    if (name !== others[i]) return false;
    const [a, b] = [one[name], other[name]];
    if (a !== b && !(isOwn(name, a) && isOwn(name, b)) && !isSame(a, b)) return false;
  }
  return true;
}

/** Lists, which most fields are, are compared in the shortest way. */
function isSame(one: unknown, other: unknown): boolean {
  if (!Array.isArray(one)) return isDeepStrictEqual(one, other);
  if (!Array.isArray(other) || one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i] && !isSame(one[i], other[i])) return false;
  return true;
}

function isOwn(name: string, value: unknown): boolean {
  if (name === 'allowFrom') return Array.isArray(value);
  if (name === 'description') return typeof value === 'string';
  return name === 'id' || name === 'secrets';
}

/** By which a kind is looked for. null for what is nested deeper than can be written, which no valid definition is. */
function textOf(written: Written): string | null {
  const shared: Record<string, unknown> = { ...written };
  for (const [name, value] of Object.entries(written)) if (isOwn(name, value)) shared[name] = '';
  try {
    return JSON.stringify(shared);
  } catch {
    return null;
  }
}

/** null for a definition with anything that is its own and not beyond doubt. */
function ownParts({ id, description, secrets, allowFrom }: Written): OwnParts | null {
  if (typeof id !== 'string' || !ID.test(id)) return null;
  const hashes = Array.isArray(secrets) ? plainSecrets(secrets) : null;
  if (hashes === null) return null;
  const addresses = Array.isArray(allowFrom) ? allowFrom : null;
  if (addresses !== null && !addresses.every(isAddress)) return null;
  return { id, description: typeof description === 'string' ? description : null, secrets: hashes, addresses };
}

function plainSecrets(written: readonly unknown[]): SecretDefinition[] | null {
  const secrets: SecretDefinition[] = [];
  for (const secret of written) {
    const hash = plainHash(secret);
    if (hash === null || secrets.some((known) => known.hash === hash)) return null;
    secrets.push({ hash, expiresAt: null });
  }
  return secrets.length > 0 ? secrets : null;
}

function plainHash(secret: unknown): SecretHash | null {
  if (typeof secret !== 'object' || secret === null) return null;
  const { hash } = secret as Written;
  return typeof hash === 'string' && HASH.test(hash) && Object.keys(secret).length === 1 ? (hash as SecretHash) : null;
}

const isAddress = (entry: unknown): entry is string => typeof entry === 'string' && isCidr(entry);
