/**
 * Walks the members of one object and finds the one that a selector looks for.
 * It notes what makes that member ambiguous and decides nothing; what lies deeper is stepped over.
 */
import { closePlainName, type Member } from './member.ts';
import { CLOSE_OBJECT, COMMA, INVALID, QUOTE, skipColon, skipSpace, skipString, skipValue } from './scan.ts';

/** What a walk looks for, and what the last one found. One record serves many objects: a walk begins by clearing it. */
export interface Walk {
  readonly member: Member;
  /** Objects and arrays around the members' values. */
  readonly depth: number;
  /** Steps over the value of the member looked for. */
  readonly skipFound: (bytes: Buffer, start: number) => number;
  /** Members that every parser takes for the one looked for. */
  exact: number;
  /** Members that only some parser takes for it. */
  variants: number;
  /** Whether the object has a member `__proto__`. */
  prototype: boolean;
  /** Of the last exact member: the opening quote of its name, then its value. */
  nameStart: number;
  valueStart: number;
  valueEnd: number;
}

export function newWalk(options: Pick<Walk, 'member' | 'depth' | 'skipFound'>): Walk {
  return { ...options, exact: 0, variants: 0, prototype: false, nameStart: 0, valueStart: 0, valueEnd: 0 };
}

/** Steps over the object whose opening brace is at `start`. */
export function walkObject(bytes: Buffer, start: number, walk: Walk): number {
  walk.exact = 0;
  walk.variants = 0;
  walk.prototype = false;
  let at = skipSpace(bytes, start + 1);
  if (at < bytes.length && bytes[at] === CLOSE_OBJECT) return at + 1;
  for (;;) {
    at = skipMember(bytes, at, walk);
    if (at === INVALID) return INVALID;
    at = skipSpace(bytes, at);
    if (at >= bytes.length) return INVALID;
    const byte = bytes[at++];
    if (byte === CLOSE_OBJECT) return at;
    if (byte !== COMMA) return INVALID;
    at = skipSpace(bytes, at);
  }
}

function skipMember(bytes: Buffer, start: number, walk: Walk): number {
  if (start >= bytes.length || bytes[start] !== QUOTE) return INVALID;
  const nameStart = start + 1;
  let close = closePlainName(bytes, nameStart);
  const plain = close !== INVALID;
  if (!plain) {
    close = skipString(bytes, nameStart) - 1;
    if (close < nameStart) return INVALID;
  }
  const valueStart = skipColon(bytes, close + 1);
  if (valueStart === INVALID) return INVALID;

  const match = plain ? walk.member.matchPlain(bytes, nameStart, close) : walk.member.matchOdd(bytes, nameStart, close);
  if (match === 'none') return skipValue(bytes, valueStart, walk.depth);
  if (match === 'exact') {
    walk.exact++;
    walk.nameStart = start;
    walk.valueStart = valueStart;
    walk.valueEnd = walk.skipFound(bytes, valueStart);
    return walk.valueEnd;
  }
  if (match === 'variant') walk.variants++;
  else walk.prototype = true;
  return skipValue(bytes, valueStart, walk.depth);
}
