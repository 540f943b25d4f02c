/**
 * A key as the policy reads it: compiled once from its definition, immutable, with nothing left to parse.
 * Compiling validates nothing: definitions were validated when they were read.
 */
import { METRICS_API } from '../config/api-names.ts';
import type { AddressLists, AddressRule } from './address-rule.ts';
import type { SharedRecords } from './definition.ts';
import type { RouteList } from './allowed-routes.ts';
import type { KeyType, Mode, RateLimit, TokenUse } from './key-fields.ts';

export { CACHE_TTL_MINUTES, KEY_TYPES, TOKEN_USES } from './key-fields.ts';
export type { KeyType, Mode, RateLimit, TokenUse };

/** One secret of a key. `id` is the first 12 hex digits of the digest: safe to show, in logs, metrics and the admin API. */
export interface KeySecret {
  readonly id: string;
  /** SHA-256 of the secret, 64 lower-case hex digits. */
  readonly digest: string;
  /** Milliseconds since the epoch, or null: never. */
  readonly expiresAt: number | null;
}

export interface Key {
  readonly id: string;
  readonly type: KeyType;
  /** The policy that it shares with other keys, and the lists that it has from there. */
  readonly policy: string | null;
  readonly policyFields: ReadonlySet<string>;
  readonly enabled: boolean;
  readonly expiresAt: number | null;
  readonly secrets: readonly KeySecret[];
  /** The APIs that it is for, or null: every API but `metrics`. */
  readonly apis: ReadonlySet<string> | null;
  /** The methods and paths that it may use, or null: all. */
  readonly allowedRoutes: RouteList | null;
  /** From where it may be used. */
  readonly allowFrom: AddressRule;
  /** From where it may not be used, whatever `allowFrom` says. */
  readonly denyFrom: AddressRule;
  /** Exact event names, or null: all. */
  readonly allowedEvents: ReadonlySet<string> | null;
  readonly disallowedEvents: 'remove' | 'reject';
  /** Origins whose pages may use the key, if pages may use it at all, or null: every origin (`*`). */
  readonly allowedOrigins: ReadonlySet<string> | null;
  /** Whether web pages may use it. Always true for write-only keys. */
  readonly allowBrowsers: boolean;
  readonly accessToken: TokenUse;
  readonly rateLimit: RateLimit | null;
  readonly mode: Mode;
  /** Metrics keys: SHA-256 of the API key, hex. */
  readonly apiKeyDigest: string | null;
  readonly cacheTtlMs: number | null;
}

/** Whether the key is for the API of this name. */
export const keyServes = ({ apis }: Key, api: string): boolean => (apis === null ? api !== METRICS_API : apis.has(api));

/** All keys at one moment. Immutable: a change makes a new one. */
export interface KeySnapshot {
  /** Rises by one with each change seen by this process. */
  readonly version: number;
  readonly byId: ReadonlyMap<string, Key>;
  /** By the digest of each secret: the only way from a caller's secret to a key. */
  /** What the names in address rules stand for. */
  readonly lists: AddressLists;
  /** The policies and address lists as they were written. */
  readonly records: SharedRecords;
  readonly bySecret: ReadonlyMap<string, { readonly key: Key; readonly secret: KeySecret }>;
  /** Definitions that could not be used; each disables that one key. */
  readonly invalid: readonly { readonly id: string; readonly why: string }[];
}
