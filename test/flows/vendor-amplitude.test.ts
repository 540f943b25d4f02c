/** Amplitude's own clients with `preset: amplitude` alone: for Node, and in Chromium. */
import { createInstance } from '@amplitude/analytics-node';
import t from 'tap';
import { LIMITED, NODE_KEYS, startForNode } from '../support/vendor-node.ts';
import type { VendorClient } from '../support/vendor-page.ts';
import { playAll, playTooLarge } from '../support/vendor-scenarios.ts';

const IN_A_PAGE: VendorClient = {
  preset: 'amplitude',
  script: '@amplitude/analytics-browser/lib/scripts/amplitude-min.umd.js',
  driver: `
    const client = window.amplitude;
    const begin = (base, key) => {
      client.init(key, 'user-1', {
        serverUrl: base + '/2/httpapi', fetchRemoteConfig: false, autocapture: false, flushIntervalMillis: 200,
      });
      addEventListener('pagehide', () => {
        client.setTransport('beacon');
        client.flush();
      });
    };
    const send = (names) => {
      for (const name of names) client.track(name);
    };`,
  answer: () => '{"code":200}',
};

t.test('@amplitude/analytics-browser', (t) => playAll(t, IN_A_PAGE, { calls: 0 }));

t.test('batches that are too large are sent in parts', (t) => playTooLarge(t, IN_A_PAGE));

t.test('@amplitude/analytics-node', async (t) => {
  const { postern, names } = await startForNode(t, 'amplitude', NODE_KEYS);
  const resultsOf = async (key: string, events: readonly string[]): Promise<unknown[]> => {
    const client = createInstance();
    const serverUrl = `${postern.url}/2/httpapi`;
    await client.init(key, { serverUrl, flushIntervalMillis: 50 }).promise;
    const sent = events.map((event) => client.track(event, undefined, { user_id: 'user-1' }).promise);
    return (await Promise.all(sent)).map(({ code, message }) => [code, message]);
  };
  t.match(await resultsOf(LIMITED, ['login', 'payment']), [
    [200, /successfully/],
    [200, /successfully/],
  ]);
  t.same(names(), ['login']);
  t.match(await resultsOf(LIMITED, ['payment']), [[403, /^Invalid API key or request: .*event/]], 'given up at once');
  t.match(await resultsOf('secret-of-nobody', ['login']), [[401, /^Invalid API key or request: /]]);
});
