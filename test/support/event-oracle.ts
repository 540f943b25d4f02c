/**
 * Says what the event filter must do with a body, in the plainest way: parse, look, rebuild. Slow and written apart from it.
 * Also holds the readers that stand for the backends behind a filter: each finds a member in its own way.
 */
import { firstMember, type EventSelector } from '../../src/config/selector.ts';
import type { EventRule } from '../../src/event-filter/filter.ts';
import { type Entry, readTree, type Tree } from './json-entries.ts';

export type Expected =
  | { readonly code: 'invalid_json' | 'ambiguous_body' | 'invalid_event_body' }
  | { readonly code: 'event_not_allowed'; readonly rejected: number }
  | { readonly code: null; readonly body: Buffer; readonly forwarded: number; readonly removed: number };

export function expectedOutcome(body: Buffer, rule: EventRule): Expected {
  if (!isStrictJson(body)) return { code: 'invalid_json' };
  const tree = readTree(body);
  const selector = shapeOf(tree, rule);
  if (selector === 'two') return { code: 'ambiguous_body' };
  const others = rule.selectors.filter((other) => other !== selector).flatMap((other) => firstMember(other) ?? []);
  const rivals = [...others, '_method'];
  if (selector.containers.length === 0) {
    if (tree.kind !== 'object') return { code: 'invalid_event_body' };
    switch (verdictOf(tree.entries, { ...rule, unnamed: 'disallow' }, selector, rivals)) {
      case 'ambiguous':
        return { code: 'ambiguous_body' };
      case 'shapeless':
        return { code: 'invalid_event_body' };
      case 'disallowed':
        return { code: 'event_not_allowed', rejected: 1 };
      case 'allowed':
        return { code: null, body, forwarded: 1, removed: 0 };
    }
  }
  const found: Found = { ambiguous: false, shapeless: false, arrays: [] };
  lookInto(tree, selector, 0, { rule, rivals, found });
  if (found.ambiguous) return { code: 'ambiguous_body' };
  if (found.shapeless) return { code: 'invalid_event_body' };
  const verdicts = found.arrays.flatMap(({ keep }) => keep);
  const forwarded = verdicts.filter(Boolean).length;
  const removed = verdicts.length - forwarded;
  if (removed === 0) return { code: null, body, forwarded, removed };
  if (forwarded === 0 || rule.onDisallowed === 'reject')
    return { code: 'event_not_allowed', rejected: verdicts.length };
  const text = found.arrays.reduceRight(
    (left, { segments, keep }) => rebuild(left, segments, keep),
    body.toString('latin1'),
  );
  return { code: null, body: Buffer.from(text, 'latin1'), forwarded, removed };
}

/** Which of the selectors a body was made for; `two`: nobody can tell. */
function shapeOf(tree: Tree, { selectors }: EventRule): EventSelector | 'two' {
  const list = selectors.find((selector) => firstMember(selector) === null);
  const [first = list as EventSelector, ...others] = selectors.filter((selector) => selector !== list);
  if (selectors.length === 1 || tree.kind !== 'object') return tree.kind === 'array' ? (list ?? first) : first;
  const present = [first, ...others].filter((selector) =>
    tree.entries.some(({ name }) => isSuspect(name, firstMember(selector) ?? '')),
  );
  if (present.length > 1) return 'two';
  return present[0] ?? selectors.find(({ containers }) => containers.length === 0) ?? first;
}

interface Found {
  ambiguous: boolean;
  shapeless: boolean;
  readonly arrays: { segments: readonly (readonly [number, number])[]; keep: readonly boolean[] }[];
}

interface Look {
  readonly rule: EventRule;
  readonly rivals: readonly string[];
  readonly found: Found;
}

/** Looks into the value around the container of a level: finds it there, and goes on with what it holds. */
function lookInto(around: Tree, selector: EventSelector, level: number, look: Look): void {
  const { found, rivals } = look;
  const container = selector.containers[level] as EventSelector['containers'][number];
  let value = around;
  if (container.member !== null) {
    if (around.kind !== 'object') return void (found.shapeless = true);
    if (isAmbiguous(around.entries, container.member)) return void (found.ambiguous = true);
    const entry = around.entries.find(({ name }) => name === container.member);
    if (entry === undefined) return void (found.shapeless = true);
    const named = [selector.way[0] ?? selector.member, selector.member];
    const beside = (level === 0 ? [...rivals, ...named] : named).filter((name) => name !== container.member);
    if (holdsRival(around.entries, beside)) found.ambiguous = true;
    value = entry.value;
  }
  const isLast = level === selector.containers.length - 1;
  if (container.holds === 'object') return lookInto(value, selector, level + 1, look);
  if (value.kind !== 'array') return void (found.shapeless = true);
  if (!isLast) return value.items.forEach((item) => lookInto(item, selector, level + 1, look));
  const keep = value.items.map((item) => {
    const verdict = item.kind === 'object' ? verdictOf(item.entries, look.rule, selector, []) : 'shapeless';
    if (verdict === 'ambiguous') found.ambiguous = true;
    if (verdict === 'shapeless') found.shapeless = true;
    return verdict === 'allowed';
  });
  found.arrays.push({ segments: value.segments, keep });
}

type Verdict = 'allowed' | 'disallowed' | 'ambiguous' | 'shapeless';

function verdictOf(
  entries: readonly Entry[],
  rule: EventRule,
  { way, member }: EventSelector,
  rivals: readonly string[],
): Verdict {
  const { when } = rule;
  const name = nameVerdict(entries, rule, [...way, member], rivals);
  if (when === undefined || when === null) return name;
  if (name === 'ambiguous' || isAmbiguous(entries, when.member)) return 'ambiguous';
  const kind = entries.find((entry) => entry.name === when.member)?.value;
  if (kind?.kind !== 'string') return 'disallowed';
  const looked = way[0] ?? member;
  const beside = [...rivals, ...(way.length > 0 ? [member] : [])].filter((rival) => rival !== looked);
  if (when.is.includes(kind.text)) return name;
  if (!when.pass.includes(kind.text)) return 'disallowed';
  return holdsRival(entries, beside) ? 'ambiguous' : 'allowed';
}

function nameVerdict(
  entries: readonly Entry[],
  rule: EventRule,
  [looked = '', ...rest]: readonly string[],
  rivals: readonly string[],
): Verdict {
  if (isAmbiguous(entries, looked)) return 'ambiguous';
  const found = entries.find(({ name }) => name === looked);
  if (found === undefined) {
    if (rule.unnamed === 'allow') return entries.some(({ name }) => name === '__proto__') ? 'ambiguous' : 'allowed';
    return rest.length === 0 ? 'disallowed' : 'shapeless';
  }
  const beside = [...rivals, ...rest.slice(-1)].filter((name) => name !== looked);
  if (holdsRival(entries, beside)) return 'ambiguous';
  if (rest.length === 0) return isAllowedName(found.value, rule) ? 'allowed' : 'disallowed';
  return found.value.kind === 'object' ? nameVerdict(found.value.entries, rule, rest, []) : 'shapeless';
}

/** RFC 8259 as JSON.parse has it, in UTF-8 without a byte order mark, 64 levels deep at most. */
function isStrictJson(body: Buffer): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    JSON.parse(text);
    return depthOf(text) <= 64;
  } catch {
    return false;
  }
}

function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  for (const mark of json.replace(/"(?:[^"\\]|\\.)*"/g, '').match(/[[\]{}]/g) ?? []) {
    depth += mark === '[' || mark === '{' ? 1 : -1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

/** A member that must not stand there, or where a copy of the object inherits it. */
function holdsRival(entries: readonly Entry[], rivals: readonly string[]): boolean {
  if (rivals.length === 0) return false;
  const prototypes = entries.flatMap(({ name, value }) =>
    name === '__proto__' && value.kind === 'object' ? [value.entries] : [],
  );
  return (
    entries.some(({ name }) => rivals.some((rival) => isSuspect(name, rival))) ||
    prototypes.some((inherited) => holdsRival(inherited, rivals) || inherited.some(({ name }) => name === '__proto__'))
  );
}

function isAmbiguous(entries: readonly Entry[], member: string): boolean {
  const suspects = entries.filter((entry) => isSuspect(entry.name, member));
  return suspects.length > 1 || suspects.some((entry) => entry.name !== member);
}

function isAllowedName(name: Tree | undefined, rule: EventRule): boolean {
  return name?.kind === 'string' && rule.allowed.has(name.text) && !/\p{Cs}/u.test(name.text);
}

function rebuild(text: string, segments: readonly (readonly [number, number])[], keep: readonly boolean[]): string {
  if (keep.every(Boolean)) return text;
  const kept = segments.filter((_, i) => keep[i]).map(([start, end]) => text.slice(start, end));
  const first = segments[0]?.[0] ?? 0;
  const last = segments.at(-1)?.[1] ?? 0;
  return text.slice(0, first) + kept.join(',') + text.slice(last);
}

/** A backend's way of finding a member: whether it takes `name` for `member`, and which of several it keeps. */
export interface Reader {
  readonly label: string;
  readonly reads: (name: string, member: string) => boolean;
  readonly keeps: 'first' | 'last';
}

type SameName = (name: string, member: string) => boolean;

/** What libraries do to a name before they compare it. */
const cutAtNul = (name: string): string => name.split('\0', 1)[0] ?? '';
const JUNK: readonly (readonly [number, number])[] = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x200b, 0x200f],
  [0x2060, 0x2064],
  [0xd800, 0xdfff],
  [0xfe0f, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xfffd, 0xfffd],
];
const isJunk = (char: string): boolean => {
  const point = char.codePointAt(0) ?? 0;
  return JUNK.some(([first, last]) => point >= first && point <= last);
};
const dropJunk = (name: string): string =>
  Array.from(name)
    .filter((char) => !isJunk(char))
    .join('');

/** How libraries compare names; `i` with `u` is Unicode simple case folding. Members here are of letters alone. */
const exactly: SameName = (name, member) => name === member;
const byFolding: SameName = (name, member) => new RegExp(`^${member}$`, 'iu').test(name);
const byLowerCase: SameName = (name, member) => name.toLowerCase() === member.toLowerCase();
const byUpperCase: SameName = (name, member) => name.toUpperCase() === member.toUpperCase();
const byTurkishCase: SameName = (name, member) => name.toLocaleLowerCase('tr') === member.toLocaleLowerCase('tr');

const after =
  (change: (name: string) => string, same: SameName): SameName =>
  (name, member) =>
    same(change(name), member);

const SAME: Readonly<Record<string, SameName>> = {
  exact: exactly,
  folding: byFolding,
  'lower case': byLowerCase,
  'upper case': byUpperCase,
  turkish: byTurkishCase,
  'c string': after(cutAtNul, exactly),
  'c string, folding': after((name) => dropJunk(cutAtNul(name)).trim(), byFolding),
  'junk dropped': after(dropJunk, exactly),
  'junk dropped, upper case': after((name) => dropJunk(name).trim(), byUpperCase),
  'junk dropped, turkish': after((name) => dropJunk(name).trim(), byTurkishCase),
};

/** Whether some reader takes the one name for the other. */
const isSuspect = memoized((name, member) => Object.values(SAME).some((same) => same(name, member)));

export const READERS: readonly Reader[] = Object.entries(SAME).flatMap(([label, same]) => {
  const reads = memoized(same);
  return [
    { label: `${label}, first`, reads, keeps: 'first' as const },
    { label: `${label}, last`, reads, keeps: 'last' as const },
  ];
});

/** What a reader makes of an item of a kind that carries no event and is not said to pass. */
const UNKNOWN_KIND = '(a kind that should have been removed)';

/** Every event name that the reader finds; null for an event whose name is missing or no string. */
export function namesSeen(tree: Tree, rule: EventRule, reader: Reader): (string | null)[] {
  const find = (tree: Tree | undefined, member: string): Tree | undefined => {
    const found = tree?.kind === 'object' ? tree.entries.filter((entry) => reader.reads(entry.name, member)) : [];
    return found.at(reader.keeps === 'first' ? 0 : -1)?.value;
  };
  const nameOf = (event: Tree, { way, member }: EventSelector): (string | null)[] => {
    if (rule.when !== undefined && rule.when !== null) {
      const kind = find(event, rule.when.member);
      if (kind?.kind === 'string' && rule.when.pass.includes(kind.text)) return [];
      if (kind?.kind !== 'string' || !rule.when.is.includes(kind.text)) return [UNKNOWN_KIND];
    }
    const name = [...way, member].reduce<Tree | undefined>(find, event);
    return [name?.kind === 'string' ? name.text : null];
  };
  const namesBy = (selector: EventSelector): (string | null)[] | null => {
    let values: readonly Tree[] = [tree];
    for (const { member, holds } of selector.containers) {
      const held = member === null ? values : values.flatMap((value) => find(value, member) ?? []);
      values = holds === 'object' ? held : held.flatMap((value) => (value.kind === 'array' ? value.items : []));
      if (held.length === 0) return null;
    }
    return values.flatMap((event) => nameOf(event, selector));
  };
  // A backend takes the body for one event where it finds no batch in it.
  const batches = rule.selectors.filter(({ containers }) => containers.length > 0).flatMap((one) => namesBy(one) ?? []);
  const single = rule.selectors.find(({ containers }) => containers.length === 0);
  const isBatch = rule.selectors.some(
    ({ containers }) => containers.length > 0 && isThere(containers[0]?.member ?? null),
  );
  function isThere(member: string | null): boolean {
    return member === null ? tree.kind === 'array' : find(tree, member) !== undefined;
  }
  return single === undefined || isBatch ? batches : [...batches, ...nameOf(tree, single)];
}

/** The names of generated bodies repeat; comparing them anew is most of the time of a long run. */
function memoized(same: SameName): SameName {
  const known = new Map<string, boolean>();
  return (name, member) => {
    const pair = `${member}\n${name}`;
    if (known.size > 10_000) known.clear();
    let verdict = known.get(pair);
    if (verdict === undefined) known.set(pair, (verdict = same(name, member)));
    return verdict;
  };
}
