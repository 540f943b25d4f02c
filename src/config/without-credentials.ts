/**
 * Takes credentials out of what is to be shown. Up to the last `@`, because a password that someone forgot to encode may hold `/`
 * and `@`.
 */

/** Of a URL. */
export function withoutCredentials(text: string): string {
  const start = text.indexOf('//') + 2;
  const end = text.lastIndexOf('@');
  return start < 2 || end < start ? text : `${text.slice(0, start)}***${text.slice(end)}`;
}

/** Of a text whose very form may be wrong: all that stands before the last `@` may be a password, whatever was meant. */
export const withoutAllBeforeHost = (text: string): string => text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1***@');
