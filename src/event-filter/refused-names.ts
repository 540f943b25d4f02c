/**
 * Takes down where the first few names of refused events stand in a body, and makes texts of them for the log. Costs nothing while
 * every event is allowed; judges nothing.
 */
import { characterAt, LENGTH_BITS, LENGTH_MASK, plainText } from './characters.ts';
import type { Walk } from './object.ts';
import { QUOTE } from './scan.ts';

/** More names than these are not taken down of one body. */
const MOST_NAMES = 5;
/** In UTF-16 code units: what is over goes. */
const LONGEST_NAME = 64;

export const NO_NAMES: readonly string[] = [];

/** One record serves many bodies: filters are synchronous. */
export class RefusedNames {
  /** Start and end (exclusive) of each, alternating, without their quotes. */
  #places: number[] = [];

  /** To be called before each body. */
  clear(): void {
    if (this.#places.length > 0) this.#places = [];
  }

  /** Takes down the name that was found in an event, if that is a text. */
  note(bytes: Buffer, found: Pick<Walk, 'valueStart' | 'valueEnd'> | null): void {
    const places = this.#places;
    if (found === null || places.length === 2 * MOST_NAMES || bytes[found.valueStart] !== QUOTE) return;
    const [start, end] = [found.valueStart + 1, found.valueEnd - 1];
    for (let i = 0; i < places.length; i += 2) {
      const [from, to] = [places[i] as number, places[i + 1] as number];
      if (to - from === end - start && bytes.compare(bytes, start, end, from, to) === 0) return;
    }
    places.push(start, end);
  }

  /** The names, of a body that is JSON in UTF-8. */
  take(bytes: Buffer): readonly string[] {
    if (this.#places.length === 0) return NO_NAMES;
    const names: string[] = [];
    for (let i = 0; i < this.#places.length; i += 2)
      names.push(textOf(bytes, this.#places[i] as number, this.#places[i + 1] as number));
    return names;
  }
}

/** No more of a name is read than is kept. */
function textOf(bytes: Buffer, start: number, end: number): string {
  const plain = plainText(bytes, start, Math.min(end, start + LONGEST_NAME));
  if (plain !== null) return plain;
  let text = '';
  for (let at = start; at < end;) {
    const character = characterAt(bytes, at);
    const next = String.fromCodePoint(character >> LENGTH_BITS);
    if (text.length + next.length > LONGEST_NAME) break;
    text += next;
    at += character & LENGTH_MASK;
  }
  return text;
}
