/** Outcomes and keys for tests of what is counted and logged: a plain forwarded request, changed by what the test is about. */
import { ANYWHERE, NOWHERE } from '../../src/keys/address-rule.ts';
import type { Key, KeySnapshot } from '../../src/keys/key.ts';
import { EMPTY_SNAPSHOT } from '../../src/keys/snapshot.ts';
import type { Outcome, Rejection } from '../../src/observability/outcome.ts';
import type { Refusal, RefusalReason } from '../../src/refusal.ts';

export const NOON = Date.UTC(2026, 0, 31, 12);

export function outcome(change: Partial<Outcome> = {}): Outcome {
  return {
    requestId: 'req-1',
    api: 'integration',
    keyId: 'web',
    secretId: '',
    method: 'POST',
    path: '/event/ingest',
    clientIp: '203.0.113.7',
    status: 204,
    aborted: false,
    refusal: null,
    wouldReject: null,
    forwardedEvents: 0,
    removedEvents: 0,
    rejectedEvents: 0,
    events: [],
    userAgent: undefined,
    traceId: null,
    durationSeconds: 0.002,
    upstreamSeconds: null,
    upstreamFailure: null,
    cache: null,
    tokenIssued: false,
    now: NOON,
    ...change,
  };
}

/** A refusal of a credential, whose reason is not its code. */
export const credentialRefusal = (reason: RefusalReason): Refusal => ({
  code: 'invalid_credential',
  reason,
  why: `the key is ${reason}`,
});

export function key(id: string, change: Partial<Key> = {}): Key {
  return {
    id,
    type: 'write-only',
    policy: null,
    policyFields: new Set(),
    enabled: true,
    expiresAt: null,
    secrets: [{ id: `${id}-secret`, digest: '', expiresAt: null }],
    apis: change.type === 'metrics' ? new Set(['metrics']) : null,
    allowedRoutes: null,
    allowFrom: ANYWHERE,
    denyFrom: NOWHERE,
    allowedEvents: null,
    disallowedEvents: 'remove',
    allowedOrigins: null,
    allowBrowsers: (change.type ?? 'write-only') === 'write-only',
    accessToken: 'allowed',
    rateLimit: null,
    mode: 'enforce',
    apiKeyDigest: null,
    cacheTtlMs: null,
    ...change,
  };
}

let version = 0;

export function snapshot(keys: readonly Key[]): KeySnapshot {
  return { ...EMPTY_SNAPSHOT, version: ++version, byId: new Map(keys.map((one) => [one.id, one])) };
}

/** A request that was refused, as far as it is counted. */
export const rejected = (change: Partial<Rejection> = {}): Rejection =>
  ({
    keyId: 'web',
    reason: 'no_route',
    mode: 'enforce',
    clientIp: '203.0.113.7',
    path: '/a',
    ...change,
  }) as Rejection;
