/**
 * Finds members of a JSON text by their path: `token`, `properties/token`, `[]/token`, where `[]` stands for every item of a list.
 * A text in which two parsers could find different members is refused, by the rules that hold for event names. It changes nothing.
 */
import { allowed, refusal, refused, type Decision } from '../refusal.ts';
import { compileMember } from './member.ts';
import { joinedNames, newBody, newWalk, walkObject, type Walk } from './object.ts';
import { OPEN_ARRAY, OPEN_OBJECT, QUOTE, skipSpace, skipValue, walkItems, type Skip } from './scan.ts';
import { isWhole } from './whole.ts';

/** Where a member stands: its name from the opening quote, its value up to the byte after it. */
export interface MemberPlace {
  readonly nameStart: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** The places of the member in a JSON text, in order; none when the text does not have the path's shape. */
export type FindMembers = (text: Buffer) => Decision<readonly MemberPlace[]>;

const INVALID_JSON = refused(refusal('invalid_json', 'body: not JSON (RFC 8259) in UTF-8, or nested too deeply'));

/** The step of a path that stands for every item of a list. */
export const EVERY_ITEM = '[]';

/**
 * Makes the search for a member once, so that a request only scans, and each text only once. It refuses `invalid_json` and
 * `ambiguous_body`.
 */
export function compileMemberSearch(path: string): FindMembers {
  const search = searchFor(path);
  const found = new WeakMap<Buffer, Decision<readonly MemberPlace[]>>();
  return (text) => {
    let places = found.get(text);
    if (places === undefined) found.set(text, (places = search(text)));
    return places;
  };
}

/** What one search has found so far. */
interface Search {
  readonly walks: Walk[];
  places: MemberPlace[];
  ambiguous: boolean;
}

function searchFor(path: string): FindMembers {
  const ambiguous = refused(refusal('ambiguous_body', `body: the member ${path} can be read in two ways`));
  const search: Search = { walks: [], places: [], ambiguous: false };
  const walkText = compileStep(path.split('/'), 0, search);
  return (text) => {
    search.places = [];
    search.ambiguous = false;
    for (const walk of search.walks) newBody(walk);
    if (!isWhole(text, walkText(text, skipSpace(text, 0)))) return INVALID_JSON;
    return search.ambiguous ? ambiguous : allowed(search.places);
  };
}

/** Makes the function that steps over a value with `depth` objects and arrays around it, and follows the path's steps into it. */
function compileStep(steps: readonly string[], depth: number, search: Search): Skip {
  const [step, ...rest] = steps as [string, ...string[]];
  const inner: Skip =
    rest.length === 0 ? (bytes, start) => skipValue(bytes, start, depth + 1) : compileStep(rest, depth + 1, search);
  if (step === EVERY_ITEM)
    return (bytes, start) =>
      start < bytes.length && bytes[start] === OPEN_ARRAY
        ? walkItems(bytes, start, inner)
        : skipValue(bytes, start, depth);
  const joined = joinedNames(steps.slice(0, steps.includes(EVERY_ITEM) ? steps.indexOf(EVERY_ITEM) : steps.length));
  const walk = newWalk({ member: compileMember(step), depth: depth + 1, skipFound: inner, joined });
  search.walks.push(walk);
  return (bytes, start) => {
    if (start >= bytes.length || bytes[start] !== OPEN_OBJECT) return skipValue(bytes, start, depth);
    const stop = walkObject(bytes, start, walk);
    // A copy made member by member inherits from what `__proto__` holds, all the more once the member itself is cut out.
    if (walk.exact > 1 || walk.variants > 0 || walk.prototype) search.ambiguous = true;
    else if (walk.exact === 1 && rest.length === 0) search.places.push(placeOf(walk));
    return stop;
  };
}

const placeOf = ({ nameStart, valueStart, valueEnd }: Walk): MemberPlace => ({ nameStart, valueStart, valueEnd });

/** The value, if it is a string. */
export function stringAt(text: Buffer, { valueStart, valueEnd }: MemberPlace): string | null {
  if (text[valueStart] !== QUOTE) return null;
  return JSON.parse(text.toString('utf8', valueStart, valueEnd)) as string;
}
