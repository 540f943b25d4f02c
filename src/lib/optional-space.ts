/**
 * Optional white space around a header field's value (RFC 9110 5.6.3): spaces and tabs, and nothing that no HTTP parser takes
 * for a space, which `trim` would also take away.
 */

/** The text without spaces and tabs at its ends. A scan, because a pattern for the end is tried at every space before it. */
export function trimOptionalSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isOptionalSpace(text.charCodeAt(start))) start++;
  while (end > start && isOptionalSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

const isOptionalSpace = (code: number): boolean => code === 0x20 || code === 0x09;
