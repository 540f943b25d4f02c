/**
 * Finds one member of a body's top-level object, and takes it out or puts a string in its place; every other byte stays.
 * A body in which two parsers could find different members is refused, by the rules that hold for event names.
 */
import { allowed, refusal, refused, type Decision } from '../refusal.ts';
import { cutOut } from './cut.ts';
import { compileMember } from './member.ts';
import { newBody, newWalk, walkObject } from './object.ts';
import { CLOSE_OBJECT, COMMA, OPEN_OBJECT, QUOTE, skipSpace, skipValue } from './scan.ts';
import { isWhole } from './whole.ts';

/** Where a member stands: its name from the opening quote, its value up to the byte after it. */
export interface MemberPlace {
  readonly nameStart: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** The place of the member in a JSON text, or null when the text is no object or has no such member. */
export type FindMember = (text: Buffer) => Decision<MemberPlace | null>;

const INVALID_JSON = refused(refusal('invalid_json', 'body: not JSON (RFC 8259) in UTF-8, or nested too deeply'));
const ABSENT: Decision<null> = allowed(null);

/**
 * Makes the search for a member once, so that a request only scans, and each text only once. It refuses `invalid_json` and
 * `ambiguous_body`.
 */
export function compileMemberSearch(name: string): FindMember {
  const search = searchFor(name);
  const found = new WeakMap<Buffer, Decision<MemberPlace | null>>();
  return (text) => {
    let place = found.get(text);
    if (place === undefined) found.set(text, (place = search(text)));
    return place;
  };
}

function searchFor(name: string): FindMember {
  const ambiguous = refused(refusal('ambiguous_body', `body: the member ${name} can be read in two ways`));
  const walk = newWalk({
    member: compileMember(name),
    depth: 1,
    skipFound: (bytes, start) => skipValue(bytes, start, 1),
  });
  return (text) => {
    newBody(walk);
    const start = skipSpace(text, 0);
    const isObject = start < text.length && text[start] === OPEN_OBJECT;
    if (!isWhole(text, isObject ? walkObject(text, start, walk) : skipValue(text, start, 0))) return INVALID_JSON;
    if (!isObject) return ABSENT;
    // A copy made member by member inherits from what `__proto__` holds, all the more once the member itself is cut out.
    if (walk.exact > 1 || walk.variants > 0 || walk.prototype) return ambiguous;
    if (walk.exact === 0) return ABSENT;
    return allowed({ nameStart: walk.nameStart, valueStart: walk.valueStart, valueEnd: walk.valueEnd });
  };
}

/** The value, if it is a string. */
export function stringAt(text: Buffer, { valueStart, valueEnd }: MemberPlace): string | null {
  if (text[valueStart] !== QUOTE) return null;
  return JSON.parse(text.toString('utf8', valueStart, valueEnd)) as string;
}

/** A copy without the member, its spacing and one comma: the one before it or, of the first member, the one after. */
export function cutMember(text: Buffer, { nameStart, valueEnd }: MemberPlace): Buffer {
  const start = startOfSpace(text, nameStart);
  const end = skipSpace(text, valueEnd);
  if (text[start - 1] === COMMA) return cutOut(text, [start - 1, end]);
  return cutOut(text, [start, text[end] === CLOSE_OBJECT ? end : end + 1]);
}

/** A copy with a JSON string as the member's value. */
export function replaceValue(text: Buffer, { valueStart, valueEnd }: MemberPlace, value: string): Buffer {
  return Buffer.concat([text.subarray(0, valueStart), Buffer.from(JSON.stringify(value)), text.subarray(valueEnd)]);
}

/** Where the white space before a name begins: after the brace or the comma, since nothing else can stand there. */
function startOfSpace(text: Buffer, nameStart: number): number {
  let at = nameStart;
  while (text[at - 1] !== COMMA && text[at - 1] !== OPEN_OBJECT) at--;
  return at;
}
