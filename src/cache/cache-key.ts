/**
 * Under which key an answer is found: a digest of everything that shapes it. Parts are joined with their lengths, so that no
 * two different requests give the same bytes to digest.
 */
import { createHash, hash } from 'node:crypto';

/** Whose answers an entry is for: one key's alone. */
export interface CacheHolder {
  /** '' for callers of a route that needs no key, who share what is kept. */
  readonly id: string;
  readonly apiKeyDigest: string | null;
}

export interface CacheKeyParts {
  readonly holder: CacheHolder;
  readonly method: string;
  /** The client's, where it may shape the answer, else undefined. */
  readonly host: string | undefined;
  /** Path and query exactly as forwarded. */
  readonly target: string;
  /** What tells the backend how to read the body. */
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  /** What else of the request may shape the answer, as one unambiguous text. */
  readonly shape: string;
  readonly body: Buffer;
}

/** Makes the keys of one scope. Whoever asks what was asked last gets that key without a digest: all that shapes it is compared whole. */
export function cacheKeysOf(scope: string): (parts: CacheKeyParts) => string {
  let last: CacheKeyParts | null = null;
  let lastKey = '';
  return (parts) => {
    if (last !== null && isSame(last, parts)) return lastKey;
    const key = cacheKey(scope, parts);
    if (parts.body.length <= TEXT_LIMIT) {
      last = partsOf(parts);
      lastKey = key;
    }
    return key;
  };
}

const isSame = (last: CacheKeyParts, parts: CacheKeyParts): boolean =>
  last.holder.id === parts.holder.id &&
  last.holder.apiKeyDigest === parts.holder.apiKeyDigest &&
  last.method === parts.method &&
  last.target === parts.target &&
  last.contentType === parts.contentType &&
  last.contentEncoding === parts.contentEncoding &&
  last.host === parts.host &&
  last.shape === parts.shape &&
  last.body.equals(parts.body);

/** Of the request nothing else is kept, nor of its key. */
function partsOf(parts: CacheKeyParts): CacheKeyParts {
  const { method, host, target, contentType, contentEncoding, shape, body } = parts;
  const holder = { id: parts.holder.id, apiKeyDigest: parts.holder.apiKeyDigest };
  return { holder, method, host, target, contentType, contentEncoding, shape, body };
}

/** Up to this size the body is digested as text with the rest, in one call; above, a copy of it would cost more. */
const TEXT_LIMIT = 16_384;

/** The key of a request, before any header that its answers vary by: 64 hex digits. */
export function cacheKey(scope: string, parts: CacheKeyParts): string {
  const { holder, method, host, target, contentType, contentEncoding, shape, body } = parts;
  // With the length of the body, that its bytes as text (latin1) never are another body's bytes.
  const head = `${scope}${part(holder.id)}${part(holder.apiKeyDigest)}${part(method)}${part(target)}${part(contentType)}${part(contentEncoding)}${part(host)}${part(shape)}${body.length}:`;
  return body.length > TEXT_LIMIT
    ? createHash('sha256').update(head).update(body).digest('hex')
    : hash('sha256', head + body.toString('latin1'));
}

/** The key of one variant: the request's key, and the values of the headers that the answer varies by, absent ones told apart. */
export function variantKey(baseKey: string, names: readonly string[], headers: readonly string[]): string {
  const values = new Map<string, string>();
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    const value = headers[i + 1] as string;
    const before = values.get(name);
    // RFC 9110 5.3: repeated fields mean the same as one field with the values joined.
    values.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return hash('sha256', `${baseKey}${names.map((name) => part(name) + part(values.get(name))).join('')}`);
}

/** A netstring, or `-` for what is not there. */
function part(text: string | null | undefined): string {
  return text === null || text === undefined ? '-' : `${text.length}:${text}`;
}
