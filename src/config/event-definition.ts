/**
 * What an operator writes of a route's events: where the body names them, which items carry one, in what form the body comes and
 * what the query may hold. It says what is wrong with it, and reads no request.
 */
import { foldName } from '../lib/name-folding.ts';
import { firstMember, MAX_LEVELS, parseSelector, type EventSelector } from './selector.ts';

/** The fields of a route that are about its events. */
export interface EventDefinition {
  /** Where the body names its events: one selector, or several of which exactly one has to fit. Without it there are none. */
  readonly events?: string | readonly string[] | undefined;
  /** What holds for batch items without an event name. */
  readonly unnamed?: 'allow' | 'disallow' | undefined;
  /** Which items carry an event at all; without it all do. */
  readonly when?: EventKinds | undefined;
  /** The field of a form that may hold the JSON in place of a JSON body. */
  readonly form?: string | undefined;
  /** A body may be compressed without saying so. */
  readonly gzip?: boolean | undefined;
  /** What the query may hold beside events, for keys limited to specific events: names, or names with one value (`v=2`). */
  readonly query?: readonly string[] | undefined;
  /** What the backend reads besides what `events` says. Presets know it of their vendors; nobody writes it. */
  readonly backend?: BackendReading | undefined;
}

/** `member` of an item says what kind of item it is. Kinds that are in neither list are disallowed events. */
export interface EventKinds {
  readonly member: string;
  /** Kinds of items that carry an event. */
  readonly is: readonly string[];
  /** Kinds of items that carry none, and pass. */
  readonly pass: readonly string[];
}

/** In which further ways a vendor's backend finds events in a request. */
export interface BackendReading {
  /** It reads a body that is not JSON as base64, passing over what is no base64. */
  readonly base64?: boolean;
  /** Members of a body's object from which it takes events in place of those that `events` names. */
  readonly containers?: readonly string[];
  /** It takes the kind of a call from the path: one that says neither its kind nor an event's name is no event there. */
  readonly kindInPath?: boolean;
  /** It reads events where nobody looks: the route is none for keys limited to specific events. */
  readonly unseen?: boolean;
  /** It looks for no credential in the body, which is no JSON and no form. */
  readonly opaque?: boolean;
  /** The parameter of its path is a key: the path is not written down. */
  readonly keyInPath?: boolean;
}

/** Where the requests of a route carry events, made ready. */
export interface EventPlaces {
  readonly selectors: readonly EventSelector[];
  readonly unnamed: 'allow' | 'disallow';
  readonly when: EventKinds | null;
}

const MAX_SELECTORS = 4;

/** Of a definition without a problem; null: its requests carry no events. */
export function eventPlaces({ events, unnamed, when }: EventDefinition): EventPlaces | null {
  if (events === undefined) return null;
  return {
    selectors: selectorTexts(events).map((text) => parseSelector(text) as EventSelector),
    unnamed: unnamed ?? 'disallow',
    when: when ?? null,
  };
}

/** What is wrong with where the events are, for the operator; null: nothing. */
export function eventProblem({ events, when }: EventDefinition): string | null {
  if (events === undefined) return null;
  const texts = selectorTexts(events);
  const malformed = texts.find((text) => parseSelector(text) === null);
  if (malformed !== undefined)
    return `events ${JSON.stringify(malformed)} is no selector (at most ${MAX_LEVELS} levels above the name)`;
  if (texts.length > MAX_SELECTORS) return `events holds more than ${MAX_SELECTORS} selectors`;
  const selectors = texts.map((text) => parseSelector(text) as EventSelector);
  const firsts = selectors.map((selector) => foldedFirst(selector));
  const twin = firsts.findIndex((first, index) => firsts.indexOf(first) < index);
  if (twin !== -1)
    return `events ${JSON.stringify(texts[twin])} begins like another selector, so that nothing tells which is meant`;
  return when === undefined ? null : kindProblem(when, selectors);
}

function kindProblem({ member, is, pass }: EventKinds, selectors: readonly EventSelector[]): string | null {
  const kind = parseSelector(member);
  if (kind === null || kind.containers.length + kind.way.length > 0)
    return `when.member ${JSON.stringify(member)} is no name of a member`;
  if (selectors.some(({ way, member: name }) => foldName(way[0] ?? name) === foldName(member)))
    return `when.member ${JSON.stringify(member)} is what events looks for`;
  const both = pass.find((name) => is.includes(name));
  return both === undefined ? null : `when.pass holds ${JSON.stringify(both)}, which when.is holds too`;
}

const selectorTexts = (events: string | readonly string[]): readonly string[] =>
  typeof events === 'string' ? [events] : events;

function foldedFirst(selector: EventSelector): string | null {
  const first = firstMember(selector);
  return first === null ? null : foldName(first);
}
