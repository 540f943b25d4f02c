/**
 * Looks up event names as they stand in a body, without making strings of them.
 * Names compare by exact code points after unescaping; nothing is folded, trimmed or normalised.
 */
import { characterAt, LENGTH_BITS, LENGTH_MASK } from './characters.ts';

/** Whether the string between `start` and the closing quote at `close` is one of the names. */
export type NameMatcher = (bytes: Buffer, start: number, close: number) => boolean;

const BACKSLASH = 0x5c;

/** A name with an unpaired surrogate can match nothing: no two parsers agree on what it is. */
export function compileNames(names: ReadonlySet<string>): NameMatcher {
  const known = [...names].filter((name) => !/\p{Cs}/u.test(name)).map((name) => Buffer.from(name));
  const table = hashTable(known);
  const mask = table.length - 1;
  // Names with escapes are spelled out here. One is enough: matching is synchronous.
  const plain = Buffer.alloc(Math.max(0, ...known.map((name) => name.length)));

  const isKnown = (bytes: Buffer, start: number, length: number, hash: number): boolean => {
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const name = table[slot];
      if (name === undefined) return false;
      if (name.length === length && equals(bytes, start, name)) return true;
    }
  };

  return (bytes, start, close) => {
    let hash = 0;
    for (let at = start; at < close; at++) {
      const byte = bytes[at] as number;
      if (byte === BACKSLASH) {
        const length = unescape(bytes, start, close, plain);
        return length !== UNMATCHABLE && isKnown(plain, 0, length, hashOf(plain, length));
      }
      hash = step(hash, byte);
    }
    return isKnown(bytes, start, close - start, hash);
  };
}

const UNMATCHABLE = -1;

/** Writes the string in UTF-8, with its escapes undone, and returns its length: UNMATCHABLE if it has no room or no UTF-8. */
function unescape(bytes: Buffer, start: number, close: number, target: Buffer): number {
  let length = 0;
  for (let at = start; at < close;) {
    const character = characterAt(bytes, at);
    const point = character >> LENGTH_BITS;
    const size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (length + size > target.length || (point >= 0xd800 && point < 0xe000)) return UNMATCHABLE;
    if (size === 1) target[length] = point;
    else {
      for (let i = size - 1, rest = point; i > 0; i--, rest >>= 6) target[length + i] = 0x80 | (rest & 0x3f);
      target[length] = LEADS[size] | (point >> (6 * (size - 1)));
    }
    length += size;
    at += character & LENGTH_MASK;
  }
  return length;
}

/** By the bytes that a character takes: the marks in the first of them (RFC 3629 section 3). */
const LEADS = [0, 0, 0xc0, 0xe0, 0xf0] as const;

function hashOf(bytes: Buffer, length: number): number {
  let hash = 0;
  for (let i = 0; i < length; i++) hash = step(hash, bytes[i] as number);
  return hash;
}

/** Open addressing, at most half full. The names come from the configuration, so nobody can aim for collisions. */
function hashTable(names: readonly Buffer[]): (Buffer | undefined)[] {
  const size = 2 ** Math.ceil(Math.log2(2 * names.length + 2));
  const table: (Buffer | undefined)[] = Array.from({ length: size }, () => undefined);
  for (const name of names) {
    let slot = name.reduce(step, 0) & (size - 1);
    while (table[slot] !== undefined) slot = (slot + 1) & (size - 1);
    table[slot] = name;
  }
  return table;
}

function step(hash: number, byte: number): number {
  return (Math.imul(hash, 31) + byte) | 0;
}

function equals(bytes: Buffer, start: number, name: Buffer): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name[i]) return false;
  return true;
}
