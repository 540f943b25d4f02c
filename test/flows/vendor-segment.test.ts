/** Segment's own clients with `preset: segment` alone: for Node, and in Chromium one by one and batched. */
import { Analytics } from '@segment/analytics-node';
import t from 'tap';
import { LIMITED, NODE_KEYS, startForNode } from '../support/vendor-node.ts';
import type { VendorClient } from '../support/vendor-page.ts';
import { playAll, playLimited } from '../support/vendor-scenarios.ts';

const inAPage = (delivery: string): VendorClient => ({
  preset: 'segment',
  script: '@segment/analytics-next/dist/umd/index.js',
  driver: `
    const client = new window.AnalyticsNext.AnalyticsBrowser();
    const begin = (base, key) => {
      const own = { apiKey: key, apiHost: base.replace('http://', '') + '/v1', protocol: 'http', deliveryStrategy: ${delivery} };
      client.load({ writeKey: key, cdnSettings: { integrations: { 'Segment.io': own } } }, { integrations: { 'Segment.io': own } });
      client.identify('u');
      client.page();
    };
    const send = (names) => {
      for (const name of names) client.track(name);
    };`,
});

t.test('@segment/analytics-next', (t) => playAll(t, inAPage('{ strategy: "standard" }'), { calls: 2 }));

t.test('@segment/analytics-next in batches', (t) =>
  playLimited(t, inAPage('{ strategy: "batching", config: { size: 5, timeout: 200 } }')),
);

t.test('@segment/analytics-node', async (t) => {
  const { postern, names } = await startForNode(t, 'segment', NODE_KEYS);
  const client = new Analytics({ writeKey: LIMITED, host: postern.url, flushAt: 10, maxRetries: 0 });
  client.on('error', (error) => t.fail(String(error.reason)));
  for (const event of ['login', 'payment']) client.track({ userId: 'u', event });
  client.identify({ userId: 'u' });
  await client.closeAndFlush();
  t.same(names(), ['login', 'identify']);
});

t.test('a server without an SDK, as documented: the kind of a call is in its path alone', async (t) => {
  for (const preset of ['segment', 'rudderstack']) {
    const { postern, backend } = await startForNode(t, preset, NODE_KEYS);
    const authorization = `Basic ${Buffer.from(`${LIMITED}:`).toString('base64')}`;
    const call = async (path: string, body: string): Promise<number> => {
      const headers = { authorization, 'content-type': 'application/json' };
      return (await fetch(`${postern.url}${path}`, { method: 'POST', headers, body })).status;
    };
    const traits = '{"userId":"u","traits":{"name":"x","event":"payment"}}';
    t.equal(await call('/v1/identify', traits), 200, preset);
    t.equal(backend.requests.at(-1)?.body.toString(), traits);
    t.equal(await call('/v1/group', '{"userId":"u","groupId":"g"}'), 200);
    t.equal(await call('/v1/track', '{"userId":"u","event":"login"}'), 200);
    for (const body of ['{"userId":"u","event":"payment"}', '{"type":"track","event":"payment"}', '{"type":"track"}'])
      t.equal(await call('/v1/identify', body), 403, `${preset}: ${body}`);
    t.equal(await call('/v1/track', '{"userId":"u"}'), 403, `${preset}: an event without a name`);
    t.equal(await call('/v1/identify', '{"batch":[{"type":"track","event":"payment"}]}'), 400, `${preset}: a batch`);
    t.equal(backend.requests.length, 3);
  }
});

t.test('its clients for Java and Ruby import', async (t) => {
  const { postern, names } = await startForNode(t, 'segment', NODE_KEYS);
  const headers = {
    authorization: `Basic ${Buffer.from(`${LIMITED}:`).toString('base64')}`,
    accept: 'application/json',
  };
  const calls = ['login', 'payment'].map((event) => ({ type: 'track', userId: 'u', event }));
  for (const path of ['/v1/import', '/v1/import/']) {
    const body = JSON.stringify({ batch: [...calls, { type: 'identify', userId: 'u' }], context: {} });
    const type = { 'content-type': 'application/json; charset=utf-8' };
    const answer = await fetch(`${postern.url}${path}`, { method: 'POST', headers: { ...headers, ...type }, body });
    t.equal(answer.headers.get('postern-removed-events'), '1', path);
  }
  t.same(names(), ['login', 'identify', 'login', 'identify']);
});
