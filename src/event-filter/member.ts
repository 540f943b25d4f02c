/**
 * Decides whether a member's name is the one that a selector looks for, or one that some parser could take for it.
 * It judges one name at a time; whoever walks the object counts.
 */
import { foldName, foldsTo } from './fold.ts';
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
  /** For names of which `closePlainName` told the end. */
  readonly matchPlain: MatchName;
  /** For all other names. */
  readonly matchOdd: MatchName;
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
  const matchOdd: MatchName = (bytes, start, close) => {
    const text = JSON.parse(bytes.toString('utf8', start - 1, close + 1)) as string;
    if (text === name) return 'exact';
    if (text === '__proto__') return 'prototype';
    if (beginsUnlike(text, folded)) return 'none';
    const nul = text.indexOf('\0');
    return foldsTo(text, folded) || (nul !== -1 && foldsTo(text.slice(0, nul), folded)) ? 'variant' : 'none';
  };
  return { matchPlain, matchOdd };
}

/** A first character of visible ASCII stays the first, whatever follows; most names differ there and need no folding. */
function beginsUnlike(text: string, folded: string): boolean {
  const first = text.charCodeAt(0);
  return first > SPACE && first < 0x7f && LOWER[first] !== folded.charCodeAt(0);
}

function equalsFolded(bytes: Buffer, start: number, folded: Buffer): boolean {
  for (let i = 0; i < folded.length; i++) if (LOWER[bytes[start + i] as number] !== folded[i]) return false;
  return true;
}

function startsWith(bytes: Buffer, start: number, wanted: Buffer): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[start + i] !== wanted[i]) return false;
  return true;
}
