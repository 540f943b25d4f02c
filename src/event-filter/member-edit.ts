/**
 * Takes members out of a JSON text, or puts strings in place of their values. Every other byte stays, and what is left is JSON. It
 * looks for nothing: where the members stand is known.
 */
import type { MemberPlace } from './member-value.ts';
import { CLOSE_OBJECT, COMMA, OPEN_OBJECT, skipSpace } from './scan.ts';

export interface MemberEdit {
  readonly place: MemberPlace;
  /** The string that becomes the member's value; null: the member is taken out, with its spacing and one comma. */
  readonly value: string | null;
}

/** A copy with the edits made, in whatever order they come. One that lies in the value of another is left to that one. */
export function editMembers(text: Buffer, edits: readonly MemberEdit[]): Buffer {
  const written = new Map<string, Buffer>();
  /** Start and end of each range that goes, alternating, and what comes in its place. */
  const ranges: number[] = [];
  const inserts: Buffer[] = [];
  /** What comes before it is dealt with, up to the comma that a cut took along. */
  let done = 0;
  for (const { place, value } of inOrder(edits)) {
    if (place.nameStart < done) continue;
    const [start, end] = value === null ? cutAround(text, place, done) : [place.valueStart, place.valueEnd];
    ranges.push(start, end);
    inserts.push(value === null ? NOTHING : literalOf(value, written));
    done = end;
  }
  return spliced(text, ranges, inserts);
}

const NOTHING = Buffer.alloc(0);

function inOrder(edits: readonly MemberEdit[]): readonly MemberEdit[] {
  const isSorted = edits.every((edit, i) => i === 0 || startOf(edits[i - 1] as MemberEdit) < startOf(edit));
  return isSorted ? edits : [...edits].sort((a, b) => startOf(a) - startOf(b));
}

const startOf = ({ place }: MemberEdit): number => place.nameStart;

function literalOf(value: string, written: Map<string, Buffer>): Buffer {
  let literal = written.get(value);
  if (literal === undefined) written.set(value, (literal = Buffer.from(JSON.stringify(value))));
  return literal;
}

/** Every item of a large batch may have its own: no buffer is made but the one that comes out. */
function spliced(text: Buffer, ranges: readonly number[], inserts: readonly Buffer[]): Buffer {
  let size = text.length;
  inserts.forEach((insert, i) => (size += insert.length - ((ranges[2 * i + 1] as number) - (ranges[2 * i] as number))));
  const made = Buffer.allocUnsafe(size);
  let filled = 0;
  let from = 0;
  inserts.forEach((insert, i) => {
    filled += text.copy(made, filled, from, ranges[2 * i]);
    filled += insert.copy(made, filled);
    from = ranges[2 * i + 1] as number;
  });
  text.copy(made, filled, from);
  return made;
}

/** The comma before a member goes along; where there is none any more, the comma after it. */
function cutAround(text: Buffer, { nameStart, valueEnd }: MemberPlace, done: number): readonly [number, number] {
  const start = startOfSpace(text, nameStart);
  const end = skipSpace(text, valueEnd);
  if (text[start - 1] === COMMA && start > done) return [start - 1, end];
  return [start, text[end] === CLOSE_OBJECT ? end : end + 1];
}

/** Where the white space before a name begins: after the brace or the comma, since nothing else can stand there. */
function startOfSpace(text: Buffer, nameStart: number): number {
  let at = nameStart;
  while (text[at - 1] !== COMMA && text[at - 1] !== OPEN_OBJECT) at--;
  return at;
}
