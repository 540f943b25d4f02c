/**
 * Reads the notation that says where a route's body names its events: `name`, `payload.name`, `events[].name`,
 * `resource[].spans[].name`, `[].event`. It knows the way that leads there and reads no body.
 */

/** Where the event names are. */
export interface EventSelector {
  /** From the body to the array whose items are judged one by one, which is the last. Empty: the body is the one event. */
  readonly containers: readonly EventContainer[];
  /** Members that lead from an event to the object that has its name, outermost first. Mostly the event has it itself. */
  readonly way: readonly string[];
  /** The member that names the event. */
  readonly member: string;
}

/** `member`: where it stands in the object around it; null: it is the body itself. What it holds is all objects. */
export interface EventContainer {
  readonly member: string | null;
  readonly holds: 'object' | 'array';
}

const ARRAY_MARK = '[]';

/** Objects and arrays that a selector may go through to the name. */
export const MAX_LEVELS = 3;

/** Reads a selector; null when it is malformed. Any JSON member name without dots and brackets may be used. */
export function parseSelector(text: string): EventSelector | null {
  const levels = text.split('.');
  const member = levels.pop() as string;
  if (!isMemberName(member) || levels.length > MAX_LEVELS) return null;
  const containers = levels.map(readLevel);
  if (containers.some((level, index) => (level.member === null ? index > 0 : !isMemberName(level.member)))) return null;
  const items = containers.findLastIndex(({ holds }) => holds === 'array') + 1;
  return {
    containers: containers.slice(0, items),
    way: containers.slice(items).map((level) => level.member as string),
    member,
  };
}

/** The member of the body by which a selector is told from others; null: the body itself is the array. */
export function firstMember({ containers: [container], way: [inner], member }: EventSelector): string | null {
  return container === undefined ? (inner ?? member) : container.member;
}

function readLevel(text: string): EventContainer {
  if (!text.endsWith(ARRAY_MARK)) return { member: text, holds: 'object' };
  return { member: text === ARRAY_MARK ? null : text.slice(0, -ARRAY_MARK.length), holds: 'array' };
}

/**
 * Outer spaces and characters that print nothing are refused because member names are compared with those left out, brackets
 * because they could be taken for an index.
 */
function isMemberName(text: string): boolean {
  return text !== '' && text === text.trim() && !/[[\]\p{C}\p{Default_Ignorable_Code_Point}\uFFFD]/u.test(text);
}
