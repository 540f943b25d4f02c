/** A part of a definition in a few words, for tables. */
import type { KeyDefinition } from '../api/types.ts';
import { locationOf } from './fields.ts';

const listed = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

export function usableFrom({ allowFrom }: KeyDefinition): string {
  if (allowFrom === 'anywhere') return 'Anywhere';
  if (allowFrom.length === 0) return 'Nowhere';
  const [first] = allowFrom;
  return allowFrom.length === 1
    ? first === undefined
      ? ''
      : locationOf(first).address
    : listed(allowFrom.length, 'location', 'locations');
}

export function eventsOf({ type, allowedEvents }: KeyDefinition): string {
  if (type === 'metrics') return '–';
  if (allowedEvents === 'all' || allowedEvents === null) return 'All';
  return allowedEvents.length === 0 ? 'None' : listed(allowedEvents.length, 'event', 'events');
}
