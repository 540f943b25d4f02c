/**
 * Tells by the first character of a name that it is none of several that are looked for. Most names of a body end there, however
 * many are looked for; what it does not rule out is compared.
 */
import { characterAt, kindOf, LENGTH_BITS, VISIBLE } from './characters.ts';
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

/** Whether the name that begins at `start` is none of them. */
export function beginsAsNone(bytes: Uint8Array, start: number, first: FirstBytes): boolean {
  const byte = bytes[start] as number;
  if (first[byte] === 0) return true;
  if (byte <= DELETE) return false;
  const point = characterAt(bytes, start) >> LENGTH_BITS;
  return kindOf(point) === VISIBLE && !TO_ASCII.has(point);
}
