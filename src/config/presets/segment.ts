/**
 * Segment. Its clients put the key into Basic and into the body of the same request. Its backend reads one call, or a `batch` of
 * calls whose `type` says what they are; in a call of another kind it reads no event.
 */
import { CONTAINERS, get, KEY_IN_PATH, post, type Preset, type Rest } from './preset.ts';

/** Batches mix events with calls that have no event name. */
const MIXED: Rest = { unnamed: 'allow', backend: { containers: CONTAINERS } };
/** One call, sent to a backend that takes batches elsewhere. */
const ONE_CALL: Rest = { backend: { containers: CONTAINERS } };

/** A call that is no event, so long as its body does not say that it is one. Servers without an SDK leave its kind to the path. */
const callOf = (path: string, kind: string) =>
  post(path, 'event', {
    when: { member: 'type', is: ['track'], pass: [kind] },
    backend: { containers: CONTAINERS, kindInPath: true },
  });

export const SEGMENT: Preset = {
  routes: [
    // @segment/analytics-node
    post('/v1/batch', 'batch[].event', MIXED),
    // @segment/analytics-next: calls one by one, or batched.
    post('/v1/b', 'batch[].event', MIXED),
    post('/v1/t', 'event', ONE_CALL),
    callOf('/v1/i', 'identify'),
    callOf('/v1/p', 'page'),
    callOf('/v1/s', 'screen'),
    callOf('/v1/g', 'group'),
    callOf('/v1/a', 'alias'),
    // Its settings, where `cdnURL` leads here. Whoever reads them shows nothing but the key in the path.
    get('/v1/projects/:writeKey/settings', KEY_IN_PATH),
    // Its clients for Java and Ruby, whatever they send.
    post('/v1/import', 'batch[].event', MIXED),
    // The HTTP API as documented, for servers without an SDK.
    post('/v1/track', 'event', ONE_CALL),
    callOf('/v1/identify', 'identify'),
    callOf('/v1/page', 'page'),
    callOf('/v1/screen', 'screen'),
    callOf('/v1/group', 'group'),
    callOf('/v1/alias', 'alias'),
  ],
  credential: ['basic-username', 'body:writeKey', 'body:batch/[]/writeKey'],
  headers: ['x-retry-count'],
  sendsCookies: false,
  readsStatusInCode: false,
  clients: { '@segment/analytics-node': '3.1.0', '@segment/analytics-next': '1.84.3' },
};
