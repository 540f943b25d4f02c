/** Whether a key is meant by what was typed: its id, its description, an address that it may be used from, an event, a secret's id. */
import type { KeyDefinition } from '../api/types.ts';

export interface Searched {
  readonly id: string;
  /** null: what is stored cannot be read. */
  readonly definition: KeyDefinition | null;
}

/** `wanted` is trimmed and in lower case; empty: every key is. */
export function isMeant({ id, definition }: Searched, wanted: string): boolean {
  if (wanted === '' || id.includes(wanted)) return true;
  if (definition === null) return false;
  const { description, allowFrom, denyFrom, allowedEvents, secrets, policy, apiKey } = definition;
  const holds = (text: string): boolean => text.toLowerCase().includes(wanted);
  if (holds(description) || (policy !== null && holds(policy))) return true;
  const items = [...(allowFrom === 'anywhere' ? [] : allowFrom), ...denyFrom];
  if (
    items.some((item) => ('list' in item ? holds(item.list) : holds(item.description) || isPlace(item.address, wanted)))
  )
    return true;
  if (Array.isArray(allowedEvents) && allowedEvents.some(holds)) return true;
  return [...secrets, ...(apiKey === null ? [] : [apiKey])].some((secret) => secret.id.startsWith(wanted));
}

/** An address by a part of its text, or by a range of IPv4 that holds it. */
const isPlace = (address: string, wanted: string): boolean =>
  address.toLowerCase().includes(wanted) || rangeHolds(address, wanted);

function rangeHolds(range: string, wanted: string): boolean {
  const [network = '', prefix] = range.split('/');
  const [first, asked] = [numberOf(network), numberOf(wanted)];
  if (first === null || asked === null || prefix === undefined) return false;
  const size = 2 ** (32 - Number(prefix));
  return asked >= first && asked < first + size;
}

/** An IPv4 address as the number that it is; null: it is none. */
function numberOf(address: string): number | null {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address)?.slice(1).map(Number);
  return parts === undefined || parts.some((part) => part > 255)
    ? null
    : parts.reduce((number, part) => number * 256 + part, 0);
}
