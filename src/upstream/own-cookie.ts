/**
 * The cookie of the console's sessions. Browsers send it to every port of its host, so the data port may see it: it is taken
 * out before a request goes on, because it opens the admin API.
 */

export const OWN_COOKIE = 'postern_session';

/** A `Cookie` value (RFC 6265 4.2.1) without the console's pairs, every other byte kept; '' when nothing is left. */
export function withoutOwnCookie(cookie: string): string {
  if (!cookie.includes(OWN_COOKIE)) return cookie;
  return cookie
    .split(';')
    .filter((pair) => pair.split('=', 1)[0]?.trim() !== OWN_COOKIE)
    .join(';')
    .replace(/^ +/, '');
}
