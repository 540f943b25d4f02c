/**
 * Writes characters as escapes of JSON (RFC 8259 7), so that neither a log reader nor a terminal acts on them.
 */

/** Each UTF-16 code unit as `\uXXXX`. */
export const escapeUnits = (text: string): string =>
  text.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
