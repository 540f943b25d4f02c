/**
 * Takes credentials out of text that is to be shown: what stands before the host of a URL, and every value of its query.
 * It over-redacts where a text is unclear, and never decides what is logged.
 */
import { withoutCredentials } from '../config/without-credentials.ts';

/** What may hold a URL to its end, since none of these characters stands in one. */
const WORD = /[^\s"'<>]+/g;

/** Any text, with the credentials of each URL in it replaced by `***`: for log fields and for showing the configuration. */
export function redactUrls(text: string): string {
  return text.includes('://') ? text.replace(WORD, redactWord) : text;
}

/** From the scheme on, the whole word is the URL. */
function redactWord(word: string): string {
  for (let mark = word.indexOf('://'); mark !== -1; mark = word.indexOf('://', mark + 3)) {
    if (mark + 3 === word.length) return word;
    let start = mark;
    // A scheme begins with a letter (RFC 3986 3.1).
    for (let i = mark - 1; i >= 0 && /[a-z0-9+.-]/i.test(word.charAt(i)); i--)
      if (/[a-z]/i.test(word.charAt(i))) start = i;
    if (start < mark) return word.slice(0, start) + redactUrl(word.slice(start));
  }
  return word;
}

/** One URL with its credentials and the values of its query replaced. */
export function redactUrl(url: string): string {
  const bare = withoutCredentials(url);
  const query = bare.indexOf('?');
  if (query === -1) return bare;
  return bare.slice(0, query) + bare.slice(query).replace(/=[^&#]*/g, '=***');
}
