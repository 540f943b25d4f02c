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

const post = (path: string, events?: string, unnamed?: 'allow'): RouteDefinition => ({
  ...{ method: 'POST', path },
  ...(events !== undefined && { events }),
  ...(unnamed !== undefined && { unnamed }),
});
const get = (path: string): RouteDefinition => ({ method: 'GET', path });
const remove = (path: string): RouteDefinition => ({ method: 'DELETE', path });

const ROUTES: Readonly<Record<PresetName, readonly RouteDefinition[]>> = {
  // @userflux/backend-js 1.1.4 sends to the first and the third.
  userflux: [
    post('/event/ingest', 'name'),
    post('/event/ingest/batch', 'events[].name'),
    post('/profile'),
    get('/profile/:userId'),
    post('/workflow/trigger'),
    post('/product'),
    remove('/product/:typeId/:productId'),
    post('/metrics/auth/token'),
    post('/metrics/query'),
    post('/metrics/query/:metricId'),
  ],
  segment: [],
  rudderstack: [],
  posthog: [],
  amplitude: [],
  mixpanel: [],
};
