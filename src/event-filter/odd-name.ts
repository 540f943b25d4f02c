/**
 * Compares a member name of any characters with the one that is looked for, character by character: what a name costs is its
 * bytes, and hardly ever a string. It says what `fold` says and judges nothing.
 */
import { foldName, foldsTo } from '../lib/name-folding.ts';
import { DROPPED, kindOf, VISIBLE, WHITE } from './characters.ts';

/** Takes the visible and invisible characters of a name, one after the other. */
export interface FoldProgress {
  /** To be called before the first character of a name. */
  begin(): void;
  /** false: whatever follows, this name folds to another. */
  take(point: number): boolean;
  /** Whether the characters taken since `begin`, which stand from `start` to `end`, fold to the name. */
  isWhole(bytes: Buffer, start: number, end: number): boolean;
  /** To be called before the first name of a body. */
  newBody(): void;
}

/** Follows names towards one that folds to `folded`. */
export function followFold(folded: string): FoldProgress {
  return /^[ -~]*$/.test(folded) ? new PlainFold(folded) : new AnyFold(folded);
}

/** The characters beyond ASCII that fold to ASCII. */
export const TO_ASCII: ReadonlyMap<number, string> = new Map(
  Array.from('\u00df\u0130\u0131\u017f\u037e\u1e9e\u1fef\u212a\ufb00\ufb01\ufb02\ufb03\ufb04\ufb05\ufb06', (char) => [
    char.codePointAt(0) as number,
    foldName(char),
  ]),
);

const SPACE = 0x20;
const DELETE = 0x7f;
const DOTTED_I = 0x130;
const DOT_ABOVE = 0x307;
const LETTER_I = 0x69;
const LOWER = Uint8Array.from({ length: 128 }, (_, code) => (code >= 0x41 && code <= 0x5a ? code + 0x20 : code));

/** For a name that folds to ASCII, which marks are no part of: their order does not matter, and each character folds alone. */
class PlainFold implements FoldProgress {
  readonly #folded: string;
  #filled = 0;
  /** White space after what is filled, and whether it is that of the name looked for. */
  #gap = 0;
  #gapFits = true;
  /** The last character was an i, from which a dot above would be taken away. */
  #dottable = false;

  constructor(folded: string) {
    this.#folded = folded;
  }

  newBody(): void {}

  begin(): void {
    this.#filled = 0;
    this.#gap = 0;
    this.#gapFits = true;
    this.#dottable = false;
  }

  take(point: number): boolean {
    if (point > SPACE && point < DELETE && this.#gap === 0) return this.#takePlain(LOWER[point] as number);
    const kind = kindOf(point);
    if (kind === DROPPED) return true;
    if (kind === WHITE) return this.#takeWhite(point);
    if (this.#gap > 0 && !this.#closeGap()) return false;
    if (point < DELETE) return this.#takePlain(LOWER[point] as number);
    if (point === DOT_ABOVE && this.#dottable) {
      this.#dottable = false;
      return true;
    }
    const text = TO_ASCII.get(point);
    if (text === undefined || !this.#folded.startsWith(text, this.#filled)) return false;
    this.#filled += text.length;
    this.#dottable = point !== DOTTED_I && this.#folded.charCodeAt(this.#filled - 1) === LETTER_I;
    return true;
  }

  isWhole(): boolean {
    return this.#filled === this.#folded.length;
  }

  #takePlain(lower: number): boolean {
    if (this.#folded.charCodeAt(this.#filled) !== lower) return false;
    this.#filled++;
    this.#dottable = lower === LETTER_I;
    return true;
  }

  /** Outer white space does not count. */
  #takeWhite(point: number): boolean {
    if (this.#filled === 0) return true;
    if (this.#folded.charCodeAt(this.#filled + this.#gap) !== point) this.#gapFits = false;
    this.#gap++;
    return true;
  }

  #closeGap(): boolean {
    this.#filled += this.#gap;
    this.#gap = 0;
    this.#dottable = false;
    return this.#gapFits;
  }
}

/** Names in one body that are folded as a string; what honest bodies hold is told apart by its characters, mostly all of it. */
const MAX_STRINGS = 4096;
const NOT_AMONG_THEM = 254;

/**
 * For all other names. Marks change places in normalisation, so it asks only whether a name is made of the right characters, in
 * any order; one that is, is folded as a string. Where a body holds too many of those, they count as folding to the name.
 */
class AnyFold implements FoldProgress {
  readonly #folded: string;
  /** Without what may vanish, dots above and white space. */
  readonly #length: number;
  readonly #units: ReadonlySet<string>;
  /** By blocks of 256: one more than the number of units that a character folds to; 0: not known yet. */
  readonly #pages: (Uint8Array | undefined)[] = [];
  #filled = 0;
  #strings = 0;

  constructor(folded: string) {
    this.#folded = folded;
    const units = lastingUnits(folded);
    this.#units = new Set(units);
    this.#length = units.length;
  }

  newBody(): void {
    this.#strings = 0;
  }

  begin(): void {
    this.#filled = 0;
  }

  take(point: number): boolean {
    if (mayVanish(point)) return true;
    const units = this.#unitsOf(point);
    this.#filled += units;
    return units !== NOT_AMONG_THEM && this.#filled <= this.#length;
  }

  isWhole(bytes: Buffer, start: number, end: number): boolean {
    if (this.#filled !== this.#length) return false;
    if (this.#strings++ >= MAX_STRINGS) return true;
    return foldsTo(JSON.parse(`"${bytes.toString('utf8', start, end)}"`) as string, this.#folded);
  }

  #unitsOf(point: number): number {
    const page = (this.#pages[point >> 8] ??= new Uint8Array(256));
    const known = page[point & 0xff] as number;
    if (known !== 0) return known - 1;
    const units = lastingUnits(foldName(String.fromCodePoint(point)));
    const count = units.every((unit) => this.#units.has(unit)) ? units.length : NOT_AMONG_THEM;
    page[point & 0xff] = count + 1;
    return count;
  }
}

const mayVanish = (point: number): boolean => point === DOT_ABOVE || kindOf(point) !== VISIBLE;

/** The final sigma is the only letter whose case depends on what stands beside it. */
const lastingUnits = (folded: string): string[] =>
  folded
    .replaceAll('\u03c2', '\u03c3')
    .split('')
    .filter((unit) => !mayVanish(unit.charCodeAt(0)));
