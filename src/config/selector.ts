/**
 * Reads the notation that says where a route's body names its events: `name`, `events[].name`, `[].event`.
 * It looks one level deep and reads no body; a notation that could be taken for a deeper path is no selector.
 */

/**
 * Where the event names are.
 * `single`: the body is the event. `batch`: the body's member `container` is the array of events, or the body itself is (null).
 */
export type EventSelector =
  | { readonly kind: 'single'; readonly member: string }
  | { readonly kind: 'batch'; readonly container: string | null; readonly member: string };

const BATCH_MARK = '[].';

/** Reads a selector; null when it is malformed. Any JSON member name without dots and brackets may be used. */
export function parseSelector(text: string): EventSelector | null {
  const mark = text.indexOf(BATCH_MARK);
  if (mark === -1) return isMemberName(text) ? { kind: 'single', member: text } : null;
  const container = mark === 0 ? null : text.slice(0, mark);
  const member = text.slice(mark + BATCH_MARK.length);
  if (!isMemberName(member) || (container !== null && !isMemberName(container))) return null;
  return { kind: 'batch', container, member };
}

/**
 * Dots are refused because `a.b` would silently be looked up as one name where its author means a path. Outer spaces and
 * characters that print nothing are refused because member names are compared with those left out.
 */
function isMemberName(text: string): boolean {
  return text !== '' && text === text.trim() && !/[.[\]\p{C}\p{Default_Ignorable_Code_Point}\uFFFD]/u.test(text);
}
