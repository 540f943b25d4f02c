/**
 * The keys that requests are judged by, written as definitions: what can be shown while the key file is broken or Redis is away.
 * Descriptions are not kept for requests, so they are empty here. Nothing of it is to be sent back.
 */
import type { AddressItem } from '../keys/definition.ts';
import type { AddressRule } from '../keys/address-rule.ts';
import type { Key, KeySnapshot } from '../keys/key.ts';
import { isoTime } from '../observability/iso-time.ts';
import type { ShownDefinition } from './definition-view.ts';
import type { LongList } from './long-list.ts';

export const keysInForce = (snapshot: KeySnapshot | null): LongList<Key> => ({
  field: 'keys',
  items: snapshot?.byId.values() ?? [],
  show: keyInForce,
  rest: { invalid: snapshot?.invalid ?? [] },
});

/** One of them. */
export function keyInForce(key: Key): ShownDefinition {
  const isMetrics = key.type === 'metrics';
  return {
    id: key.id,
    description: '',
    type: key.type,
    policy: key.policy,
    apis: key.apis === null ? 'all' : [...key.apis],
    allowedRoutes: key.allowedRoutes?.lines ?? 'all',
    enabled: key.enabled,
    expiresAt: instantOf(key.expiresAt),
    allowFrom: itemsOf(key.allowFrom) ?? 'anywhere',
    denyFrom: itemsOf(key.denyFrom) ?? [],
    allowedEvents: isMetrics ? null : key.allowedEvents === null ? 'all' : [...key.allowedEvents],
    disallowedEvents: isMetrics ? null : key.disallowedEvents,
    allowedOrigins: key.allowedOrigins === null ? ['*'] : [...key.allowedOrigins],
    allowBrowsers: key.type === 'write-only' ? null : key.allowBrowsers,
    accessToken: key.accessToken,
    rateLimit: key.rateLimit,
    mode: key.mode,
    cacheTtlMinutes: key.cacheTtlMs === null ? null : key.cacheTtlMs / 60_000,
    secrets: key.secrets.map(({ id, expiresAt }) => ({ id, expiresAt: instantOf(expiresAt) })),
    apiKey: key.apiKeyDigest === null ? null : { id: key.apiKeyDigest.slice(0, 12) },
    inherited: [...key.policyFields],
  };
}

const instantOf = (at: number | null): string | null => (at === null ? null : isoTime(at));

/** null: anywhere. */
function itemsOf(rule: AddressRule): readonly AddressItem[] | null {
  const written = rule.written();
  if (written === 'anywhere') return null;
  return written.map((entry) => ('address' in entry ? { ...entry, description: '' } : entry));
}
