/**
 * A key as the policy reads it: compiled once from its definition, immutable, with nothing left to parse.
 * Compiling validates nothing: definitions were validated when they were read.
 */
import type { Address } from '../lib/address.ts';

export const KEY_TYPES = ['write-only', 'read-write', 'metrics'] as const;
export type KeyType = (typeof KEY_TYPES)[number];

export type Mode = 'enforce' | 'report';

/** How long a metrics key's answers may be kept: here, because the console is told too, and loads no schema. */
export const CACHE_TTL_MINUTES = { least: 5, most: 525_600, default: 5 } as const;

/** One secret of a key. `id` is the first 12 hex digits of the digest: safe to show, in logs, metrics and the admin API. */
export interface KeySecret {
  readonly id: string;
  /** SHA-256 of the secret, 64 lower-case hex digits. */
  readonly digest: string;
  /** Milliseconds since the epoch, or null: never. */
  readonly expiresAt: number | null;
}

export interface RateLimit {
  readonly requests: number;
  readonly windowSeconds: number;
}

export interface Key {
  readonly id: string;
  readonly type: KeyType;
  readonly enabled: boolean;
  readonly expiresAt: number | null;
  readonly secrets: readonly KeySecret[];
  /** Whether the address is on the key's allow-list; null (unknown) is on none but `anywhere`. */
  readonly admitsAddress: (address: Address | null) => boolean;
  /** Exact event names, or null: all. */
  readonly allowedEvents: ReadonlySet<string> | null;
  readonly disallowedEvents: 'remove' | 'reject';
  /** Origins whose pages may use a write-only key, or null: every origin (`*`). */
  readonly allowedOrigins: ReadonlySet<string> | null;
  readonly allowBrowsers: boolean;
  readonly rateLimit: RateLimit | null;
  readonly mode: Mode;
  /** Metrics keys: SHA-256 of the API key, hex. */
  readonly apiKeyDigest: string | null;
  readonly cacheTtlMs: number | null;
}

/** All keys at one moment. Immutable: a change makes a new one. */
export interface KeySnapshot {
  /** Rises by one with each change seen by this process. */
  readonly version: number;
  readonly byId: ReadonlyMap<string, Key>;
  /** By the digest of each secret: the only way from a caller's secret to a key. */
  readonly bySecret: ReadonlyMap<string, { readonly key: Key; readonly secret: KeySecret }>;
  /** Definitions that could not be used; each disables that one key. */
  readonly invalid: readonly { readonly id: string; readonly why: string }[];
}
