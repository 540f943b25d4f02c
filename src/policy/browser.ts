/**
 * The browser guard: keys that read must never live in a web page, and a write-only key only in the pages it names.
 */
import type { Key } from '../keys/key.ts';
import { refusal, type Refusal } from '../refusal.ts';
import { keyAdmitsOrigin } from './cors.ts';
import type { HeaderFacts } from './header-facts.ts';

/**
 * Refuses a request whose headers say that a web page sent it, if the key does not admit that.
 * `Sec-Fetch-Site` is a forbidden header name (Fetch standard): a page can neither set nor remove it.
 */
export function checkBrowser(headers: HeaderFacts, key: Key): Refusal | null {
  if (key.type !== 'write-only') {
    if (key.allowBrowsers || (headers.origin === undefined && headers.secFetchSite === undefined)) return null;
    return refusal(
      'browser_not_allowed',
      `key ${key.id} (${key.type}) was used from a web page and allowBrowsers is off`,
    );
  }
  if (headers.origin === undefined) return null;
  if (headers.originCount === 1 && keyAdmitsOrigin(key, headers.origin)) return null;
  return refusal('origin_not_allowed', `the origin is not among the allowedOrigins of key ${key.id}`);
}
