/**
 * Takes cookies out of a `Cookie` value (RFC 6265 4.2.1) by their names, as a backend may read those that takes cookies for fields
 * of the request (PHP's `$_REQUEST`). Which names they are is decided elsewhere.
 */
import type { NameReader } from './query.ts';

/** The value without the pairs that are called so, every other byte kept; '' when nothing is left, or when there are too many to look at. */
export function withoutCookies(cookie: string, isName: NameReader): string {
  const pairs = cookie.split(';');
  if (pairs.length > MOST_PAIRS) return '';
  const kept = pairs.filter((pair) => !isCalled(pair, isName));
  return kept.length === pairs.length ? cookie : kept.join(';').replace(/^ +/, '');
}

/** No browser keeps so many for a host; each of them is looked at. */
const MOST_PAIRS = 200;

/** Old readers part cookies by commas, too (RFC 2109 4.2.2). */
const isCalled = (pair: string, isName: NameReader): boolean =>
  pair.split(',', MOST_PAIRS).some((piece) => isName((piece.split('=', 1)[0] as string).trim()));
