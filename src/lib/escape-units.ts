/**
 * Text in the escapes of JSON (RFC 8259 7), for what neither a log nor a terminal may obey.
 */

/** Each UTF-16 code unit as `\uXXXX`. */
export const escapeUnits = (text: string): string =>
  text.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
