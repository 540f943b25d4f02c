/**
 * A copy of a text, in memory of its own. V8 makes a part of a text as a view of the whole: a path that is kept would keep the
 * request line of 16 KiB from which it was cut.
 */
export function ownText(text: string): string {
  return Buffer.from(text).toString();
}
