/**
 * Whether an upstream's answer may be kept, from its status and headers, and what a client's Cache-Control asks of the cache.
 * Decides nothing about time or access.
 */
import { fieldValues, hasField } from '../lib/header-list.ts';

export interface AnswerHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly string[];
}

/**
 * `storable`: may be kept, one for each combination of the values of `vary`. `failure`: the backend failed (5xx); `shareable`
 * tells whether others who waited for the same may see this answer. `unstorable`: for this one request alone.
 */
export type Storability =
  | { readonly kind: 'storable'; readonly vary: readonly string[] }
  | { readonly kind: 'failure'; readonly shareable: boolean }
  | { readonly kind: 'unstorable' };

/** A backend that varies by more than this is not worth a variant of each. */
const MAX_VARY_NAMES = 16;
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const UNSTORABLE: Storability = { kind: 'unstorable' };

/**
 * Only a 200 is kept, without `Set-Cookie`, `Cache-Control: no-store` or `Vary: *`; and without `private` where callers who know
 * nothing of each other would be given it (`isShared`). How long is a setting alone: other directives and `Expires`, which
 * frameworks send unasked, are the client's to read.
 */
export function storability({ status, headers }: AnswerHead, isShared: boolean): Storability {
  const directives = fieldValue(headers, 'cache-control').toLowerCase();
  const personal =
    hasField(headers, 'set-cookie') || directives.includes('no-store') || (isShared && directives.includes('private'));
  const vary = varyNames(headers);
  if (status >= 500) return { kind: 'failure', shareable: !personal && vary !== null && vary.length === 0 };
  if (status !== 200 || personal || vary === null) return UNSTORABLE;
  return { kind: 'storable', vary };
}

/** `Content-Length` when it is one plain number, else null. */
export function contentLength(headers: readonly string[]): number | null {
  const value = fieldValue(headers, 'content-length');
  return /^\d{1,15}$/.test(value) ? Number(value) : null;
}

/**
 * What the client's `Cache-Control` asks for (RFC 9111 5.2.1): `refresh` for no-cache, `bypass` for no-store, which must not
 * leave a trace either, else an answer no older than `maxAge` seconds.
 */
export type CacheDirective =
  { readonly kind: 'refresh' | 'bypass' } | { readonly kind: 'use'; readonly maxAge: number };

const USE_ANY: CacheDirective = { kind: 'use', maxAge: Infinity };

export function cacheDirective(cacheControl: string | undefined): CacheDirective {
  if (cacheControl === undefined) return USE_ANY;
  let directive: CacheDirective = USE_ANY;
  for (const item of cacheControl.toLowerCase().split(',')) {
    const [name, value] = item.split('=', 2).map((text) => text.trim());
    if (name === 'no-store') return { kind: 'bypass' };
    if (name === 'no-cache') directive = { kind: 'refresh' };
    // A value that is not a number asks for something: the careful reading is the freshest answer.
    if (name === 'max-age' && directive.kind === 'use')
      directive = { kind: 'use', maxAge: /^"?\d+"?$/.test(value ?? '') ? Number(value?.replaceAll('"', '')) : 0 };
  }
  return directive;
}

/** The names of `Vary` in lower case, sorted, each once; null for `*`, too many, or what is not a field name. */
function varyNames(headers: readonly string[]): readonly string[] | null {
  const names = new Set(
    fieldValue(headers, 'vary')
      .toLowerCase()
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  );
  // A coded body suits only those who asked for the coding, whether the backend remembered to say so or not.
  if (hasField(headers, 'content-encoding')) names.add('accept-encoding');
  const sorted = [...names].sort();
  return sorted.length <= MAX_VARY_NAMES && sorted.every((name) => name !== '*' && FIELD_NAME.test(name))
    ? sorted
    : null;
}

/** All values of a field that are not empty, joined (RFC 9110 5.3); '' when there is none. */
export const fieldValue = (headers: readonly string[], name: string): string =>
  fieldValues(headers, name)
    .filter((value) => value !== '')
    .join(', ');
