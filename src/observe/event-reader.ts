/**
 * Finds the names of events in bodies that nobody had to look into, in a later turn: the request has its answer by then. What is
 * waiting is bounded; what finds no room, or could not be judged for a key limited to specific events, is counted as unreadable.
 */
import { holdsBase64Json } from '../event-filter/base64-reading.ts';
import { decodeBody } from '../event-filter/decode.ts';
import { openBody, type Envelope } from '../event-filter/envelope.ts';
import type { EventFilter } from '../event-filter/filter.ts';
import { NotedNames } from '../event-filter/noted-names.ts';
import { compileKeys } from '../keys/compile.ts';
import type { Key } from '../keys/key.ts';
import { readDefinition } from '../keys/read-definition.ts';
import { late } from '../lib/late.ts';
import { checkEventMedia, namesFilterOf } from '../policy/events.ts';
import type { Facts } from '../policy/facts.ts';
import type { CompiledRoute, RouteMatch } from '../policy/route.ts';
import { checkScope } from '../policy/scope.ts';
import type { Decision } from '../refusal.ts';
import type { Observations, Subject } from './observations.ts';

/** A good request to a route with events. */
export interface UnreadEvents extends Subject {
  readonly facts: Facts;
  readonly path: string;
  readonly query: string;
  readonly route: RouteMatch;
  /** As it was sent on; null: it was too large to be kept. */
  readonly body: Buffer | null;
  /** It was sent on without its content coding. */
  readonly decoded: boolean;
}

export interface EventReader {
  readonly add: (unread: UnreadEvents) => void;
  /** Resolves when nothing waits. */
  readonly idle: () => Promise<void>;
}

/** The largest body that is looked into, in bytes. */
export const MOST_BODY_BYTES = 262_144;
/** Of a body that comes out of a content coding. */
const MOST_DECODED_BYTES = 1_048_576;
/** Of all that wait. */
const MOST_WAITING_BYTES = 8_388_608;
/** Then others have a turn, in milliseconds; one body takes no more than some. */
const SLICE_MS = 5;
/** What a waiting request costs beside its body. */
const WAITING_BYTES = 2048;

export function createEventReader(observations: Observations): EventReader {
  const notes = new NotedNames();
  const filters = new WeakMap<CompiledRoute, EventFilter | null>();
  const waiting: UnreadEvents[] = [];
  let waitingBytes = 0;
  let working: Promise<void> | null = null;

  const filterOf = (route: CompiledRoute): EventFilter | null => {
    let filter = filters.get(route);
    if (filter === undefined) filters.set(route, (filter = namesFilterOf(route, notes)));
    return filter;
  };

  const read = ({ kind, name, facts, route }: UnreadEvents, text: Buffer | null): void => {
    notes.begin();
    const result = text === null ? null : (filterOf(route.route)?.(text) ?? null);
    const { allowed } = notes.take();
    if (result?.ok === true && allowed.length > 0)
      observations.countEvents(kind, name, facts.now, { passed: allowed, removed: [] });
    if (result?.ok !== true || result.removed > 0)
      observations.countObstacle(kind, name, facts.now, 'unreadable_events');
  };

  const work = async (): Promise<void> => {
    let began = Number.NEGATIVE_INFINITY;
    for (let next = 0; next < waiting.length; next++) {
      const unread = waiting[next] as UnreadEvents;
      if (performance.now() - began > SLICE_MS) {
        waiting.splice(0, next);
        next = 0;
        await new Promise((resolve) => setImmediate(resolve));
        began = performance.now();
      }
      const text = textOf(unread);
      read(unread, text instanceof Promise ? await text : text);
      waitingBytes -= costOf(unread);
    }
    waiting.length = 0;
    working = null;
  };

  return {
    add(unread) {
      const cost = costOf(unread);
      if (unread.body === null || waitingBytes + cost > MOST_WAITING_BYTES)
        return observations.countObstacle(unread.kind, unread.name, unread.facts.now, 'unreadable_events');
      waiting.push(unread);
      waitingBytes += cost;
      working ??= work();
    },
    idle: () => working ?? Promise.resolve(),
  };
}

const costOf = ({ body }: UnreadEvents): number => (body?.length ?? 0) + WAITING_BYTES;

type Text = Buffer | null;

/** The text that a key limited to specific events would be judged by; null: such a key would be refused before that. */
function textOf(unread: UnreadEvents): Text | Promise<Text> {
  const { facts, path, query, route, body, decoded } = unread;
  if (body === null || checkScope(limitedKey(), { facts, path, query, route }) !== null) return null;
  const coding = checkEventMedia(facts.headers, route.route);
  if (!coding.ok) return null;
  if (coding.value === 'identity') return openedText(unread, body, false);
  if (decoded) return openedText(unread, body, true);
  return decodeBody(body, coding.value, MOST_DECODED_BYTES).then((plain) =>
    plain.ok ? openedText(unread, plain.value, true) : null,
  );
}

/** Without a form field, and what else may stand around the text. `body`: without its content coding. */
function openedText({ facts, route }: UnreadEvents, body: Buffer, wasCoded: boolean): Text | Promise<Text> {
  const { envelope, backend } = route.route;
  const received = { body, contentType: facts.headers.contentType, wasCoded, maxBytes: MOST_DECODED_BYTES };
  const textIn = (opened: Decision<Envelope>): Text => {
    if (!opened.ok) return null;
    const { text, isPlain, valueStart } = opened.value;
    return backend.base64 === true && !isPlain && holdsBase64Json(body, valueStart) ? null : text;
  };
  const opened = openBody(received, envelope);
  if (opened === null) return body;
  return opened instanceof Promise ? opened.then(textIn) : textIn(opened);
}

/** Nobody's: what it may not send, no key limited to specific events may. */
const limitedKey = late((): Key => {
  const read = readDefinition({
    id: 'limited',
    type: 'read-write',
    allowedEvents: [],
    secrets: [{ hash: `sha256:${'0'.repeat(64)}` }],
  });
  const key = read.ok ? compileKeys([{ id: 'limited', definition: read.value }], 0).byId.get('limited') : undefined;
  if (key === undefined) throw new Error('the definition of the key limited to no events is wrong');
  return key;
});
