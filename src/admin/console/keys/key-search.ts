/** Finds keys by what was typed: their id, their description, an address that they may be used from, an event, a secret's id. */
import type { KeyDefinition } from '../api/types.ts';

export interface Searched {
  readonly id: string;
  /** null: what is stored cannot be read. */
  readonly definition: KeyDefinition | null;
}

/** Whether a key is meant by a text. There may be ten thousand to ask about, at each key press. */
export function finderOf(text: string): (row: Searched) => boolean {
  const wanted = text.trim().toLowerCase();
  const address = numberOf(wanted);
  return ({ id, definition }) => {
    if (wanted === '' || id.includes(wanted)) return true;
    if (definition === null) return false;
    const known = knownOf(definition);
    if (known.text.includes(wanted) || known.secrets.some((secret) => secret.startsWith(wanted))) return true;
    return address !== null && known.ranges.some(([first, last]) => first <= address && address <= last);
  };
}

interface Known {
  /** In lower case, one thing in a line. */
  readonly text: string;
  readonly secrets: readonly string[];
  /** Of IPv4, as numbers. */
  readonly ranges: readonly (readonly [first: number, last: number])[];
}

const knownBefore = new WeakMap<KeyDefinition, Known>();

function knownOf(definition: KeyDefinition): Known {
  const before = knownBefore.get(definition);
  if (before !== undefined) return before;
  const { description, allowFrom, denyFrom, allowedEvents, secrets, policy, apiKey } = definition;
  const items = [...(allowFrom === 'anywhere' ? [] : allowFrom), ...denyFrom];
  const places = items.flatMap((item) => ('list' in item ? [item.list] : [item.address, item.description]));
  const events = Array.isArray(allowedEvents) ? allowedEvents : [];
  const known = {
    text: [description, policy ?? '', ...places, ...events].join('\n').toLowerCase(),
    secrets: [...secrets, ...(apiKey === null ? [] : [apiKey])].map((secret) => secret.id),
    ranges: items.flatMap((item) => ('list' in item ? [] : rangeOf(item.address))),
  };
  knownBefore.set(definition, known);
  return known;
}

function rangeOf(range: string): [first: number, last: number][] {
  const [network = '', prefix] = range.split('/');
  const first = numberOf(network);
  return first === null || prefix === undefined ? [] : [[first, first + 2 ** (32 - Number(prefix)) - 1]];
}

/** An IPv4 address as the number that it is; null: it is none. */
function numberOf(address: string): number | null {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address)?.slice(1).map(Number);
  return parts === undefined || parts.some((part) => part > 255)
    ? null
    : parts.reduce((number, part) => number * 256 + part, 0);
}
