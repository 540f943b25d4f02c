/** A part of a definition in a few words: for tables, and for what somebody else changed. */
import type { KeyDefinition } from '../api/types.ts';
import type { FieldName } from './draft.ts';

const listed = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

export function usableFrom({ allowFrom }: KeyDefinition): string {
  if (allowFrom === 'anywhere') return 'Anywhere';
  if (allowFrom.length === 0) return 'Nowhere';
  const [first] = allowFrom;
  return allowFrom.length === 1 ? (first?.address ?? '') : listed(allowFrom.length, 'location', 'locations');
}

export function eventsOf({ type, allowedEvents }: KeyDefinition): string {
  if (type === 'metrics') return '–';
  if (allowedEvents === 'all' || allowedEvents === null) return 'All';
  return allowedEvents.length === 0 ? 'None' : listed(allowedEvents.length, 'event', 'events');
}

/** The whole value of one field. */
export function valueOf(definition: KeyDefinition, field: FieldName): string {
  switch (field) {
    case 'enabled':
      return definition.enabled ? 'Enabled' : 'Disabled';
    case 'allowFrom':
      return definition.allowFrom === 'anywhere'
        ? 'Anywhere'
        : definition.allowFrom
            .map(({ address, description }) => [address, description].filter(Boolean).join(' '))
            .join(', ') || 'Nowhere';
    case 'allowedEvents':
      return Array.isArray(definition.allowedEvents) ? definition.allowedEvents.join(', ') || 'None' : 'All';
    case 'allowedOrigins':
      return definition.allowedOrigins.includes('*') ? 'Any origin' : definition.allowedOrigins.join(', ') || 'None';
    case 'allowBrowsers':
      return definition.allowBrowsers ? 'Web pages may use it' : 'No web page may use it';
    case 'rateLimit':
      return definition.rateLimit === null
        ? 'No limit'
        : `${definition.rateLimit.requests} requests in ${definition.rateLimit.windowSeconds} s`;
    case 'mode':
      return definition.mode === 'report' ? 'Report only' : 'Refuse';
    case 'expiresAt':
      return definition.expiresAt ?? 'Never';
    case 'cacheTtlMinutes':
      return `${definition.cacheTtlMinutes} minutes`;
    case 'description':
      return definition.description || 'None';
    case 'disallowedEvents':
      return definition.disallowedEvents ?? '';
    case 'apiKey':
      return definition.apiKey === null ? 'None' : `begins with ${definition.apiKey.id}`;
  }
}
