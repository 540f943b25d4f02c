/**
 * The routes of APIs that are known by name, so that an operator need not list them: methods, paths and where their bodies
 * name events. Taken from what the vendors' own SDKs send. It holds facts and decides nothing.
 */
import type { RouteDefinition } from './route-definition.ts';

export const PRESETS = ['userflux', 'segment', 'rudderstack', 'posthog', 'amplitude', 'mixpanel'] as const;
export type PresetName = (typeof PRESETS)[number];

/** The routes of a preset; those under `/metrics` belong to the metrics API, all others to the integration API. */
export function presetRoutes(name: PresetName): readonly RouteDefinition[] {
  return ROUTES[name];
}

const post = (path: string, events?: string): RouteDefinition => ({ method: 'POST', path, events });
const get = (path: string): RouteDefinition => ({ method: 'GET', path });

/** What holds of a route beside where its events are. */
type Rest = Pick<RouteDefinition, 'query' | 'forms' | 'unnamed' | 'backend'>;

/** What `@userflux/backend-js` sends with each call. */
const USERFLUX: Rest = { query: ['locationEnrichment'] };
const USERFLUX_EVENT: Rest = { ...USERFLUX, backend: { containers: ['events'] } };

/** Batches mix events with calls that have no event name. */
const MIXED: Rest = { unnamed: 'allow' };
/** One call, sent to a backend that takes batches elsewhere. */
const ONE_CALL: Rest = { backend: { containers: ['batch'] } };

/**
 * PostHog's backend tries base64 where a body is no JSON, and takes an empty batch for no batch. `compression` says how the body
 * is to be read, so that it is not among the parameters.
 */
const POSTHOG_BATCH: Rest = { backend: { base64: true, containers: ['events', 'data'] } };
/** posthog-js says when it sends and how, and sends a form when its page is left. */
const POSTHOG_PAGE: Rest = {
  query: ['ip', '_', 'ver', 'retry_count', 'beacon'],
  forms: true,
  backend: { base64: true },
};

/** mixpanel sends base64 in forms; the parameters are those of its SDK and of the HTTP API as documented. */
const MIXPANEL: Rest = {
  query: ['ip', 'verbose', 'test', 'strict', 'project_id'],
  forms: true,
  backend: { base64: true },
};

/** Listed for its forms alone: keys limited to specific events cannot use it. */
const UNSEEN: Rest = { forms: true, backend: { unseen: true } };

/**
 * A route is listed without `events` only if its backend reads no event there, whatever the body says: a key limited to
 * specific events may use it unseen. Keys that are not limited may use every route, listed or not. A parameter that can hold
 * events, or says how a body is read, is in no `query`.
 */
const ROUTES: Readonly<Record<PresetName, readonly RouteDefinition[]>> = {
  // @userflux/backend-js 1.1.4: /event/ingest, /profile.
  userflux: [
    { ...post('/event/ingest', 'name'), ...USERFLUX_EVENT },
    { ...post('/event/ingest/batch', 'events[].name'), ...USERFLUX },
    post('/profile'),
    get('/profile/:userId'),
    post('/workflow/trigger'),
    post('/product'),
    { method: 'DELETE', path: '/product/:typeId/:productId' },
    post('/metrics/auth/token'),
    post('/metrics/query'),
    post('/metrics/query/:metricId'),
  ],

  // Batches mix tracked events with identify, page, group and alias calls, which have no event name. Sent one by one to
  // /v1/identify and the like, the body's `type` could still say `track`; those routes are therefore not listed.
  segment: [
    // @segment/analytics-node 3.1.0
    { ...post('/v1/batch', 'batch[].event'), ...MIXED },
    // @segment/analytics-next 1.84.3: events one by one, or batched.
    { ...post('/v1/t', 'event'), ...ONE_CALL },
    { ...post('/v1/b', 'batch[].event'), ...MIXED },
    // The HTTP API as documented, for servers without an SDK.
    { ...post('/v1/track', 'event'), ...ONE_CALL },
  ],
  rudderstack: [
    // @rudderstack/rudder-sdk-node 3.0.13; with its `gzip` option on, it labels the JSON as a form.
    { ...post('/v1/batch', 'batch[].event'), ...MIXED, forms: true },
    // @rudderstack/analytics-js 3.34.1
    { ...post('/v1/track', 'event'), ...ONE_CALL },
  ],

  // Every PostHog event has a name, `$identify` and `$pageview` among them. /capture takes one event or a `batch`, and one
  // selector cannot judge both.
  posthog: [
    // posthog-node 5.70.0; the second in its `v1` capture mode, the third for AI events.
    { ...post('/batch', 'batch[].event'), ...POSTHOG_BATCH },
    { ...post('/i/v1/analytics/events', 'batch[].event'), ...POSTHOG_BATCH },
    { ...post('/i/v0/ai/batch', 'batch[].event'), ...POSTHOG_BATCH },
    { ...post('/flags'), forms: true },
    get('/flags/definitions'),
    // posthog-js 1.449.2, with `disable_compression: true`: a body compressed by the page has no Content-Encoding.
    { ...post('/e', '[].event'), ...POSTHOG_PAGE },
    { ...post('/i/v0/e', '[].event'), ...POSTHOG_PAGE },
    { ...post('/s', '[].event'), ...POSTHOG_PAGE },
    get('/array/:token/config'),
    get('/array/:token/config.js'),
    // Earlier versions.
    { ...post('/capture'), ...UNSEEN },
    { ...post('/decide'), ...UNSEEN },
  ],

  // @amplitude/analytics-node 1.5.73: the second with `useBatch`. Identify calls are events named `$identify`.
  amplitude: [post('/2/httpapi', 'events[].event_type'), post('/batch', 'events[].event_type')],

  // The HTTP API as documented. mixpanel 0.24.0 puts events into the query of a GET or, in base64, into a form field, where
  // nobody looks: keys that are limited cannot use it, and neither /track, whose backend reads the query of a POST too.
  mixpanel: [
    { ...post('/import', '[].event'), ...MIXPANEL },
    { ...post('/engage'), forms: true },
    { ...post('/groups'), forms: true },
    { ...post('/track'), ...UNSEEN },
  ],
};
