/**
 * Amplitude. Events stand in `events` of a JSON body, with the key beside them; calls that identify somebody are events named
 * `$identify`. Its clients read the status of an answer from its body.
 */
import { CONTAINERS, post, type Preset, type Rest } from './preset.ts';

const CALL: Rest = { backend: { containers: CONTAINERS } };

export const AMPLITUDE: Preset = {
  // The second with `useBatch`.
  routes: [post('/2/httpapi', 'events[].event_type', CALL), post('/batch', 'events[].event_type', CALL)],
  credential: ['body:api_key'],
  headers: [],
  sendsCookies: false,
  readsStatusInCode: true,
  clients: { '@amplitude/analytics-node': '1.5.73', '@amplitude/analytics-browser': '2.48.1' },
};
