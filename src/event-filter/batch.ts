/**
 * Walks to the arrays of events in a body, judges each event, and notes which byte ranges to cut for the rest to stay JSON arrays.
 * A segment (what stands between two commas, with its spacing) goes or stays as a whole. Nothing is cut here.
 */
import type { EventContainer } from '../config/selector.ts';
import type { Item } from './item.ts';
import { compileMember } from './member.ts';
import { joinedNames, newBody, newWalk, NONE, walkObject, type Walk } from './object.ts';
import { RefusedNames } from './refused-names.ts';
import {
  CLOSE_ARRAY,
  COMMA,
  INVALID,
  OPEN_ARRAY,
  OPEN_OBJECT,
  skipSpace,
  skipValue,
  walkItems,
  type Skip,
} from './scan.ts';

/** What was found since the last `clear`. */
export interface Batch {
  kept: number;
  disallowed: number;
  readonly refused: RefusedNames;
  /** Start and end (exclusive) of each range to cut, alternating. */
  cuts: number[];
  /** Something on the way is missing, or no array or object as it should be. */
  shapeless: boolean;
  /** Two parsers could find different batches, or different names in an item. */
  ambiguous: boolean;
  /** Beside a batch or an event stands what some backend may take for the event. */
  rivalled: boolean;
}

/** One record serves many bodies: clear it before each. */
export const newBatch = (): Batch => ({
  kept: 0,
  disallowed: 0,
  refused: new RefusedNames(),
  cuts: [],
  shapeless: false,
  ambiguous: false,
  rivalled: false,
});

export function clearBatch(batch: Batch): void {
  batch.kept = 0;
  batch.disallowed = 0;
  batch.refused.clear();
  batch.cuts = [];
  batch.shapeless = false;
  batch.ambiguous = false;
  batch.rivalled = false;
}

/** Makes the function that steps over an array of events, which lies inside `depth` objects and arrays. */
export function compileItems(item: Item, depth: number, batch: Batch): Skip {
  const note = (bytes: Buffer, segment: number, at: number, isFirst: boolean): boolean => {
    switch (item.verdict(bytes)) {
      case 'allowed':
        batch.kept++;
        return true;
      case 'disallowed':
        batch.disallowed++;
        batch.refused.note(bytes, item.name());
        // The comma before goes along; before the first that is kept, the comma after.
        if (isFirst) addCut(batch.cuts, segment, at + 1);
        else addCut(batch.cuts, segment - 1, at);
        return false;
      case 'ambiguous':
        batch.ambiguous = true;
        return false;
      case 'rivalled':
        batch.rivalled = true;
        return false;
      case 'shapeless':
        batch.shapeless = true;
        return false;
    }
  };

  return (bytes, start) => {
    if (start >= bytes.length || bytes[start] !== OPEN_ARRAY) return skipShapeless(bytes, start, depth, batch);
    let isKept = false;
    let segment = start + 1;
    let at = skipSpace(bytes, segment);
    if (at < bytes.length && bytes[at] === CLOSE_ARRAY) return at + 1;
    for (;;) {
      const isObject = at < bytes.length && bytes[at] === OPEN_OBJECT;
      at = isObject ? item.skip(bytes, at) : skipShapeless(bytes, at, depth + 1, batch);
      if (at === INVALID) return INVALID;
      at = skipSpace(bytes, at);
      if (at >= bytes.length) return INVALID;
      if (isObject && note(bytes, segment, at, !isKept)) isKept = true;
      const byte = bytes[at];
      if (byte === CLOSE_ARRAY) {
        // Where all go, no comma comes after the last.
        if (!isKept && batch.cuts.at(-1) === at + 1) batch.cuts[batch.cuts.length - 1] = at;
        return at + 1;
      }
      if (byte !== COMMA) return INVALID;
      segment = at + 1;
      at = skipSpace(bytes, segment);
    }
  };
}

/** Makes the function that steps over an array of objects on the way to the events. */
export function compileList(skipObject: Skip, depth: number, batch: Batch): Skip {
  return (bytes, start) => {
    if (start >= bytes.length || bytes[start] !== OPEN_ARRAY) return skipShapeless(bytes, start, depth, batch);
    return walkItems(bytes, start, skipObject);
  };
}

/** The step over an object that has to have the container once, and the walk that says whether it had. */
export interface ContainerStep {
  readonly skip: Skip;
  readonly walk: Walk;
}

interface ContainerRule {
  /** The member that holds it, and those that lead on from it through objects alone. */
  readonly way: readonly [string, ...string[]];
  /** Steps over what it holds. */
  readonly inner: Skip;
  /** Must not stand beside it. */
  readonly rivals: readonly string[];
  readonly depth: number;
}

export function compileContainer({ way, inner, rivals, depth }: ContainerRule, batch: Batch): ContainerStep {
  const [member] = way;
  const walk: Walk = newWalk({
    member: compileMember(member),
    joined: joinedNames(way),
    depth: depth + 1,
    // A second one makes the body ambiguous, whatever it holds.
    skipFound: (bytes, start) => (walk.exact === 1 ? inner(bytes, start) : skipValue(bytes, start, depth + 1)),
    rivals: rivals.filter((rival) => rival !== member).map(compileMember),
  });
  const skip: Skip = (bytes, start) => {
    if (start >= bytes.length || bytes[start] !== OPEN_OBJECT) return skipShapeless(bytes, start, depth, batch);
    const stop = walkObject(bytes, start, walk);
    if (walk.exact > 1 || walk.variants > 0) batch.ambiguous = true;
    else if (walk.exact === 0) batch.shapeless = true;
    else if (walk.rival !== NONE) batch.rivalled = true;
    return stop;
  };
  return { skip, walk };
}

/** What there is on the way from the body to the arrays of events. */
export interface WayRule {
  readonly containers: readonly EventContainer[];
  /** What an event is known by: an object that leads to events must not have these members. */
  readonly members: readonly string[];
  /** Further members that must not stand in the body's own object. */
  readonly rivals: readonly string[];
}

export interface BatchWalk {
  /** To be called before each body. */
  readonly newBody: () => void;
  /** Steps over the value that the body should be. */
  readonly skip: Skip;
  /** What was looked for in the body's own object; null: the body has to be an array. */
  readonly top: Walk | null;
}

/** Objects and arrays around the items that a way leads to. */
export const depthOfItems = (containers: readonly EventContainer[]): number =>
  containers.reduce((depth, { member, holds }) => depth + (member === null ? 0 : 1) + (holds === 'array' ? 1 : 0), 0);

/** Makes the function that goes all the way, from the body to each array of events. It is built from the inside out. */
export function compileBatchWalk({ containers, members, rivals }: WayRule, item: Item, batch: Batch): BatchWalk {
  const walks: Walk[] = [];
  let skip: Skip | null = null;
  for (let level = containers.length - 1; level >= 0; level--) {
    const container = containers[level] as EventContainer;
    const around = depthOfItems(containers.slice(0, level)) + (container.member === null ? 0 : 1);
    if (skip === null) skip = compileItems(item, around, batch);
    else if (container.holds === 'array') skip = compileList(skip, around, batch);
    if (container.member === null) break;
    const beside = level === 0 ? [...rivals, ...members] : members;
    const way = [container.member, ...membersWithin(containers.slice(level))] as const;
    const step = compileContainer({ way, inner: skip, rivals: beside, depth: around - 1 }, batch);
    walks.unshift(step.walk);
    skip = step.skip;
  }
  return {
    newBody: () => {
      walks.forEach(newBody);
      item.newBody();
    },
    skip: skip as Skip,
    top: containers[0]?.member === null ? null : (walks[0] as Walk),
  };
}

/** The members that lead on from the first of these containers, up to the next array. */
function membersWithin(containers: readonly EventContainer[]): string[] {
  const array = containers.findIndex(({ holds }) => holds === 'array');
  return containers.slice(1, array + 1).map(({ member }) => member as string);
}

function skipShapeless(bytes: Buffer, start: number, depth: number, batch: Batch): number {
  batch.shapeless = true;
  return skipValue(bytes, start, depth);
}

/** Neighbours become one range, so that a long run of disallowed events costs one. */
function addCut(cuts: number[], start: number, end: number): void {
  if (cuts.length > 0 && cuts[cuts.length - 1] === start) cuts[cuts.length - 1] = end;
  else cuts.push(start, end);
}
