/**
 * Edits a long key file without a tree of all of it: the edit is made in a short file of the keys around the place, and what became of
 * those takes their place. Like the edits themselves it proves nothing; whether the result says what it should is for the caller to check.
 */
import { splitList, type SplitList } from '../config/split-list.ts';
import { editKeyFile, type KeyEdit } from './key-file-edit.ts';

/** In UTF-16 units. Shorter files are edited as they are. */
const SHORT = 16_384;
/** Of a key that goes or comes, those before and behind decide what becomes of the lines between. */
const NEIGHBOURS = 2;

const HEAD = 'keys:\n';

/** The text with the edit made; unchanged where the file is laid out in a way that does not let it be made. */
export function editLongKeyFile(text: string, edit: KeyEdit): string {
  const split = text.length < SHORT ? null : splitList(text, 'keys');
  if (split === null) return editKeyFile(text, edit);
  const { before, after, length, textOf } = split;
  const from = Math.max(0, edit.index - NEIGHBOURS);
  const to = Math.min(length, edit.index + 1 + NEIGHBOURS);
  // Comments above the first key are its own.
  const head = from === 0 ? before : HEAD;
  const around = head + textOf(from, to);
  const edited = editKeyFile(around, { ...edit, index: edit.index - from });
  if (edited === around || (from > 0 && !edited.startsWith(HEAD))) return editKeyFile(text, edit);
  const upTo = from === 0 ? edited : before + itemsUpTo(split, from) + edited.slice(HEAD.length);
  return upTo + textOf(to, length) + after;
}

/** The same for what stands beside the keys: `make` edits a file that has but one of them. */
export function editAroundKeys(text: string, make: (text: string) => string): string {
  const split = text.length < SHORT ? null : splitList(text, 'keys');
  if (split === null) return make(text);
  const { before, after, length, textOf } = split;
  // The last, since what stands behind the keys may follow its indentation.
  const [others, last] = [itemsUpTo(split, length - 1), textOf(length - 1)];
  const short = before + last + after;
  const edited = make(short);
  if (edited === short) return text;
  if (edited.startsWith(before + last)) return before + others + edited.slice(before.length);
  if (edited.endsWith(last + after)) return edited.slice(0, -(last + after).length) + others + last + after;
  return make(text);
}

const itemsUpTo = ({ textOf }: SplitList, end: number): string => (end === 0 ? '' : textOf(0, end));
