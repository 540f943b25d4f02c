/**
 * Reads the characters of a JSON string one by one, with escapes undone and without making a string, and tells which of them
 * lenient readers drop. It takes well-formed strings in UTF-8: of others it reads something, and never more than there is.
 */
import { IGNORED } from '../lib/name-folding.ts';

const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

/** How far `characterAt` shifts the code point to make room for the length. */
export const LENGTH_BITS = 4;
export const LENGTH_MASK = (1 << LENGTH_BITS) - 1;

/**
 * The character at `at`: its code point, shifted by `LENGTH_BITS`, and the bytes that it takes, 1 to 12. Two escapes that are
 * a surrogate pair are one character; a lone surrogate is a code point of its own.
 */
export function characterAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at] as number;
  if (byte === BACKSLASH) return escapeAt(bytes, at);
  if (byte < 0x80) return (byte << LENGTH_BITS) | 1;
  if (byte < 0xe0) return ((((byte & 0x1f) << 6) | tail(bytes, at + 1)) << LENGTH_BITS) | 2;
  if (byte < 0xf0)
    return ((((byte & 0x0f) << 12) | (tail(bytes, at + 1) << 6) | tail(bytes, at + 2)) << LENGTH_BITS) | 3;
  const upper = ((byte & 0x07) << 18) | (tail(bytes, at + 1) << 12);
  return (Math.min(upper | (tail(bytes, at + 2) << 6) | tail(bytes, at + 3), 0x10ffff) << LENGTH_BITS) | 4;
}

/** The string from `start` to `end` if its bytes are what it means: printable ASCII without an escape; else null. */
export function plainText(bytes: Buffer, start: number, end: number): string | null {
  for (let at = start; at < end; at++) if (PLAIN[bytes[at] as number] === 0) return null;
  return bytes.toString('latin1', start, end);
}

const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x7f && byte !== BACKSLASH ? 1 : 0,
);

function tail(bytes: Uint8Array, at: number): number {
  return at < bytes.length ? (bytes[at] as number) & 0x3f : 0;
}

function escapeAt(bytes: Uint8Array, at: number): number {
  const letter = bytes[at + 1] as number;
  if (letter !== LETTER_U) return ((SHORT_ESCAPES[letter] as number) << LENGTH_BITS) | 2;
  const unit = hexUnit(bytes, at + 2);
  if (unit >= 0xd800 && unit < 0xdc00 && bytes[at + 6] === BACKSLASH && bytes[at + 7] === LETTER_U) {
    const low = hexUnit(bytes, at + 8);
    if (low >= 0xdc00 && low < 0xe000)
      return ((0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)) << LENGTH_BITS) | 12;
  }
  return (unit << LENGTH_BITS) | 6;
}

/** By the letter after the backslash: the character that is meant. */
const SHORT_ESCAPES = Uint8Array.from({ length: 256 }, (_, byte) => byte);
for (const [letter, meant] of Object.entries({ b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }))
  SHORT_ESCAPES[letter.charCodeAt(0)] = meant.charCodeAt(0);

const HEX = Uint8Array.from({ length: 256 }, (_, byte) => Number.parseInt(String.fromCharCode(byte), 16) || 0);

function hexUnit(bytes: Uint8Array, at: number): number {
  return (digit(bytes, at) << 12) | (digit(bytes, at + 1) << 8) | (digit(bytes, at + 2) << 4) | digit(bytes, at + 3);
}

function digit(bytes: Uint8Array, at: number): number {
  return HEX[bytes[at] as number] as number;
}

/** The kinds of `kindOf`. */
export const VISIBLE = 0;
export const DROPPED = 1;
/** What `trim` takes away; most controls are dropped before it comes to that. */
export const WHITE = 2;

/** Whether a character is dropped, is white space, or neither. */
export function kindOf(point: number): number {
  const page = pages[point >> 8] ?? makePage(point >> 8);
  return page[point & 0xff] as number;
}

/** By blocks of 256 characters, each made when it is first asked for. */
const pages: (Uint8Array | undefined)[] = Array.from({ length: 0x1100 }, () => undefined);

function makePage(index: number): Uint8Array {
  const kinds = new Uint8Array(256);
  const text = String.fromCodePoint(...Array.from({ length: 256 }, (_, i) => index * 256 + i));
  for (const [white] of text.matchAll(/\s/g)) kinds[white.charCodeAt(0) & 0xff] = WHITE;
  for (const [dropped] of text.matchAll(IGNORED)) kinds[(dropped.codePointAt(0) as number) & 0xff] = DROPPED;
  pages[index] = kinds;
  return kinds;
}
