/** Mixpanel's own clients with `preset: mixpanel` alone: for Node, and in Chromium. */
import Mixpanel from 'mixpanel';
import t from 'tap';
import { FREE, LIMITED, NODE_KEYS, startForNode } from '../support/vendor-node.ts';
import type { VendorClient } from '../support/vendor-page.ts';
import { playAll, playLimited, playTooLarge } from '../support/vendor-scenarios.ts';

const inAPage = (options = '', begin = ''): VendorClient => ({
  preset: 'mixpanel',
  module: 'mixpanel-browser/dist/mixpanel.module.js',
  driver: `
    const client = SDK.default;
    const begin = (base, key) => {
      client.init(key, { api_host: base, batch_flush_interval_ms: 300, ${options} });
      ${begin}
    };
    const send = (names) => {
      for (const name of names) client.track(name);
    };`,
  answer: (path) => (path.startsWith('/flags') ? '{"flags":{}}' : '{"status":1,"error":null}'),
});

t.test('mixpanel-browser', (t) => playAll(t, inAPage(), { calls: 0 }));

t.test('mixpanel-browser, one by one, with JSON in its forms', (t) =>
  playLimited(t, inAPage('batch_requests: false, api_payload_format: "json"')),
);

t.test('mixpanel-browser: profiles and flags, with a limited key', (t) =>
  playLimited(t, inAPage('flags: true', 'client.identify("u"); client.people.set({ plan: "x" });'), [
    '/engage/',
    '/flags/',
  ]),
);

t.test('batches that are too large are sent in parts', (t) => playTooLarge(t, inAPage()));

/** The SDK sends `key` as `api_key`; its types leave it out. */
function clientOf(url: string, key: string) {
  const options: Parameters<typeof Mixpanel.init>[1] & { readonly key: string } = {
    host: new URL(url).host,
    protocol: 'http',
    key,
  };
  return Mixpanel.init(key, options);
}

const told = (call: (done: (error: unknown) => void) => void): Promise<string> =>
  new Promise((resolve) => call((error) => resolve(String(error))));

t.test('mixpanel: batches are forms, single events are queries, which a limited key cannot send', async (t) => {
  const { backend, postern, names } = await startForNode(t, 'mixpanel', NODE_KEYS, '1');
  const batch = ['login', 'payment', 'b>~?'].map((event) => ({
    event,
    properties: { time: new Date(0), q: 'a>~?b~~' },
  }));
  const limited = clientOf(postern.url, LIMITED);
  await new Promise((done) => limited.track_batch(batch, done));
  await new Promise((done) => limited.import_batch(batch, done));
  t.same(names(), ['login', 'login']);
  t.match(await told((done) => limited.track('login', {}, done)), /route_not_allowed/);
  t.match(await told((done) => limited.people.set('u', { a: 1 }, done)), /route_not_allowed/);
  t.equal(backend.requests.length, 2, 'refused, since nobody looks into a query');
  const free = clientOf(postern.url, FREE);
  t.equal(await told((done) => free.track('payment', {}, done)), 'undefined');
  t.equal(await told((done) => free.people.set('u', { a: 1 }, done)), 'undefined');
  t.match(
    backend.requests.slice(2).map(({ method, url }) => `${method} ${url}`),
    [/^GET \/track\?/, /^GET \/engage\?/],
  );
});
