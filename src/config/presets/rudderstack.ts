/**
 * RudderStack. Its gateway takes the kind of a single call from the path, whatever the body says, and a batch from `batch` alone; the
 * key from Basic, of a beacon from the query. It reads no form: a body that is called one is JSON all the same.
 */
import { CONTAINERS, get, post, type Preset, type Rest } from './preset.ts';

/** Batches mix events with calls that have no event name. */
const MIXED: Rest = { unnamed: 'allow', backend: { containers: CONTAINERS } };
/** One call, sent to a backend that takes batches elsewhere. */
const ONE_CALL: Rest = { backend: { containers: CONTAINERS } };

const callOf = (kind: string) =>
  post(`/v1/${kind}`, 'event', {
    when: { member: 'type', is: ['track'], pass: [kind] },
    backend: { containers: CONTAINERS, kindInPath: true },
  });

export const RUDDERSTACK: Preset = {
  routes: [
    // The SDK for Node calls its compressed JSON a form.
    post('/v1/batch', 'batch[].event', { ...MIXED, form: 'data' }),
    post('/v1/track', 'event', ONE_CALL),
    callOf('identify'),
    callOf('page'),
    callOf('screen'),
    callOf('group'),
    callOf('alias'),
    // When the page is left, or with `useBeacon`.
    post('/beacon/v1/batch', 'batch[].event', MIXED),
    // What its client in a page loads first, where `configUrl` leads here.
    get('/sourceConfig', { pages: true }),
  ],
  credential: ['basic-username', 'query:writeKey'],
  headers: [
    'anonymousid',
    'sentat',
    'rsa-retry-attempt',
    'rsa-retry-reason',
    'rsa-since-first-attempt',
    'rsa-since-last-attempt',
  ],
  sendsCookies: false,
  readsStatusInCode: false,
  clients: { '@rudderstack/rudder-sdk-node': '3.0.13', '@rudderstack/analytics-js': '3.34.1' },
};
