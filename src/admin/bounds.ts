/**
 * Limits what may be sent to the admin API, part by part, so that no request there holds up the data port. Runs before anything
 * else looks at a body. It knows no field, and judges no value.
 */
import type { Finding } from '../config/issue.ts';
import { CLOSE_ARRAY, CLOSE_OBJECT, COMMA, OPEN_ARRAY, OPEN_OBJECT, QUOTE, skipString } from '../event-filter/scan.ts';

/** Of a text: as long as the header section in which the data port would receive it. */
export const MAX_TEXT = 16_384;
/** Of a list. */
export const MAX_ENTRIES = 10_000;
/** Of a mapping: no schema has nearly as many. */
const MAX_FIELDS = 100;
const MAX_FIELD_NAME = 256;
/** Of lists and mappings in one another. */
const MAX_LEVELS = 8;
/** In all. */
const MAX_VALUES = 50_000;

/** Why a body in JSON must not even be parsed, or null. Much structure with little text is what costs a parser most. */
export function findOvergrowth(json: Buffer): string | null {
  let values = 1;
  let level = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] as number;
    if (byte === QUOTE) {
      at = skipString(json, at + 1) - 1;
      // No JSON: that is for the parser to tell.
      if (at < 0) return null;
    } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      if (++level > MAX_LEVELS) return `The body must not be nested deeper than ${MAX_LEVELS} levels.`;
      values++;
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) level--;
    else if (byte === COMMA && ++values > MAX_VALUES) return `The body must not hold more than ${MAX_VALUES} values.`;
  }
  return null;
}

interface Place {
  readonly path: readonly (string | number)[];
  readonly value: unknown;
}

/** The first part of a parsed body that is larger than any part may be, or null. To be called after `findOvergrowth`. */
export function findOversize(body: unknown): Finding | null {
  const waiting: Place[] = [{ path: [], value: body }];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    const { path, value } = place;
    if (typeof value === 'string' && value.length > MAX_TEXT)
      return { path, message: `must not be longer than ${MAX_TEXT} characters` };
    if (typeof value !== 'object' || value === null) continue;
    const wrong = Array.isArray(value) ? listProblem(value) : fieldsProblem(value);
    if (wrong !== null) return { path, message: wrong };
    // The last comes out first.
    const inner = Object.entries(value).map(([name, one]) => ({ path: [...path, nameOf(value, name)], value: one }));
    waiting.push(...inner.toReversed());
  }
  return null;
}

const nameOf = (owner: object, name: string): string | number => (Array.isArray(owner) ? Number(name) : name);

const listProblem = (list: readonly unknown[]): string | null =>
  list.length > MAX_ENTRIES ? `must not hold more than ${MAX_ENTRIES} entries` : null;

function fieldsProblem(mapping: object): string | null {
  const names = Object.keys(mapping);
  if (names.length > MAX_FIELDS) return `must not hold more than ${MAX_FIELDS} fields`;
  return names.some((name) => name.length > MAX_FIELD_NAME)
    ? `must not have a field with a name of more than ${MAX_FIELD_NAME} characters`
    : null;
}
