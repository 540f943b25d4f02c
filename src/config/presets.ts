/**
 * The routes of APIs that are known by name, so that an operator need not list them: methods, paths and where their bodies
 * name events. Taken from what the vendors' own SDKs send. It holds facts and decides nothing.
 */
import type { RouteDefinition } from '../policy/route.ts';

export const PRESETS = ['userflux', 'segment', 'rudderstack', 'posthog', 'amplitude', 'mixpanel'] as const;
export type PresetName = (typeof PRESETS)[number];

/** The routes of a preset; those under `/metrics` belong to the metrics API, all others to the integration API. */
export function presetRoutes(name: PresetName): readonly RouteDefinition[] {
  return ROUTES[name];
}

const post = (path: string, events?: string): RouteDefinition => ({ method: 'POST', path, events });
const get = (path: string): RouteDefinition => ({ method: 'GET', path });

/**
 * A route is listed without `events` only if its backend reads no event there, whatever the body says: a key limited to
 * specific events may use it unseen. Keys that are not limited may use every route, listed or not.
 */
const ROUTES: Readonly<Record<PresetName, readonly RouteDefinition[]>> = {
  // @userflux/backend-js 1.1.4: /event/ingest, /profile.
  userflux: [
    post('/event/ingest', 'name'),
    post('/event/ingest/batch', 'events[].name'),
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
    { ...post('/v1/batch', 'batch[].event'), unnamed: 'allow' },
    // @segment/analytics-next 1.84.3: events one by one, or batched.
    post('/v1/t', 'event'),
    { ...post('/v1/b', 'batch[].event'), unnamed: 'allow' },
    // The HTTP API as documented, for servers without an SDK.
    post('/v1/track', 'event'),
  ],
  rudderstack: [
    // @rudderstack/rudder-sdk-node 3.0.13; with its `gzip` option on, it labels the JSON as a form.
    { ...post('/v1/batch', 'batch[].event'), unnamed: 'allow' },
    // @rudderstack/analytics-js 3.34.1
    post('/v1/track', 'event'),
  ],

  // Every PostHog event has a name, `$identify` and `$pageview` among them. /capture is not listed: it takes one event or
  // a `batch`, and one selector cannot judge both.
  posthog: [
    // posthog-node 5.70.0; the second in its `v1` capture mode, the third for AI events.
    post('/batch', 'batch[].event'),
    post('/i/v1/analytics/events', 'batch[].event'),
    post('/i/v0/ai/batch', 'batch[].event'),
    post('/flags'),
    get('/flags/definitions'),
    // posthog-js 1.449.2, with `disable_compression: true`: a body compressed by the page has no Content-Encoding.
    post('/e', '[].event'),
    post('/i/v0/e', '[].event'),
    post('/s', '[].event'),
    get('/array/:token/config'),
    get('/array/:token/config.js'),
  ],

  // @amplitude/analytics-node 1.5.73: the second with `useBatch`. Identify calls are events named `$identify`.
  amplitude: [post('/2/httpapi', 'events[].event_type'), post('/batch', 'events[].event_type')],

  // The HTTP API as documented. mixpanel 0.24.0 puts events into the query of a GET or, in base64, into a form field, where
  // nobody looks: keys that are limited cannot use it. /track is not listed, since its backend reads the query of a POST too.
  mixpanel: [post('/import', '[].event'), post('/engage'), post('/groups')],
};
