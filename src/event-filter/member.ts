/**
 * Decides whether a member's name is the one that a selector looks for, or one that some parser could take for it.
 * It judges one name at a time; whoever walks the object counts.
 */
import { foldName } from '../lib/name-folding.ts';
import { characterAt, LENGTH_BITS, LENGTH_MASK } from './characters.ts';
import { followFold } from './odd-name.ts';
import { byteClass, INVALID, QUOTE } from './scan.ts';

/**
 * `exact`: the same code points after unescaping, so every parser finds it. `variant`: another name that some parser reads
 * as the same. `prototype`: `__proto__`, from whose value a JavaScript copy of the object inherits.
 */
export type MemberMatch = 'none' | 'exact' | 'variant' | 'prototype';

/** Judges the name between `start` and the closing quote at `close`. */
export type MatchName = (bytes: Buffer, start: number, close: number) => MemberMatch;

/** A member name made ready for comparison. */
export interface Member {
  /** As names are compared that some parser takes for it. */
  readonly folded: string;
  /** The first character of that, or the first half of it. */
  readonly initial: number;
  /** For names of which `closePlainName` told the end. */
  readonly matchPlain: MatchName;
  /** For all other names. */
  readonly matchOdd: MatchName;
  /** To be called before the names of a body. */
  readonly newBody: () => void;
}

const SPACE = 0x20;
const PROTOTYPE = Buffer.from('__proto__');

/** Printable ASCII without the quote and the backslash: such a name means what its bytes say. */
const PLAIN = byteClass((byte) => byte >= SPACE && byte < 0x7f && byte !== QUOTE && byte !== 0x5c);
const LOWER = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));

/** Where the name that begins at `start` has its closing quote; INVALID unless it is of plain bytes, without outer spaces. */
export function closePlainName(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && PLAIN[bytes[at] as number] === 1) at++;
  if (at >= bytes.length || bytes[at] !== QUOTE || bytes[start] === SPACE || bytes[at - 1] === SPACE) return INVALID;
  return at;
}

export function compileMember(name: string): Member {
  const folded = foldName(name);
  const wanted = Buffer.from(name);
  const foldedBytes = Buffer.from(folded);

  const matchPlain: MatchName = (bytes, start, close) => {
    const length = close - start;
    if (length === foldedBytes.length && equalsFolded(bytes, start, foldedBytes))
      return startsWith(bytes, start, wanted) ? 'exact' : 'variant';
    return length === PROTOTYPE.length && startsWith(bytes, start, PROTOTYPE) ? 'prototype' : 'none';
  };
  return { folded, initial: folded.charCodeAt(0), matchPlain, ...compileOdd(name, folded) };
}

/** Character by character: a body may hold hundreds of thousands of odd names. */
function compileOdd(name: string, folded: string): Pick<Member, 'matchOdd' | 'newBody'> {
  const wanted = pointsOf(name);
  const fold = followFold(folded);
  const matchOdd: MatchName = (bytes, start, close) => {
    let exact = 0;
    let prototype = 0;
    let folds = true;
    let hasNul = false;
    fold.begin();
    for (let at = start; at < close;) {
      const character = characterAt(bytes, at);
      const point = character >> LENGTH_BITS;
      if (exact !== LOST) exact = exact < wanted.length && wanted[exact] === point ? exact + 1 : LOST;
      if (prototype !== LOST) prototype = isNextOfPrototype(prototype, point) ? prototype + 1 : LOST;
      if (point === 0 && !hasNul) {
        hasNul = true;
        // What follows it is not read by everybody.
        if (exact === LOST && folds && fold.isWhole(bytes, start, at)) return 'variant';
      }
      folds &&= fold.take(point);
      if (!folds && exact === LOST && prototype === LOST) return 'none';
      at += character & LENGTH_MASK;
    }
    if (exact === wanted.length) return 'exact';
    if (prototype === PROTOTYPE.length) return 'prototype';
    return folds && fold.isWhole(bytes, start, close) ? 'variant' : 'none';
  };
  return { matchOdd, newBody: () => fold.newBody() };
}

/** In place of how many characters of a name have come: another one came. */
const LOST = -1;

const pointsOf = (text: string): readonly number[] => Array.from(text, (char) => char.codePointAt(0) as number);

const isNextOfPrototype = (at: number, point: number): boolean => at < PROTOTYPE.length && PROTOTYPE[at] === point;

function equalsFolded(bytes: Buffer, start: number, folded: Buffer): boolean {
  for (let i = 0; i < folded.length; i++) if (LOWER[bytes[start + i] as number] !== folded[i]) return false;
  return true;
}

function startsWith(bytes: Buffer, start: number, wanted: Buffer): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[start + i] !== wanted[i]) return false;
  return true;
}
