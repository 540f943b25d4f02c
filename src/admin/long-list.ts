/**
 * Writes a list of many thousands as JSON, part by part: while one is made, requests wait; between two of them they are answered.
 * Knows nothing of what is listed.
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

/** Written together in about a millisecond. */
const ITEMS_A_PART = 200;

/** The text of the object, in parts. */
export async function* writeLongList<T>({ field, items, show, rest }: LongList<T>): AsyncGenerator<string> {
  let text = `{${JSON.stringify(field)}:[`;
  let count = 0;
  for (const item of items) {
    text += `${count === 0 ? '' : ','}${JSON.stringify(show(item))}`;
    count += 1;
    if (count % ITEMS_A_PART !== 0) continue;
    yield text;
    text = '';
    await setImmediate();
  }
  const others = JSON.stringify(rest).slice(1);
  yield `${text}]${others === '}' ? '' : ','}${others}`;
}
