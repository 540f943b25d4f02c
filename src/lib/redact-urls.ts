/**
 * Takes credentials out of text that is to be shown: what stands before the host of a URL, and every value of its query.
 * It over-redacts where a text is unclear, and never decides what is shown.
 */

/** What may hold a URL to its end, since none of these characters stands in one. An apostrophe does, in passwords too. */
const WORD = /[^\s"<>]+/g;

/** Any text, with the credentials of each URL in it replaced by `***`: as in the fields of a log line. */
export function redactUrls(text: string): string {
  return text.includes('://') ? text.replace(WORD, redactWord) : text;
}

/** From the scheme on, the whole word is the URL. */
function redactWord(word: string): string {
  for (let mark = word.indexOf('://'); mark !== -1; mark = word.indexOf('://', mark + 3)) {
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

/** One URL without what stands before its host. Up to the last `@`: a password that nobody encoded may hold `/` and `@`. */
export function withoutCredentials(url: string): string {
  const start = url.indexOf('//') + 2;
  const end = url.lastIndexOf('@');
  return start < 2 || end < start ? url : `${url.slice(0, start)}***${url.slice(end)}`;
}

/** The same of a text whose very form may be wrong: all before the last `@` may be a password, whatever was meant. */
export const withoutAllBeforeHost = (text: string): string => text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1***@');
