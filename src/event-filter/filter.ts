/**
 * Decides, on the bytes of a JSON text, which events a key may send, and cuts out the others.
 * What is not cut stays byte for byte; a text that two parsers could read differently is refused, never repaired.
 */
import type { EventKinds } from '../config/event-definition.ts';
import { firstMember, type EventSelector } from '../config/selector.ts';
import { type Refusal, refusal } from '../refusal.ts';
import { beginsAsBase64Json } from './base64-reading.ts';
import { clearBatch, compileBatchWalk, depthOfItems, newBatch } from './batch.ts';
import { cutOut } from './cut.ts';
import { compileItem, type ItemRule } from './item.ts';
import { compileNames, type NameMatcher } from './names.ts';
import type { Walk } from './object.ts';
import { OPEN_ARRAY, OPEN_OBJECT, skipSpace, skipValue } from './scan.ts';
import { NO_NAMES, RefusedNames } from './refused-names.ts';
import { isWhole } from './whole.ts';

/** What holds for the events of one key on one route. */
export interface EventRule {
  /** Of which exactly one has to fit; no two begin with the same member. */
  readonly selectors: readonly EventSelector[];
  /** Exact event names. */
  readonly allowed: ReadonlySet<string>;
  /** Whether a disallowed event is cut out of its batch, or refuses the whole batch. */
  readonly onDisallowed: 'remove' | 'reject';
  /** What holds for batch items without an event name. */
  readonly unnamed: 'allow' | 'disallow';
  /** Which items carry an event; null or absent: all do. */
  readonly when?: EventKinds | null | undefined;
  /** An event that says neither its kind nor its name is none. */
  readonly kindElsewhere?: boolean | undefined;
  /** Members from which the backend may take events in place of those that the selectors name. */
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
      /** Names of events that are cut out: the first few, cut short. */
      readonly names: readonly string[];
    }
  | { readonly ok: false; readonly refusal: Refusal; readonly rejected: number; readonly names: readonly string[] };

export type EventFilter = (body: Buffer) => FilterResult;

const INVALID_JSON = refuse(refusal('invalid_json', 'body: not JSON (RFC 8259) in UTF-8, or nested too deeply'));
const AMBIGUOUS = refuse(refusal('ambiguous_body', 'body: a member that names the event can be read in two ways'));
const TWO_SHAPES = refuse(
  refusal('ambiguous_body', 'body: beside the events a member that stands for other events, or for another method'),
);
const BASE64 = refuse(refusal('ambiguous_body', 'body: JSON to a backend that reads it as base64'));
const NOT_AN_EVENT = refuse(
  refusal('invalid_event_body', 'body: no object, or none where the route has the event name'),
);
const NOT_A_BATCH = refuse(refusal('invalid_event_body', 'body: no array of objects where the route has its events'));

/** Laravel takes the method of a POST from the body, also when that is JSON. */
const METHOD = '_method';

/** PHP makes the same array of an object with such a member as of a list, and applications look for it to tell the two apart. */
const FIRST_OF_LIST = '0';

/** Makes the filter of a rule once, so that a request only scans. A filter is synchronous and keeps nothing of a body. */
export function compileEventFilter(rule: EventRule): EventFilter {
  const shapes = rule.selectors.map((selector) => compileShape(rule, selector));
  const filter = shapes.length === 1 ? (shapes[0] as Shape).filter : compileChoice(shapes);
  return rule.base64 === true ? withoutBase64(filter) : filter;
}

/** The filter of one selector. */
interface Shape {
  readonly filter: EventFilter;
  readonly first: string | null;
  readonly isSingle: boolean;
  /** What was looked for in the body's own object; null: the body has to be an array. */
  readonly top: Walk | null;
  /** The first members of all other shapes, which are the first rivals of `top`. */
  readonly others: readonly string[];
}

/**
 * Chooses the shape that a body has. What stands in the body in place of a shape's own first member tells which it is; two of them
 * are each other's rivals, so that whichever is asked refuses.
 */
function compileChoice(shapes: readonly Shape[]): EventFilter {
  const list = shapes.find(({ top }) => top === null);
  const [firstAsked = list as Shape] = shapes.filter(({ top }) => top !== null);
  const single = shapes.find(({ isSingle }) => isSingle) ?? firstAsked;
  const byFirst = new Map(shapes.map((shape) => [shape.first, shape]));

  return (body) => {
    const start = skipSpace(body, 0);
    if (list !== undefined && start < body.length && body[start] === OPEN_ARRAY) return list.filter(body);
    const result = firstAsked.filter(body);
    const { top, others } = firstAsked;
    if (
      result === INVALID_JSON ||
      top === null ||
      start >= body.length ||
      body[start] !== OPEN_OBJECT ||
      top.exact + top.variants > 0
    )
      return result;
    const name = others[top.rival];
    const other = name === undefined ? single : (byFirst.get(name) as Shape);
    return other === firstAsked ? result : other.filter(body);
  };
}

/** Refuses a body that is other JSON in base64, as it came or as it is left. */
function withoutBase64(filter: EventFilter): EventFilter {
  return (body) => {
    const result = filter(body);
    if (!result.ok) return result;
    return beginsAsBase64Json(body) || (result.cut && beginsAsBase64Json(result.body)) ? BASE64 : result;
  };
}

function compileShape(rule: EventRule, selector: EventSelector): Shape {
  const first = firstMember(selector);
  const others = rule.selectors.map(firstMember).filter((name) => name !== null && name !== first) as string[];
  const mayBeList = rule.selectors.some((one) => firstMember(one) === null);
  const rivals = [...others, ...(rule.containers ?? []), METHOD, ...(mayBeList ? [FIRST_OF_LIST] : [])];
  const isSingle = selector.containers.length === 0;
  const compiled = isSingle ? compileSingle(rule, selector, rivals) : compileBatch(rule, selector, rivals);
  return { ...compiled, first, isSingle, others };
}

type Compiled = Pick<Shape, 'filter' | 'top'>;

function compileSingle(rule: EventRule, selector: EventSelector, rivals: readonly string[]): Compiled {
  const event = compileItem({ ...itemRule(rule, selector), unnamed: 'disallow', rivals });
  const refused = new RefusedNames();

  const filter: EventFilter = (body) => {
    event.newBody();
    const start = skipSpace(body, 0);
    const isObject = start < body.length && body[start] === OPEN_OBJECT;
    if (!isWhole(body, isObject ? event.skip(body, start) : skipValue(body, start, 0))) return INVALID_JSON;
    if (!isObject) return NOT_AN_EVENT;
    switch (event.verdict(body)) {
      case 'allowed':
        return { ok: true, body, cut: false, forwarded: 1, removed: 0, names: NO_NAMES };
      case 'disallowed':
        refused.clear();
        refused.note(body, event.name());
        return notAllowed('the event is not on the list, or has no name that is a string', 1, refused.take(body));
      case 'ambiguous':
        return AMBIGUOUS;
      case 'rivalled':
        return TWO_SHAPES;
      case 'shapeless':
        return NOT_AN_EVENT;
    }
  };
  return { filter, top: event.own };
}

function compileBatch(rule: EventRule, selector: EventSelector, rivals: readonly string[]): Compiled {
  const { containers, way, member } = selector;
  const batch = newBatch();
  const item = compileItem(itemRule(rule, selector));
  // A backend that finds the batch empty may take the object for the one event.
  const walk = compileBatchWalk({ containers, members: [...new Set([way[0] ?? member, member])], rivals }, item, batch);

  const filter: EventFilter = (body) => {
    clearBatch(batch);
    walk.newBody();
    if (!isWhole(body, walk.skip(body, skipSpace(body, 0)))) return INVALID_JSON;
    if (batch.ambiguous) return AMBIGUOUS;
    if (batch.rivalled) return TWO_SHAPES;
    if (batch.shapeless) return NOT_A_BATCH;
    const { kept, disallowed } = batch;
    if (disallowed === 0) return { ok: true, body, cut: false, forwarded: kept, removed: 0, names: NO_NAMES };
    const names = batch.refused.take(body);
    if (kept === 0 || rule.onDisallowed === 'reject')
      return notAllowed(`${disallowed} of ${kept + disallowed} events are not on the list`, kept + disallowed, names);
    return { ok: true, body: cutOut(body, batch.cuts), cut: true, forwarded: kept, removed: disallowed, names };
  };
  return { filter, top: walk.top };
}

const itemRule = (rule: EventRule, { containers, way, member }: EventSelector): ItemRule => ({
  way,
  member,
  isAllowed: rule.isAllowed ?? compileNames(rule.allowed),
  unnamed: rule.unnamed,
  when: rule.when ?? null,
  kindElsewhere: rule.kindElsewhere ?? false,
  rivals: [],
  depth: depthOfItems(containers),
});

function notAllowed(why: string, rejected: number, names: readonly string[]): FilterResult {
  return refuse(refusal('event_not_allowed', `allowedEvents: ${why}`), rejected, names);
}

function refuse(refusal: Refusal, rejected = 0, names = NO_NAMES): FilterResult {
  return { ok: false, refusal, rejected, names };
}
