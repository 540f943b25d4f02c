/**
 * Walks an array of events, judges each, and notes which byte ranges to cut for the rest to stay a JSON array.
 * A segment (what stands between two commas, with its spacing) goes or stays as a whole. Nothing is cut here.
 */
import { compileMember } from './member.ts';
import type { NameMatcher } from './names.ts';
import { newWalk, walkObject } from './object.ts';
import { CLOSE_ARRAY, COMMA, INVALID, OPEN_ARRAY, OPEN_OBJECT, QUOTE, skipSpace, skipValue } from './scan.ts';

export interface BatchRule {
  /** The member that names an event. */
  readonly member: string;
  readonly isAllowed: NameMatcher;
  readonly unnamed: 'allow' | 'disallow';
  /** Objects and arrays around the batch. */
  readonly depth: number;
}

/** What was found since the last `clear`. */
export interface Batch {
  kept: number;
  disallowed: number;
  /** Start and end (exclusive) of each range to cut, alternating. */
  cuts: number[];
  /** The value is no array, or an item no object. */
  shapeless: boolean;
  /** Two parsers could find different names in an item. */
  ambiguous: boolean;
}

/** One record serves many bodies: clear it before each. */
export const newBatch = (): Batch => ({ kept: 0, disallowed: 0, cuts: [], shapeless: false, ambiguous: false });

export function clearBatch(batch: Batch): void {
  batch.kept = 0;
  batch.disallowed = 0;
  batch.cuts = [];
  batch.shapeless = false;
  batch.ambiguous = false;
}

/** Makes the function that steps over the value that should be the batch, and notes in `batch` what it finds. */
export function compileBatchWalk(rule: BatchRule, batch: Batch): (bytes: Buffer, start: number) => number {
  const itemDepth = rule.depth + 1;
  const event = newWalk({
    member: compileMember(rule.member),
    depth: itemDepth + 1,
    skipFound: (bytes, at) => skipValue(bytes, at, itemDepth + 1),
  });

  const isEventAllowed = (bytes: Buffer): boolean => {
    if (event.exact === 0) return rule.unnamed === 'allow';
    return bytes[event.valueStart] === QUOTE && rule.isAllowed(bytes, event.valueStart + 1, event.valueEnd - 1);
  };
  // A copy made member by member inherits from what `__proto__` holds: such an event is only seemingly unnamed.
  const isEventAmbiguous = (): boolean =>
    event.exact > 1 || event.variants > 0 || (event.prototype && event.exact === 0 && rule.unnamed === 'allow');

  /** Judges the segment that begins at `segment`, with its item at `start`; returns where it ends. */
  const skipSegment = (bytes: Buffer, segment: number, start: number): number => {
    const isObject = start < bytes.length && bytes[start] === OPEN_OBJECT;
    let at = isObject ? walkObject(bytes, start, event) : skipValue(bytes, start, itemDepth);
    if (at === INVALID) return INVALID;
    at = skipSpace(bytes, at);
    if (!isObject) batch.shapeless = true;
    else if (isEventAmbiguous()) batch.ambiguous = true;
    else if (isEventAllowed(bytes)) batch.kept++;
    else {
      batch.disallowed++;
      // The comma before goes along; before the first that is kept, the comma after.
      if (batch.kept > 0) addCut(batch.cuts, segment - 1, at);
      else addCut(batch.cuts, segment, at + 1);
    }
    return at;
  };

  return (bytes, start) => {
    event.member.newBody();
    if (start >= bytes.length || bytes[start] !== OPEN_ARRAY) {
      batch.shapeless = true;
      return skipValue(bytes, start, rule.depth);
    }
    let segment = start + 1;
    let at = skipSpace(bytes, segment);
    if (at < bytes.length && bytes[at] === CLOSE_ARRAY) return at + 1;
    for (;;) {
      at = skipSegment(bytes, segment, at);
      if (at === INVALID || at >= bytes.length) return INVALID;
      const byte = bytes[at];
      segment = at + 1;
      if (byte === CLOSE_ARRAY) return segment;
      if (byte !== COMMA) return INVALID;
      at = skipSpace(bytes, segment);
    }
  };
}

/** Neighbours become one range, so that a long run of disallowed events costs one. */
function addCut(cuts: number[], start: number, end: number): void {
  if (cuts.length > 0 && cuts[cuts.length - 1] === start) cuts[cuts.length - 1] = end;
  else cuts.push(start, end);
}
