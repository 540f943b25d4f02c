/**
 * Judges one event: an object of a batch, or the whole body. It finds the name, at whatever level it stands, and the member that
 * says what kind of item it is, and notes nothing: what follows from a verdict is decided by whoever asked.
 */
import { compileMember } from './member.ts';
import { compileNames, type NameMatcher } from './names.ts';
import {
  joinedNames,
  newBody,
  newSecondMember,
  newWalk,
  NONE,
  walkObject,
  type SecondMember,
  type Walk,
} from './object.ts';
import { OPEN_OBJECT, QUOTE, skipValue } from './scan.ts';

export interface ItemRule {
  /** Members that lead from the item to the object with the name. */
  readonly way: readonly string[];
  /** The member that names the event. */
  readonly member: string;
  readonly isAllowed: NameMatcher;
  readonly unnamed: 'allow' | 'disallow';
  /** Which items carry an event; null: all do. */
  readonly when: ItemKinds | null;
  /** The backend knows the kind of one that does not say it: it carries no event if it has no name either. */
  readonly kindElsewhere: boolean;
  /** Members of the item that must not stand beside what is looked for. */
  readonly rivals: readonly string[];
  /** Objects and arrays around the item. */
  readonly depth: number;
}

/** What `member` says of an item: a name in `is` or in `pass`, or anything else. */
export interface ItemKinds {
  readonly member: string;
  readonly is: readonly string[];
  readonly pass: readonly string[];
}

/**
 * `ambiguous`: two parsers could find different names or kinds. `rivalled`: beside the name stands what some backend may take for
 * the event. `shapeless`: on the way to the name something is missing or no object.
 */
export type ItemVerdict = 'allowed' | 'disallowed' | 'ambiguous' | 'rivalled' | 'shapeless';

export interface Item {
  /** To be called before the items of a body. */
  readonly newBody: () => void;
  /** Steps over the item whose opening brace is at `start`. */
  readonly skip: (bytes: Buffer, start: number) => number;
  /** Of the item that was stepped over last. */
  readonly verdict: (bytes: Buffer) => ItemVerdict;
  /** The walk that found its one name; null: it has none. To be asked after its verdict. */
  readonly name: () => Walk | null;
  /** What was looked for in the item's own object. */
  readonly own: Walk;
}

/** Makes the judge of a rule once. It keeps the last item, and nothing of the one before. */
export function compileItem(rule: ItemRule): Item {
  const { way, member, isAllowed, unnamed } = rule;
  const kind = rule.when === null ? null : compileKind(rule.when);
  const walks = walksTo([...way, member], rule, kind?.found ?? null);
  const own = walks[0] as Walk;
  const name = walks.at(-1) as Walk;

  let isNamed = false;

  const findName = (bytes: Buffer): ItemVerdict | 'named' => {
    isNamed = false;
    for (const walk of walks) {
      if (walk.exact > 1 || walk.variants > 0) return 'ambiguous';
      if (walk.exact === 0) {
        // A copy made member by member inherits from what `__proto__` holds: such an event is only seemingly unnamed.
        if (unnamed === 'allow') return walk.prototype ? 'ambiguous' : 'allowed';
        return walk === name ? 'disallowed' : 'shapeless';
      }
      if (walk.rival !== NONE) return 'rivalled';
      if (walk !== name && bytes[walk.valueStart] !== OPEN_OBJECT) return 'shapeless';
    }
    isNamed = true;
    return 'named';
  };

  const judgeName = (bytes: Buffer): ItemVerdict => {
    const found = findName(bytes);
    if (found !== 'named') return found;
    const isKnown = bytes[name.valueStart] === QUOTE && isAllowed(bytes, name.valueStart + 1, name.valueEnd - 1);
    return isKnown ? 'allowed' : 'disallowed';
  };

  const judgeKind = (bytes: Buffer, { read }: CompiledKind): ItemVerdict => {
    const found = findName(bytes);
    if (found === 'ambiguous' || found === 'rivalled') return found;
    const said = read(bytes);
    if (said === 'ambiguous') return said;
    const passes = said === 'pass' || (said === 'nothing' && rule.kindElsewhere && own.exact === 0 && !own.prototype);
    if (passes) return own.rival === NONE ? 'allowed' : 'rivalled';
    return said === 'event' ? judgeName(bytes) : 'disallowed';
  };

  return {
    newBody: () => walks.forEach(newBody),
    skip: (bytes, start) => walkObject(bytes, start, own),
    verdict: kind === null ? judgeName : (bytes) => judgeKind(bytes, kind),
    name: () => (isNamed ? name : null),
    own,
  };
}

/** One walk for each object on the way, each of which steps into the next. */
function walksTo(
  names: readonly string[],
  { member, rivals, depth }: ItemRule,
  kind: SecondMember | null,
): readonly Walk[] {
  const walks: Walk[] = [];
  names.forEach((looked, level) => {
    const around = depth + level + 1;
    const isLast = level === names.length - 1;
    // An object that leads to the name and has one as well is two events in one.
    const beside = [...(level === 0 ? rivals : []), ...(isLast ? [] : [member])];
    walks.push(
      newWalk({
        member: compileMember(looked),
        depth: around,
        skipFound: (bytes, start) =>
          !isLast && bytes[start] === OPEN_OBJECT
            ? walkObject(bytes, start, walks[level + 1] as Walk)
            : skipValue(bytes, start, around),
        joined: joinedNames(names.slice(level)),
        rivals: beside.filter((rival) => rival !== looked).map(compileMember),
        second: level === 0 ? kind : null,
      }),
    );
  });
  return walks;
}

interface CompiledKind {
  readonly found: SecondMember;
  readonly read: (bytes: Buffer) => 'event' | 'pass' | 'other' | 'nothing' | 'ambiguous';
}

function compileKind({ member, is, pass }: ItemKinds): CompiledKind {
  const [isEvent, isPassing] = [is, pass].map((names) => compileNames(new Set(names))) as [NameMatcher, NameMatcher];
  const found = newSecondMember(compileMember(member));
  return {
    found,
    read: (bytes) => {
      const { exact, variants, valueStart, valueEnd } = found;
      if (exact > 1 || variants > 0) return 'ambiguous';
      if (exact === 0) return 'nothing';
      if (bytes[valueStart] !== QUOTE) return 'other';
      if (isEvent(bytes, valueStart + 1, valueEnd - 1)) return 'event';
      return isPassing(bytes, valueStart + 1, valueEnd - 1) ? 'pass' : 'other';
    },
  };
}
