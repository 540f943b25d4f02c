/**
 * Decides, on the bytes of a body, which events a key may send, and cuts out the others.
 * What is not cut stays byte for byte; a body that two parsers could read differently is refused, never repaired.
 */
import type { EventSelector } from '../config/selector.ts';
import { type Refusal, refusal } from '../refusal.ts';
import { beginsAsBase64Json } from './base64-reading.ts';
import { clearBatch, compileBatchWalk, newBatch } from './batch.ts';
import { cutOut } from './cut.ts';
import { compileMember } from './member.ts';
import { compileNames, type NameMatcher } from './names.ts';
import { newBody, newWalk, walkObject } from './object.ts';
import { OPEN_OBJECT, QUOTE, skipSpace, skipValue } from './scan.ts';
import { isWhole } from './whole.ts';

/** What holds for the events of one key on one route. */
export interface EventRule {
  readonly selector: EventSelector;
  /** Exact event names. */
  readonly allowed: ReadonlySet<string>;
  /** Whether a disallowed event is cut out of its batch, or refuses the whole batch. */
  readonly onDisallowed: 'remove' | 'reject';
  /** What holds for batch items without an event name. */
  readonly unnamed: 'allow' | 'disallow';
  /** Members from which the backend may take events in place of those that the selector names. */
  readonly containers?: readonly string[] | undefined;
  /** The backend also reads bodies as base64. */
  readonly base64?: boolean | undefined;
  /** Judges names in place of `allowed`. */
  readonly isAllowed?: NameMatcher | undefined;
}

/** Each event of a body that has the selector's shape is counted once: as forwarded, removed or rejected. */
export type FilterResult =
  | {
      readonly ok: true;
      /** What to forward: the very buffer that came in when nothing was cut. */
      readonly body: Buffer;
      readonly cut: boolean;
      readonly forwarded: number;
      readonly removed: number;
    }
  | { readonly ok: false; readonly refusal: Refusal; readonly rejected: number };

export type EventFilter = (body: Buffer) => FilterResult;

const INVALID_JSON = refuse(refusal('invalid_json', 'body: not JSON (RFC 8259) in UTF-8, or nested too deeply'));
const AMBIGUOUS = refuse(refusal('ambiguous_body', 'body: a member that names the event can be read in two ways'));
const TWO_SHAPES = refuse(
  refusal('ambiguous_body', 'body: beside the events a member that stands for other events, or for another method'),
);
const BASE64 = refuse(refusal('ambiguous_body', 'body: JSON to a backend that reads it as base64'));
const NOT_AN_EVENT = refuse(refusal('invalid_event_body', 'body: not an object'));
const NOT_A_BATCH = refuse(refusal('invalid_event_body', 'body: no array of objects where the route has its events'));

/** Laravel takes the method of a POST from the body, also when that is JSON. */
const METHOD = '_method';

/** Makes the filter of a rule once, so that a request only scans. A filter is synchronous and keeps nothing of a body. */
export function compileEventFilter(rule: EventRule): EventFilter {
  const filter =
    rule.selector.kind === 'single' ? compileSingle(rule, rule.selector) : compileBatch(rule, rule.selector);
  return rule.base64 === true ? withoutBase64(filter) : filter;
}

/** Refuses a body that is other JSON in base64, as it came or as it is left. */
function withoutBase64(filter: EventFilter): EventFilter {
  return (body) => {
    const result = filter(body);
    if (!result.ok) return result;
    return beginsAsBase64Json(body) || (result.cut && beginsAsBase64Json(result.body)) ? BASE64 : result;
  };
}

function compileSingle(rule: EventRule, selector: EventSelector & { kind: 'single' }): EventFilter {
  const isAllowed = namesOf(rule);
  const event = newWalk({
    member: compileMember(selector.member),
    depth: 1,
    skipFound: (bytes, start) => skipValue(bytes, start, 1),
    rivals: [...(rule.containers ?? []), METHOD].map(compileMember),
  });

  return (body) => {
    newBody(event);
    const start = skipSpace(body, 0);
    const isObject = start < body.length && body[start] === OPEN_OBJECT;
    if (!isWhole(body, isObject ? walkObject(body, start, event) : skipValue(body, start, 0))) return INVALID_JSON;
    if (!isObject) return NOT_AN_EVENT;
    if (event.exact > 1 || event.variants > 0) return AMBIGUOUS;
    if (event.exact === 1 && event.rivalled) return TWO_SHAPES;
    const isNamed = event.exact === 1 && body[event.valueStart] === QUOTE;
    if (!isNamed) return notAllowed('the event has no name that is a string', 1);
    if (!isAllowed(body, event.valueStart + 1, event.valueEnd - 1))
      return notAllowed('the event is not on the list', 1);
    return { ok: true, body, cut: false, forwarded: 1, removed: 0 };
  };
}

function compileBatch(rule: EventRule, selector: EventSelector & { kind: 'batch' }): EventFilter {
  const { container, member } = selector;
  const batch = newBatch();
  const depth = container === null ? 0 : 1;
  const walkBatch = compileBatchWalk({ member, isAllowed: namesOf(rule), unnamed: rule.unnamed, depth }, batch);
  // A backend that finds the batch empty may take the object for the one event.
  const rivals = [member, ...(rule.containers ?? []), METHOD].filter((name) => name !== container).map(compileMember);
  const top =
    container === null ? null : newWalk({ member: compileMember(container), depth, skipFound: walkFirst, rivals });
  // A second batch makes the body ambiguous, whatever it holds.
  function walkFirst(bytes: Buffer, start: number): number {
    return top?.exact === 1 ? walkBatch(bytes, start) : skipValue(bytes, start, depth);
  }

  const walkTop = (body: Buffer, start: number): number => {
    if (top === null) return walkBatch(body, start);
    const isObject = start < body.length && body[start] === OPEN_OBJECT;
    if (!isObject) {
      batch.shapeless = true;
      return skipValue(body, start, 0);
    }
    newBody(top);
    const stop = walkObject(body, start, top);
    if (top.exact > 1 || top.variants > 0) batch.ambiguous = true;
    else if (top.exact === 0) batch.shapeless = true;
    return stop;
  };

  return (body) => {
    clearBatch(batch);
    if (!isWhole(body, walkTop(body, skipSpace(body, 0)))) return INVALID_JSON;
    if (batch.ambiguous) return AMBIGUOUS;
    if (top !== null && top.exact === 1 && top.rivalled) return TWO_SHAPES;
    if (batch.shapeless) return NOT_A_BATCH;
    const { kept, disallowed } = batch;
    if (disallowed === 0) return { ok: true, body, cut: false, forwarded: kept, removed: 0 };
    if (kept === 0 || rule.onDisallowed === 'reject')
      return notAllowed(`${disallowed} of ${kept + disallowed} events are not on the list`, kept + disallowed);
    return { ok: true, body: cutOut(body, batch.cuts), cut: true, forwarded: kept, removed: disallowed };
  };
}

const namesOf = ({ allowed, isAllowed }: EventRule): NameMatcher => isAllowed ?? compileNames(allowed);

function notAllowed(why: string, rejected: number): FilterResult {
  return refuse(refusal('event_not_allowed', `allowedEvents: ${why}`), rejected);
}

function refuse(refusal: Refusal, rejected = 0): FilterResult {
  return { ok: false, refusal, rejected };
}
