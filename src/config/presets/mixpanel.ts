/**
 * Mixpanel. Its backend takes events from a JSON body, and from `data` of a form or of the query, there also in base64. Every event
 * holds the project's token.
 */
import { CONTAINERS, get, post, type Preset, type Rest } from './preset.ts';

const EVENTS = ['[].event', 'event'];

/** The parameters of its SDKs and of the HTTP API as documented, but for those that hold events (`data`) or shape the answer. */
const CALL: Rest = {
  query: ['_', 'ip', 'verbose', 'test', 'strict', 'project_id'],
  form: 'data',
  backend: { base64: true, containers: CONTAINERS },
};
/** Profiles of people and groups: their backend reads no event there. */
const PROFILES: Rest = { form: 'data' };

export const MIXPANEL: Preset = {
  routes: [
    // mixpanel-browser, and `track_batch` of mixpanel.
    post('/track', EVENTS, CALL),
    // `import_batch` of mixpanel, and the HTTP API as documented.
    post('/import', EVENTS, CALL),
    post('/engage', undefined, PROFILES),
    post('/groups', undefined, PROFILES),
    // What a page loads by its key, and reads.
    get('/flags', { pages: true }),
    get('/settings', { pages: true }),
    // Recordings of sessions: compressed, and no events.
    post('/record', undefined, { backend: { unseen: true, opaque: true } }),
  ],
  credential: [
    'basic-username',
    'query:api_key',
    'query:token',
    'body:[]/properties/token',
    'body:properties/token',
    'body:[]/$token',
    'body:$token',
  ],
  headers: ['traceparent'],
  sendsCookies: true,
  readsStatusInCode: false,
  clients: { mixpanel: '0.24.0', 'mixpanel-browser': '2.83.0' },
};
