/**
 * PostHog. Its capture service takes events from the body, from a form's `data` and, before either, from the query's `data`; as a
 * list, in a `batch` or one by one on every path; and compressed or in base64, whatever the header fields say.
 */
import { CONTAINERS, get, KEY_IN_PATH, post, type Preset, type Rest } from './preset.ts';

const EVENTS = ['batch[].event', '[].event', 'event'];

/**
 * `compression` says how the body is read. With these values nothing else is read than what Postern reads; with others (`lz64`) a
 * body could be another one.
 */
const CAPTURE: Rest = {
  query: [
    '_',
    'ip',
    'v',
    'ver',
    'sent_at',
    'beacon',
    'retry_count',
    'compression=gzip-js',
    'compression=gzip',
    'compression=base64',
  ],
  form: 'data',
  gzip: true,
  backend: { base64: true, containers: CONTAINERS },
};

/** Its backend reads events there, where nobody looks. Listed for its forms and its compression alone. */
const UNSEEN: Rest = { form: 'data', gzip: true, backend: { unseen: true } };

/** What a page loads by the key in its query, and reads. */
const READ_BY_PAGES: Rest = { pages: true };

export const POSTHOG: Preset = {
  routes: [
    // posthog-node; the second in its `v1` capture mode, the third for AI events.
    post('/batch', EVENTS, CAPTURE),
    post('/i/v1/analytics/events', EVENTS, CAPTURE),
    post('/i/v0/ai/batch', EVENTS, CAPTURE),
    // posthog-js: events, recordings.
    post('/e', EVENTS, CAPTURE),
    post('/i/v0/e', EVENTS, CAPTURE),
    post('/s', EVENTS, CAPTURE),
    // Any client of the HTTP API, as documented.
    post('/capture', EVENTS, CAPTURE),
    // Both: which flags hold for a person. Nothing of it is an event.
    post('/flags', undefined, { form: 'data', gzip: true }),
    get('/flags/definitions'),
    // The key stands in the path, where everybody reads it who reads the page.
    get('/array/:token/config', KEY_IN_PATH),
    get('/array/:token/config.js', KEY_IN_PATH),
    get('/static/**', { public: true }),
    get('/api/surveys', READ_BY_PAGES),
    get('/api/product_tours', READ_BY_PAGES),
    get('/api/web_experiments', READ_BY_PAGES),
    get('/api/early_access_features', READ_BY_PAGES),
    // Earlier versions.
    post('/decide', undefined, UNSEEN),
    // Logs, metrics and large AI events: not for keys limited to events.
    post('/i/v1/logs', undefined, UNSEEN),
    post('/i/v1/metrics', undefined, UNSEEN),
    post('/i/v0/ai', undefined, { forms: true, backend: { unseen: true, opaque: true } }),
  ],
  credential: [
    'body:api_key',
    'body:token',
    'query:token',
    'body:[]/properties/token',
    'body:batch/[]/properties/token',
    'body:properties/token',
  ],
  headers: [],
  sendsCookies: false,
  readsStatusInCode: false,
  clients: { 'posthog-node': '5.70.0', 'posthog-js': '1.449.2' },
};
