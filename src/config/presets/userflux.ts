/** UserFlux: its integration API and its metrics API. Every event stands in the body. */
import { get, post, type Preset, type Rest } from './preset.ts';

/** What `@userflux/backend-js` sends with each call. */
const CALL: Rest = { query: ['locationEnrichment'] };

export const USERFLUX: Preset = {
  routes: [
    post('/event/ingest', 'name', { ...CALL, backend: { containers: ['events'] } }),
    post('/event/ingest/batch', 'events[].name', CALL),
    post('/profile'),
    get('/profile/:userId'),
    post('/workflow/trigger'),
    post('/product'),
    { method: 'DELETE', path: '/product/:typeId/:productId' },
    post('/metrics/auth/token'),
    post('/metrics/query'),
    post('/metrics/query/:metricId'),
  ],
  credential: [],
  headers: [],
  sendsCookies: false,
  readsStatusInCode: false,
  clients: { '@userflux/backend-js': '1.1.4' },
};
