/**
 * Looks up event names as they stand in a body, without making strings of them.
 * Names compare by exact code points after unescaping; nothing is folded, trimmed or normalised.
 */
import { characterAt, LENGTH_BITS, LENGTH_MASK } from './characters.ts';

/** Whether the string between `start` and the closing quote at `close` is one of the names. */
export type NameMatcher = (bytes: Buffer, start: number, close: number) => boolean;

/** Which of the names it is, by its place among them; UNKNOWN: none. */
export type NameLookup = (bytes: Buffer, start: number, close: number) => number;

export const UNKNOWN = -1;

const BACKSLASH = 0x5c;

export function compileNames(names: ReadonlySet<string>): NameMatcher {
  const find = compileLookup([...names]);
  return (bytes, start, close) => find(bytes, start, close) !== UNKNOWN;
}

/** Whether no part of a text is half a character: a name with such a part can match nothing, as no two parsers agree on it. */
export const isWellFormed = (name: string): boolean => !/\p{Cs}/u.test(name);

export function compileLookup(names: readonly string[]): NameLookup {
  const known = names.map((name, place) => ({ name, place })).filter(({ name }) => isWellFormed(name));
  const bytesOf = known.map(({ name, place }): Name => ({ bytes: Buffer.from(name), place }));
  const table = hashTable(bytesOf);
  const mask = table.length - 1;
  // Names with escapes are spelled out here. One is enough: matching is synchronous.
  const plain = Buffer.alloc(Math.max(0, ...bytesOf.map((name) => name.bytes.length)));

  const placeOf = (bytes: Buffer, start: number, length: number, hash: number): number => {
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const name = table[slot];
      if (name === undefined) return UNKNOWN;
      if (name.bytes.length === length && equals(bytes, start, name.bytes)) return name.place;
    }
  };

  return (bytes, start, close) => {
    let hash = 0;
    for (let at = start; at < close; at++) {
      const byte = bytes[at] as number;
      if (byte === BACKSLASH) {
        const length = unescape(bytes, start, close, plain);
        return length === UNMATCHABLE ? UNKNOWN : placeOf(plain, 0, length, hashOf(plain, length));
      }
      hash = step(hash, byte);
    }
    return placeOf(bytes, start, close - start, hash);
  };
}

interface Name {
  readonly bytes: Buffer;
  readonly place: number;
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
function hashTable(names: readonly Name[]): (Name | undefined)[] {
  const size = 2 ** Math.ceil(Math.log2(2 * names.length + 2));
  const table: (Name | undefined)[] = Array.from({ length: size }, () => undefined);
  for (const name of names) {
    let slot = name.bytes.reduce(step, 0) & (size - 1);
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
