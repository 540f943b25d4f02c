/**
 * The words that keys are described with, as they are written and as they are compiled: types, modes, limits. Loads nothing.
 */

export const KEY_TYPES = ['write-only', 'read-only', 'read-write', 'metrics'] as const;
export type KeyType = (typeof KEY_TYPES)[number];

export type Mode = 'enforce' | 'report';

/** Whether a key may, must or cannot exchange its secret for access tokens, where the API has them. */
export const TOKEN_USES = ['allowed', 'required', 'never'] as const;
export type TokenUse = (typeof TOKEN_USES)[number];

/** How long a metrics key's answers may be kept: here, because the console is told too, and loads no schema. */
export const CACHE_TTL_MINUTES = { least: 5, most: 525_600, default: 5 } as const;

export interface RateLimit {
  readonly requests: number;
  readonly windowSeconds: number;
}
