/**
 * Takes credentials out of text that is to be shown: what stands before the host of a URL, and every value of its query.
 * It over-redacts where a text is unclear, and never decides what is logged.
 */

const URL_IN_TEXT = /[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi;

/** Any text, with the credentials of each URL in it replaced by `***`: for log fields and for showing the configuration. */
export function redactUrls(text: string): string {
  return text.includes('://') ? text.replace(URL_IN_TEXT, redactUrl) : text;
}

/**
 * One URL with its credentials replaced. Up to the last `@`, because a password that someone forgot to encode may hold `/`, `?` or `@`.
 */
export function redactUrl(url: string): string {
  const start = url.indexOf('://') + 3;
  const end = url.lastIndexOf('@');
  const bare = end < start ? url : `${url.slice(0, start)}***${url.slice(end)}`;
  const query = bare.indexOf('?');
  if (query === -1) return bare;
  return bare.slice(0, query) + bare.slice(query).replace(/=[^&#]*/g, '=***');
}
