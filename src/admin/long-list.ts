/**
 * Works through a list of many thousands part by part, as to write it as JSON: while a part is at work, requests wait; between two of
 * them they are answered. Knows nothing of what is listed.
 */
import { setImmediate } from 'node:timers/promises';

/** A JSON object of which one field is a long list. */
export interface LongList<T> {
  readonly field: string;
  readonly items: Iterable<T>;
  /** What is written of an item. */
  readonly show: (item: T) => unknown;
  /** The other fields. */
  readonly rest: Readonly<Record<string, unknown>>;
}

/** Shown and written in about a millisecond. */
const ITEMS_A_PART = 200;

/** The items, so many at once; others have their turn before the next. */
export async function* inParts<T>(items: Iterable<T>): AsyncGenerator<readonly T[]> {
  let part: T[] = [];
  for (const item of items) {
    part.push(item);
    if (part.length < ITEMS_A_PART) continue;
    yield part;
    part = [];
    await setImmediate();
  }
  if (part.length > 0) yield part;
}

/** The text of the object, in parts. */
export async function* writeLongList<T>({ field, items, show, rest }: LongList<T>): AsyncGenerator<string> {
  let before = `{${JSON.stringify(field)}:[`;
  for await (const part of inParts(items)) {
    yield before + part.map((item) => JSON.stringify(show(item))).join(',');
    before = ',';
  }
  const others = JSON.stringify(rest).slice(1);
  yield `${before === ',' ? '' : before}]${others === '}' ? '' : ','}${others}`;
}
