/** RudderStack's own clients with `preset: rudderstack` alone: for Node, and in Chromium one by one and as beacons. */
import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import t from 'tap';
import { LIMITED, NODE_KEYS, startForNode } from '../support/vendor-node.ts';
import type { VendorClient } from '../support/vendor-page.ts';
import { playAll, playLeaving } from '../support/vendor-scenarios.ts';

const SOURCE = JSON.stringify({
  source: {
    id: 's',
    name: 'n',
    writeKey: 'w',
    enabled: true,
    workspaceId: 'w',
    destinations: [],
    config: { statsCollection: { errors: { enabled: false }, metrics: { enabled: false } } },
  },
});

/** `configUrl`: where the client loads what it is to do, as JavaScript. */
const inAPage = (configUrl: string, useBeacon: boolean): VendorClient => ({
  preset: 'rudderstack',
  module: '@rudderstack/analytics-js/dist/npm/modern/bundled/esm/index.mjs',
  driver: `
    const client = new SDK.RudderAnalytics();
    const begin = (base, key) => {
      client.load(key, base, { configUrl: ${configUrl}, useBeacon: ${useBeacon} });
      client.identify('u');
    };
    const send = (names) => {
      for (const name of names) client.track(name);
    };`,
  answer: (path) => (path.startsWith('/sourceConfig') ? SOURCE : '{}'),
});

t.test('@rudderstack/analytics-js', (t) => playAll(t, inAPage('location.origin', false), { calls: 1 }));

t.test('@rudderstack/analytics-js as beacons, which loads by its key what it is to do', (t) =>
  playLeaving(t, inAPage('base', true)),
);

t.test('@rudderstack/rudder-sdk-node, which calls its compressed JSON a form', async (t) => {
  const { backend, postern, names } = await startForNode(t, 'rudderstack', NODE_KEYS);
  const client = new RudderAnalytics(LIMITED, { dataPlaneUrl: postern.url, flushAt: 10 });
  for (const event of ['login', 'payment']) client.track({ userId: 'u', event });
  client.identify({ userId: 'u' });
  await new Promise((done) => client.flush(done));
  t.same(names(), ['login', 'identify']);
  t.match(backend.requests[0]?.headers, { 'content-type': 'application/json' }, 'what was judged as JSON is called so');
});
