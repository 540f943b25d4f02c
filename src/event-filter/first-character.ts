/**
 * Tells by the first character of a name that it is none of several that are looked for, or which of them it may be. Most names of
 * a body end there, however many are looked for; what it does not rule out is compared.
 */
import { characterAt, kindOf, LENGTH_BITS, LENGTH_MASK, VISIBLE } from './characters.ts';
import { TO_ASCII } from './odd-name.ts';

/** 1 for each first byte that a name may have which is to be compared. */
export type FirstBytes = Uint8Array;

const BACKSLASH = 0x5c;
const SPACE = 0x20;
const DELETE = 0x7f;

/** For names as they are folded; null: one of them begins beyond ASCII or holds what does, and every name is compared. */
export function firstBytesOf(folded: readonly string[]): FirstBytes | null {
  if (folded.some((name) => !/^[ -~]+$/.test(name))) return null;
  const bytes = new Uint8Array(256);
  // `__proto__` is looked for always; what is white, dropped or escaped may stand before the first character.
  for (const name of [...folded, '__proto__'])
    for (const char of [name.charAt(0), name.charAt(0).toUpperCase()]) bytes[char.charCodeAt(0)] = 1;
  bytes.fill(1, 0, SPACE + 1);
  bytes[BACKSLASH] = 1;
  bytes.fill(1, DELETE);
  return bytes;
}

/** In place of the first visible character of a name: it has none, or one that no such name begins with. */
export const NO_INITIAL = -1;
/** In place of it: one that a reader may take for one or the other. */
export const ANY_INITIAL = 0;

/**
 * The first visible character, in lower case, of the name from `start` to its closing quote at `close`. It is read once for all names
 * that are looked for, since whatever shows nothing may stand before it, and very much of that.
 */
export function initialOf(bytes: Uint8Array, start: number, close: number): number {
  for (let at = start; at < close;) {
    const character = characterAt(bytes, at);
    const point = character >> LENGTH_BITS;
    if (point > SPACE && point < DELETE) return point >= 0x41 && point <= 0x5a ? point + 0x20 : point;
    if (kindOf(point) === VISIBLE) return TO_ASCII.has(point) ? ANY_INITIAL : NO_INITIAL;
    at += character & LENGTH_MASK;
  }
  return NO_INITIAL;
}
