/** PostHog's own clients with `preset: posthog` alone: posthog-node, and posthog-js in Chromium. */
import { PostHog } from 'posthog-node';
import t from 'tap';
import { LIMITED, NODE_KEYS, startForNode } from '../support/vendor-node.ts';
import type { VendorClient } from '../support/vendor-page.ts';
import { playAll, playLeaving } from '../support/vendor-scenarios.ts';

const IN_A_PAGE: VendorClient = {
  preset: 'posthog',
  module: 'posthog-js/dist/module.js',
  driver: `
    const begin = (base, key) => SDK.default.init(key, {
      api_host: base, opt_out_useragent_filter: true, autocapture: false, capture_pageview: false,
      request_queue_config: { flush_interval_ms: 250 },
    });
    const send = async (names) => {
      for (const name of names) SDK.default.capture(name);
      await new Promise((resolve) => setTimeout(resolve, 260));
    };`,
  answer: (path) => (path.endsWith('/config') ? '{"supportedCompression":["gzip-js"]}' : '{}'),
};

t.test('posthog-js', (t) => playAll(t, IN_A_PAGE, { calls: 1, givesUpOn429: true, inPath: true }));

t.test('posthog-js without compression, whose page sends base64 in a form when it is left', (t) =>
  playLeaving(t, { ...IN_A_PAGE, answer: () => '{}' }),
);

t.test('posthog-node', async (t) => {
  const { backend, postern, names } = await startForNode(t, 'posthog', NODE_KEYS);
  const client = new PostHog(LIMITED, { host: postern.url, flushAt: 10, fetchRetryCount: 0 });
  for (const event of ['login', 'payment', 'login']) client.capture({ distinctId: 'u', event });
  t.same(await client.getAllFlags('u'), {}, 'flags are read');
  await client.shutdown();
  t.same(names(), ['login', 'login']);
  t.match(backend.requests.at(-1)?.url, /^\/batch\/?$/);
});
