/**
 * The browser guard: a key that must stay secret must never live in a web page, and one that pages may use only in those that it
 * names.
 */
import type { Key } from '../keys/key.ts';
import { refusal, type Refusal } from '../refusal.ts';
import { keyAdmitsOrigin } from './cors.ts';
import type { HeaderFacts } from './header-facts.ts';

/**
 * Refuses a request whose headers say that a web page sent it, if the key does not admit that.
 * `Sec-Fetch-Site` is a forbidden header name (Fetch standard): a page can neither set nor remove it.
 */
export function checkBrowser({ origin, originCount, secFetchSite }: HeaderFacts, key: Key): Refusal | null {
  if (origin === undefined && (key.allowBrowsers || secFetchSite === undefined)) return null;
  if (!key.allowBrowsers)
    return refusal(
      'browser_not_allowed',
      `key ${key.id} (${key.type}) was used from a web page and allowBrowsers is off`,
    );
  if (originCount === 1 && keyAdmitsOrigin(key, origin ?? '')) return null;
  return refusal('origin_not_allowed', `the origin is not among the allowedOrigins of key ${key.id}`);
}
