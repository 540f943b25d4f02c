/**
 * Where the admin API reads and changes keys, policies and address lists: what the key file and Redis have in common. A change is decided while nobody
 * else can make one, so that two writers never lose each other's. Makes nothing live: that is the key source's.
 */
import type { Finding } from '../config/issue.ts';
import { sha256Hex } from '../lib/digest.ts';
import type { KeyDefinition, Loaded, LoadedDefinition } from './definition.ts';
import type { KeySet, RecordKind, RecordUsers } from './record-kind.ts';

/** What should become of a key: its next definition, null to remove it, or a reason to leave all as it is. */
export type Change<R, T = KeyDefinition> = { readonly next: T | null } | { readonly refused: R };

/** Asked with what is stored under the id at this moment, null for nothing; may be asked again when that changed meanwhile. */
export type Decide<R> = (stored: LoadedDefinition | null) => Change<R>;

/** The same of a policy or an address list, with those who use it at this moment. */
export type DecideRecord<R, T> = (stored: Loaded<T> | null, users: RecordUsers) => Change<R, T>;

export type StoreFailure =
  /** Nothing may be written here. */
  | { readonly kind: 'read_only'; readonly why: string }
  /** The store cannot be read or reached now; `why` is a sentence fit to show. */
  | { readonly kind: 'unavailable'; readonly why: string }
  /** What was asked for cannot be written without touching something else. */
  | { readonly kind: 'not_editable'; readonly why: string }
  /** The definition clashes with what else is stored, or names what is not there. */
  | { readonly kind: 'contradiction'; readonly findings: readonly Finding[] };

export type Updated<R, T = KeyDefinition> =
  | { readonly ok: true; readonly before: T | null; readonly after: T | null }
  | { readonly ok: false; readonly refused: R }
  | { readonly ok: false; readonly failure: StoreFailure };

export type Stored<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: StoreFailure };

export interface KeyStore {
  readonly kind: 'file' | 'redis';
  /** Why nothing can be written, or null. */
  readonly readOnly: () => string | null;
  /** Every definition, in the order of the file or of the ids. */
  readonly list: () => Promise<Stored<readonly LoadedDefinition[]>>;
  /** What is stored under the id, or null. */
  readonly get: (id: string) => Promise<Stored<LoadedDefinition | null>>;
  /** Changes one key, or nothing. A change to what is already there writes nothing. */
  readonly update: <R>(id: string, decide: Decide<R>) => Promise<Updated<R>>;
  /** Every key, policy and address list, as they are at one moment where that can be had. */
  readonly everything: () => Promise<Stored<KeySet>>;
  /** Changes one policy or one address list, or nothing. What would make a key unusable is a contradiction. */
  readonly updateRecord: <R, T>(
    kind: RecordKind<T>,
    name: string,
    decide: DecideRecord<R, T>,
  ) => Promise<Updated<R, T>>;
  readonly close: () => void;
}

/** Tells one content of a definition from every other; the same wherever and however it is stored. */
export function definitionVersion(stored: Loaded<object>): string {
  const content = 'definition' in stored ? Object.entries(stored.definition) : Object.entries(stored);
  return sha256Hex(JSON.stringify(content.sort(([a], [b]) => (a < b ? -1 : 1)))).slice(0, 32);
}
