/** Keys and snapshots as the registry would compile them, for the tests of the metrics API. */
import { createHash } from 'node:crypto';
import { ANYWHERE, NOWHERE } from '../../src/keys/address-rule.ts';
import { NO_RECORDS } from '../../src/keys/definition.ts';
import type { Key, KeySecret, KeySnapshot } from '../../src/keys/key.ts';

export const CLIENT_SECRET = 'client-secret-of-the-metrics-key';
export const API_KEY = 'environment-api-key';
export const NOW = Date.UTC(2026, 5, 1, 12, 0, 0);

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export function secretOf(text: string, expiresAt: number | null = null): KeySecret {
  const digest = sha256(text);
  return { id: digest.slice(0, 12), digest, expiresAt };
}

export function metricsKey(changes: Partial<Key> = {}): Key {
  return {
    id: 'metrics',
    type: 'metrics',
    policy: null,
    policyFields: new Set(),
    enabled: true,
    expiresAt: null,
    secrets: [secretOf(CLIENT_SECRET)],
    apis: new Set(['metrics']),
    allowedRoutes: null,
    allowFrom: ANYWHERE,
    denyFrom: NOWHERE,
    allowedEvents: null,
    disallowedEvents: 'remove',
    allowedOrigins: null,
    allowBrowsers: false,
    accessToken: 'required',
    rateLimit: null,
    mode: 'enforce',
    apiKeyDigest: sha256(API_KEY),
    cacheTtlMs: 300_000,
    ...changes,
  };
}

export function snapshotOf(...keys: readonly Key[]): KeySnapshot {
  return {
    version: 1,
    byId: new Map(keys.map((key) => [key.id, key])),
    bySecret: new Map(keys.flatMap((key) => key.secrets.map((secret) => [secret.digest, { key, secret }] as const))),
    invalid: [],
    lists: new Map(),
    records: NO_RECORDS,
  };
}

export const identityOf = (key: Key, secret = key.secrets[0] as KeySecret) => ({ key, secret });
