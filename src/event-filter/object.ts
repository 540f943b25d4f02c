/**
 * Walks the members of one object and finds the one that a selector looks for.
 * It notes what makes that member ambiguous and decides nothing; what lies deeper is stepped over.
 */
import { ANY_INITIAL, type FirstBytes, firstBytesOf, initialOf, NO_INITIAL } from './first-character.ts';
import { closePlainName, compileMember, type Member, type MemberMatch } from './member.ts';
import {
  CLOSE_OBJECT,
  COMMA,
  INVALID,
  OPEN_OBJECT,
  QUOTE,
  skipColon,
  skipName,
  skipSpace,
  skipString,
  skipValue,
} from './scan.ts';

/** What a walk looks for, and what the last one found. One record serves many objects: a walk begins by clearing it. */
export interface Walk {
  readonly member: Member;
  /** Objects and arrays around the members' values. */
  readonly depth: number;
  /** Steps over the value of the member looked for. */
  readonly skipFound: (bytes: Buffer, start: number) => number;
  /** Names under which some parser finds what stands deeper in its value, written as one (`a.b`); null: none. */
  readonly joined: readonly Member[] | null;
  /** Members that must not stand beside it; null: none. */
  readonly rivals: readonly Member[] | null;
  /** For the object under `__proto__`: a copy made member by member inherits the rivals that stand there. null: nobody asks. */
  readonly inherited: Walk | null;
  /** How a name begins that is compared at all; null: in any way. */
  readonly first: FirstBytes | null;
  /** A second member that is looked for in the same pass; null: none. */
  readonly second: SecondMember | null;
  /** Members that every parser takes for the one looked for. */
  exact: number;
  /** Members that only some parser takes for it. */
  variants: number;
  /** Whether the object has a member `__proto__`. */
  prototype: boolean;
  /** Which of the rivals some parser finds first, by its place among them; past the last: one that a copy would inherit; or NONE. */
  rival: number;
  /** Of the last exact member: the opening quote of its name, then its value. */
  nameStart: number;
  valueStart: number;
  valueEnd: number;
}

/** A member whose value is looked at, and what the last walk found of it, as of the first. */
export interface SecondMember {
  readonly member: Member;
  exact: number;
  variants: number;
  valueStart: number;
  valueEnd: number;
}

export const newSecondMember = (member: Member): SecondMember => ({
  member,
  exact: 0,
  variants: 0,
  valueStart: 0,
  valueEnd: 0,
});

/** In place of the first rival: no parser finds any. */
export const NONE = -1;

type WalkOptions = Pick<Walk, 'member' | 'depth' | 'skipFound'> & {
  readonly joined?: readonly Member[];
  readonly rivals?: readonly Member[];
  readonly second?: SecondMember | null;
};

export function newWalk({
  member,
  depth,
  skipFound,
  joined = [],
  rivals: named = [],
  second = null,
}: WalkOptions): Walk {
  // Each name of a body is compared with all of them.
  const rivals = named.filter(({ folded }, i) => named.findIndex((other) => other.folded === folded) === i);
  return {
    member,
    depth,
    skipFound,
    joined: joined.length === 0 ? null : joined,
    rivals: rivals.length === 0 ? null : rivals,
    inherited: inheritedWalk(rivals, depth + 1),
    first: firstBytesOf(
      [member, ...joined, ...rivals, ...(second === null ? [] : [second.member])].map(({ folded }) => folded),
    ),
    second,
    exact: 0,
    variants: 0,
    prototype: false,
    rival: NONE,
    nameStart: 0,
    valueStart: 0,
    valueEnd: 0,
  };
}

/** Looks for the first rival, and finds the others as rivals of that one. */
function inheritedWalk([member, ...rivals]: readonly Member[], depth: number): Walk | null {
  if (member === undefined) return null;
  return newWalk({ member, depth, rivals, skipFound: (bytes, start) => skipValue(bytes, start, depth) });
}

/** To be called before the objects of a body. What looks into prototypes looks for the same rivals. */
export function newBody(walk: Walk): void {
  walk.member.newBody();
  walk.second?.member.newBody();
  for (const joined of walk.joined ?? []) joined.newBody();
  for (const rival of walk.rivals ?? []) rival.newBody();
}

/** Steps over the object whose opening brace is at `start`. */
export function walkObject(bytes: Buffer, start: number, walk: Walk): number {
  walk.exact = 0;
  walk.variants = 0;
  walk.prototype = false;
  walk.rival = NONE;
  if (walk.second !== null) {
    walk.second.exact = 0;
    walk.second.variants = 0;
  }
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
  const nameStart = start + 1;
  if (nameStart >= bytes.length || bytes[start] !== QUOTE) return INVALID;
  const { first } = walk;
  if (first !== null && first[bytes[nameStart] as number] === 0) {
    const valueStart = skipName(bytes, start);
    return valueStart === INVALID ? INVALID : skipValue(bytes, valueStart, walk.depth);
  }
  let close = closePlainName(bytes, nameStart);
  const plain = close !== INVALID;
  if (!plain) {
    close = skipString(bytes, nameStart) - 1;
    if (close < nameStart) return INVALID;
  }
  const valueStart = skipColon(bytes, close + 1);
  if (valueStart === INVALID) return INVALID;

  let initial = plain ? PLAIN : ANY_INITIAL;
  if (!plain && first !== null) {
    initial = initialOf(bytes, nameStart, close);
    if (initial === NO_INITIAL || first[initial] === 0) return skipValue(bytes, valueStart, walk.depth);
  }
  const match = matchOf(walk.member, bytes, nameStart, close, initial);
  if (match === 'none') {
    if (walk.joined?.some((joined) => isMatch(matchOf(joined, bytes, nameStart, close, initial))) === true)
      walk.variants++;
    // One that stands here is found before one that would be inherited.
    if (walk.rivals !== null && (walk.rival === NONE || walk.rival === walk.rivals.length)) {
      const found = walk.rivals.findIndex((rival) => isMatch(matchOf(rival, bytes, nameStart, close, initial)));
      if (found !== NONE) walk.rival = found;
    }
    if (walk.second === null) return skipValue(bytes, valueStart, walk.depth);
    return skipSecond(bytes, valueStart, walk, matchOf(walk.second.member, bytes, nameStart, close, initial));
  }
  if (match === 'exact') {
    walk.exact++;
    walk.nameStart = start;
    walk.valueStart = valueStart;
    walk.valueEnd = walk.skipFound(bytes, valueStart);
    return walk.valueEnd;
  }
  if (match === 'variant') walk.variants++;
  else {
    walk.prototype = true;
    if (walk.inherited !== null && walk.rival === NONE && bytes[valueStart] === OPEN_OBJECT)
      return skipPrototype(bytes, valueStart, walk);
  }
  return skipValue(bytes, valueStart, walk.depth);
}

/** In place of a name's first visible character: all of its bytes mean what they are. */
const PLAIN = -2;
/** That of `__proto__`, which every member is asked for. */
const UNDERSCORE = 0x5f;

function matchOf(member: Member, bytes: Buffer, start: number, close: number, initial: number): MemberMatch {
  if (initial === PLAIN) return member.matchPlain(bytes, start, close);
  const mayMatch = initial === ANY_INITIAL || initial === member.initial || initial === UNDERSCORE;
  return mayMatch ? member.matchOdd(bytes, start, close) : 'none';
}

function skipSecond(bytes: Buffer, start: number, { second, depth }: Walk, match: MemberMatch): number {
  const stop = skipValue(bytes, start, depth);
  const found = second as SecondMember;
  if (match === 'variant') found.variants++;
  if (match !== 'exact') return stop;
  found.exact++;
  found.valueStart = start;
  found.valueEnd = stop;
  return stop;
}

/** Steps over what the object inherits from. Whoever nests prototypes hides something. */
function skipPrototype(bytes: Buffer, start: number, walk: Walk): number {
  const inherited = walk.inherited as Walk;
  const stop = walkObject(bytes, start, inherited);
  const { exact, variants, prototype, rival } = inherited;
  if (exact + variants > 0 || prototype || rival !== NONE) walk.rival = walk.rivals?.length ?? 0;
  return stop;
}

/**
 * The names that stand for a way of members when they are written as one: lodash and Laravel's `Arr::get` look for a member
 * `a.b` before they look into `a`, and Elasticsearch reads both as one field.
 */
export const joinedNames = ([first = '', ...others]: readonly string[]): Member[] =>
  others.map((_, i) => compileMember([first, ...others.slice(0, i + 1)].join('.')));

const isMatch = (match: MemberMatch): boolean => match === 'exact' || match === 'variant';
