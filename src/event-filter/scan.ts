/**
 * Steps over JSON (RFC 8259, strictly) in a byte buffer: each function takes the position where something begins and
 * returns the position after it. It makes no values and never recurses; whether the bytes are UTF-8 is for the caller to check.
 */

/** What the functions here return in place of a position when the text is not JSON. */
export const INVALID = -1;

/** Levels of objects and arrays that a body may have. */
export const MAX_DEPTH = 64;

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_ARRAY = 0x5b;
export const CLOSE_ARRAY = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;

const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const ZERO = 0x30;
const SPACE = 0x20;

/** 1 for each byte that a string may hold as it is, 0 for the quote, the backslash and control characters. */
const IN_STRING = byteClass((byte) => byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH);
const DIGIT = byteClass((byte) => byte >= ZERO && byte <= 0x39);
const HEX_DIGIT = byteClass((byte) => /[0-9A-Fa-f]/.test(String.fromCharCode(byte)));
const WHITE_SPACE = byteClass((byte) => byte === SPACE || byte === 0x09 || byte === 0x0a || byte === 0x0d);
const SHORT_ESCAPE = byteClass((byte) => '"\\/bfnrt'.includes(String.fromCharCode(byte)));

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');

/** A table with 1 for the bytes that belong to the class. */
export function byteClass(belongs: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (belongs(byte) ? 1 : 0));
}

/** The position of the first byte at or after `start` that is not white space; the length when there is none. */
export function skipSpace(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && WHITE_SPACE[bytes[at] as number] === 1) at++;
  return at;
}

/** The position of the first byte that a string may not hold as it is. Four bytes a step: half of all bytes are stepped over here. */
function skipPlainText(bytes: Uint8Array, start: number): number {
  const lastFour = bytes.length - 4;
  let at = start;
  for (; at <= lastFour; at += 4) {
    if (IN_STRING[bytes[at] as number] === 0) return at;
    if (IN_STRING[bytes[at + 1] as number] === 0) return at + 1;
    if (IN_STRING[bytes[at + 2] as number] === 0) return at + 2;
    if (IN_STRING[bytes[at + 3] as number] === 0) return at + 3;
  }
  while (at < bytes.length && IN_STRING[bytes[at] as number] === 1) at++;
  return at;
}

/** Steps over the rest of a string: from any place inside it to the position after its closing quote. */
export function skipString(bytes: Uint8Array, start: number): number {
  let at = start;
  for (;;) {
    at = skipPlainText(bytes, at);
    if (at >= bytes.length) return INVALID;
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte !== BACKSLASH) return INVALID;
    at = skipEscape(bytes, at + 1);
    if (at === INVALID) return INVALID;
  }
}

/** Steps over what follows a backslash. */
function skipEscape(bytes: Uint8Array, start: number): number {
  if (start >= bytes.length) return INVALID;
  const byte = bytes[start] as number;
  if (SHORT_ESCAPE[byte] === 1) return start + 1;
  if (byte !== 0x75 || start + 5 > bytes.length) return INVALID;
  for (let at = start + 1; at < start + 5; at++) if (HEX_DIGIT[bytes[at] as number] === 0) return INVALID;
  return start + 5;
}

/** Steps over a value that lies inside `depth` objects and arrays. */
export function skipValue(bytes: Uint8Array, start: number, depth: number): number {
  if (start >= bytes.length) return INVALID;
  const byte = bytes[start] as number;
  if (byte === QUOTE) return skipString(bytes, start + 1);
  if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) return skipNested(bytes, start, depth);
  return skipPlain(bytes, start);
}

/** The closing bracket of each level that is open. One is enough: scanning is synchronous. */
const closers = new Uint8Array(MAX_DEPTH + 1);

/** Steps over an object or array with all that it holds. */
function skipNested(bytes: Uint8Array, start: number, depth: number): number {
  let level = depth;
  let at = start;
  for (;;) {
    const byte = at < bytes.length ? (bytes[at] as number) : 0;
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (level === MAX_DEPTH) return INVALID;
      const closer = byte + 2;
      closers[++level] = closer;
      at = skipSpace(bytes, at + 1);
      if (at >= bytes.length || bytes[at] !== closer) {
        if (closer === CLOSE_OBJECT) at = skipName(bytes, at);
        if (at === INVALID) return INVALID;
        continue;
      }
      at++;
      level--;
    } else {
      at = byte === QUOTE ? skipString(bytes, at + 1) : skipPlain(bytes, at);
      if (at === INVALID) return INVALID;
    }
    for (;;) {
      if (level === depth) return at;
      at = skipSpace(bytes, at);
      if (at >= bytes.length) return INVALID;
      const next = bytes[at++];
      if (next === COMMA) break;
      if (next !== closers[level]) return INVALID;
      level--;
    }
    at = skipSpace(bytes, at);
    if (closers[level] === CLOSE_OBJECT) at = skipName(bytes, at);
    if (at === INVALID) return INVALID;
  }
}

/** Steps over a member's name, the colon and the spacing, to where its value begins. */
export function skipName(bytes: Uint8Array, start: number): number {
  if (start >= bytes.length || bytes[start] !== QUOTE) return INVALID;
  const after = skipString(bytes, start + 1);
  return after === INVALID ? INVALID : skipColon(bytes, after);
}

/** Steps over the colon after a member's name and the spacing around it. */
export function skipColon(bytes: Uint8Array, start: number): number {
  const at = skipSpace(bytes, start);
  return at < bytes.length && bytes[at] === COLON ? skipSpace(bytes, at + 1) : INVALID;
}

/** Steps over a number or a literal. */
function skipPlain(bytes: Uint8Array, start: number): number {
  if (start >= bytes.length) return INVALID;
  const byte = bytes[start] as number;
  if (byte === MINUS || DIGIT[byte] === 1) return skipNumber(bytes, start);
  if (byte === NULL[0]) return skipLiteral(bytes, start, NULL);
  if (byte === TRUE[0]) return skipLiteral(bytes, start, TRUE);
  if (byte === FALSE[0]) return skipLiteral(bytes, start, FALSE);
  return INVALID;
}

function skipLiteral(bytes: Uint8Array, start: number, literal: Buffer): number {
  if (start + literal.length > bytes.length) return INVALID;
  for (let i = 1; i < literal.length; i++) if (bytes[start + i] !== literal[i]) return INVALID;
  return start + literal.length;
}

/** RFC 8259 section 6: no plus sign, no leading zeros, digits on both sides of the point. */
function skipNumber(bytes: Uint8Array, start: number): number {
  let at = bytes[start] === MINUS ? start + 1 : start;
  at = at < bytes.length && bytes[at] === ZERO ? at + 1 : skipDigits(bytes, at);
  if (at === INVALID || at >= bytes.length) return at;
  if (bytes[at] === 0x2e) {
    at = skipDigits(bytes, at + 1);
    if (at === INVALID || at >= bytes.length) return at;
  }
  if (bytes[at] !== 0x65 && bytes[at] !== 0x45) return at;
  at++;
  if (at < bytes.length && (bytes[at] === 0x2b || bytes[at] === MINUS)) at++;
  return skipDigits(bytes, at);
}

/** At least one digit. */
function skipDigits(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && DIGIT[bytes[at] as number] === 1) at++;
  return at === start ? INVALID : at;
}

/** Steps over one value and returns where it ends, or `INVALID`. */
export type Skip = (bytes: Buffer, start: number) => number;

/** Steps over the array whose opening bracket is at `start`, item by item. */
export function walkItems(bytes: Buffer, start: number, skipItem: Skip): number {
  let at = skipSpace(bytes, start + 1);
  if (at < bytes.length && bytes[at] === CLOSE_ARRAY) return at + 1;
  for (;;) {
    at = skipItem(bytes, at);
    if (at === INVALID) return INVALID;
    at = skipSpace(bytes, at);
    if (at >= bytes.length) return INVALID;
    const byte = bytes[at++];
    if (byte === CLOSE_ARRAY) return at;
    if (byte !== COMMA) return INVALID;
    at = skipSpace(bytes, at);
  }
}
