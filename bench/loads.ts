/**
 * The requests of the scenarios, and the keys that they come with.
 */
import { createHash } from 'node:crypto';
import { ADDRESSES, ALLOWED_EVENTS, batch, OTHER_ADDRESSES } from './events.ts';
import type { Load } from './load.ts';
import type { KeyDefinition } from './postern.ts';

const secretOf = (id: string): string => `bench-secret-of-the-key-${id}`;

/** Batches of ten, two kilobytes: what the browser SDK sends. */
const SMALL = { events: 10, bytes: 2048 };
const SMALL_BATCH = batch(SMALL);

export const limitedKey: KeyDefinition = {
  id: 'limited',
  type: 'write-only',
  secret: secretOf('limited'),
  allowFrom: ADDRESSES,
  allowedEvents: ALLOWED_EVENTS,
};
/** What `limitedKey` says, for a peer that is told in another way. */
export const luaPolicyOfLimited = { secret: secretOf('limited'), addresses: ADDRESSES, events: ALLOWED_EVENTS };
export const unrestrictedKey: KeyDefinition = {
  id: 'unrestricted',
  type: 'write-only',
  secret: secretOf('unrestricted'),
};
/** May be used from eight addresses, none of which is the load's. */
export const elsewhereKey: KeyDefinition = {
  id: 'elsewhere',
  type: 'read-write',
  secret: secretOf('elsewhere'),
  allowFrom: OTHER_ADDRESSES,
};
export const metricsPair = { clientSecret: secretOf('metrics'), environmentApiKey: 'bench-api-key-of-the-dashboard' };
export const metricsKey: KeyDefinition = {
  id: 'metrics',
  type: 'metrics',
  secret: metricsPair.clientSecret,
  apiKey: metricsPair.environmentApiKey,
  allowFrom: ADDRESSES,
};

const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });
const post = (path: string, body: string, secret: string): Load => ({
  method: 'POST',
  path,
  body,
  headers: { ...bearer(secret), 'content-type': 'application/json' },
});

/** A batch with a key of this id. */
export const postBatch = (id: string, body = SMALL_BATCH): Load => post('/event/ingest/batch', body, secretOf(id));

export const nothingCut = postBatch('limited');
export const twoCut = postBatch('limited', batch({ ...SMALL, disallowEvery: 5 }));
export const unrestricted = postBatch('unrestricted');
export const refusedPost = postBatch('elsewhere');
export const refusedGet: Load = {
  method: 'GET',
  path: '/profile/u1',
  headers: bearer(secretOf('elsewhere')),
  body: '',
};
export const tokenRequest: Load = {
  method: 'POST',
  path: '/metrics/auth/token',
  body: JSON.stringify(metricsPair),
  headers: { 'content-type': 'application/json' },
};
export const metricsQuery = (token: string): Load =>
  post('/metrics/query/daily-visitors', JSON.stringify({ variables: { from: '2026-01-01', to: '2026-02-01' } }), token);

/** 4,000 events, one in ten of which is cut. */
export const largeBatch: Load = {
  ...postBatch('limited', batch({ events: 4000, bytes: 900 * 1024, disallowEvery: 10 })),
  connections: 2,
};

/** A key of a large set, as operators have them by the thousand: two addresses, three events. */
export const numberedKey = (index: number): KeyDefinition => ({
  id: `key-${index}`,
  type: 'write-only',
  secrets: [{ hash: sha256(secretOf(`key-${index}`)) }],
  allowFrom: [`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, '127.0.0.1'],
  allowedEvents: ALLOWED_EVENTS.slice(0, 3),
});

const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
