/**
 * Says what the event filter must do with a body, in the plainest way: parse, look, rebuild. Slow and written apart from it.
 * Also holds the readers that stand for the backends behind a filter: each finds a member in its own way.
 */
import type { EventRule } from '../../src/event-filter/filter.ts';
import { type Entry, readTree, type Tree } from './json-entries.ts';

export type Expected =
  | { readonly code: 'invalid_json' | 'ambiguous_body' | 'invalid_event_body' }
  | { readonly code: 'event_not_allowed'; readonly rejected: number }
  | { readonly code: null; readonly body: Buffer; readonly forwarded: number; readonly removed: number };

export function expectedOutcome(body: Buffer, rule: EventRule): Expected {
  if (!isStrictJson(body)) return { code: 'invalid_json' };
  const tree = readTree(body);
  const { selector } = rule;
  if (selector.kind === 'single') {
    if (tree.kind !== 'object') return { code: 'invalid_event_body' };
    if (isAmbiguous(tree.entries, selector.member)) return { code: 'ambiguous_body' };
    const name = tree.entries.find((entry) => entry.name === selector.member)?.value;
    if (!isAllowedName(name, rule)) return { code: 'event_not_allowed', rejected: 1 };
    return { code: null, body, forwarded: 1, removed: 0 };
  }

  const { container } = selector;
  let batch: Tree | undefined = tree;
  if (container !== null) {
    if (tree.kind !== 'object') return { code: 'invalid_event_body' };
    if (isAmbiguous(tree.entries, container)) return { code: 'ambiguous_body' };
    batch = tree.entries.find((entry) => entry.name === container)?.value;
    if (batch !== undefined && holdsRival(tree.entries, rule)) return { code: 'ambiguous_body' };
  }
  if (batch?.kind !== 'array') return { code: 'invalid_event_body' };
  const objects = batch.items.map((item) => (item.kind === 'object' ? item.entries : null));
  if (objects.some((entries) => entries !== null && isEventAmbiguous(entries, rule))) return { code: 'ambiguous_body' };
  if (objects.includes(null)) return { code: 'invalid_event_body' };

  const verdicts = objects.map((entries) => isAllowedEvent(entries ?? [], rule));
  const forwarded = verdicts.filter(Boolean).length;
  const removed = verdicts.length - forwarded;
  if (removed === 0) return { code: null, body, forwarded, removed };
  if (forwarded === 0 || rule.onDisallowed === 'reject')
    return { code: 'event_not_allowed', rejected: verdicts.length };
  return { code: null, body: rebuild(body, batch.segments, verdicts), forwarded, removed };
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

/** The member of a single event beside the batch, or where a copy of the object inherits it. */
function holdsRival(entries: readonly Entry[], rule: EventRule): boolean {
  const prototypes = entries.flatMap(({ name, value }) =>
    name === '__proto__' && value.kind === 'object' ? [value.entries] : [],
  );
  return (
    entries.some(({ name }) => isSuspect(name, rule.selector.member)) ||
    prototypes.some((inherited) => holdsRival(inherited, rule) || inherited.some(({ name }) => name === '__proto__'))
  );
}

function isEventAmbiguous(entries: readonly Entry[], rule: EventRule): boolean {
  const { member } = rule.selector;
  if (isAmbiguous(entries, member)) return true;
  const has = (name: string): boolean => entries.some((entry) => entry.name === name);
  return rule.unnamed === 'allow' && has('__proto__') && !has(member);
}

function isAmbiguous(entries: readonly Entry[], member: string): boolean {
  const suspects = entries.filter((entry) => isSuspect(entry.name, member));
  return suspects.length > 1 || suspects.some((entry) => entry.name !== member);
}

function isAllowedEvent(entries: readonly Entry[], rule: EventRule): boolean {
  const named = entries.find((entry) => entry.name === rule.selector.member);
  return named === undefined ? rule.unnamed === 'allow' : isAllowedName(named.value, rule);
}

function isAllowedName(name: Tree | undefined, rule: EventRule): boolean {
  return name?.kind === 'string' && rule.allowed.has(name.text) && !/\p{Cs}/u.test(name.text);
}

function rebuild(body: Buffer, segments: readonly (readonly [number, number])[], keep: readonly boolean[]): Buffer {
  const text = body.toString('latin1');
  const kept = segments.filter((_, i) => keep[i]).map(([start, end]) => text.slice(start, end));
  const first = segments[0]?.[0] ?? 0;
  const last = segments.at(-1)?.[1] ?? 0;
  return Buffer.from(text.slice(0, first) + kept.join(',') + text.slice(last), 'latin1');
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

/** Every event name that the reader finds; null for an event whose name is missing or no string. */
export function namesSeen(tree: Tree, rule: EventRule, reader: Reader): (string | null)[] {
  const { selector } = rule;
  const find = (tree: Tree | undefined, member: string): Tree | undefined => {
    const found = tree?.kind === 'object' ? tree.entries.filter((entry) => reader.reads(entry.name, member)) : [];
    return found.at(reader.keeps === 'first' ? 0 : -1)?.value;
  };
  const nameOf = (event: Tree): string | null => {
    const name = find(event, selector.member);
    return name?.kind === 'string' ? name.text : null;
  };
  if (selector.kind === 'single') return [nameOf(tree)];
  const batch = selector.container === null ? tree : find(tree, selector.container);
  return batch?.kind === 'array' ? batch.items.map(nameOf) : [];
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
