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
  const inOrder = [...edits].sort((a, b) => a.place.nameStart - b.place.nameStart);
  const pieces: Buffer[] = [];
  /** What comes before it is copied or gone, up to the comma that a cut took along. */
  let done = 0;
  for (const { place, value } of inOrder) {
    if (place.nameStart < done) continue;
    if (value === null) {
      const [start, end] = cutAround(text, place, done);
      pieces.push(text.subarray(done, start));
      done = end;
    } else {
      pieces.push(text.subarray(done, place.valueStart), Buffer.from(JSON.stringify(value)));
      done = place.valueEnd;
    }
  }
  return Buffer.concat([...pieces, text.subarray(done)]);
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
