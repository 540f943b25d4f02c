/** The presets, each driven by the vendor's own SDK: a key that may send `login` alone, and a client that sends more. */
import { createInstance } from '@amplitude/analytics-node';
import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import { Analytics } from '@segment/analytics-node';
import Mixpanel from 'mixpanel';
import { PostHog } from 'posthog-node';
import t, { type Test } from 'tap';
import { gunzipSync } from 'node:zlib';
import { startBackend, type RecordedRequest } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';

const LIMITED = 'secret-of-the-limited-key';
const FREE = 'secret-of-the-free-key';
const PAGE = 'secret-of-the-page-key';

async function startFor(t: Test, preset: string, credential: string) {
  const backend = await startBackend(t, (_req, res) => {
    res.setHeader('content-type', 'application/json').end('{"code":200,"status":1,"success":true}');
  });
  const postern = await startPostern(t, {
    config: {
      apis: { integration: { upstream: backend.url, preset, credential: [credential], authorization: 'pass' } },
    },
    keys: [
      { id: 'limited', type: 'read-write', secret: LIMITED, allowedEvents: ['login'] },
      { id: 'free', type: 'read-write', secret: FREE },
      { id: 'page', type: 'write-only', secret: PAGE },
    ],
  });
  return { backend, postern };
}

/** The names of the events, or the kinds of the calls, that a backend received. */
const namesIn =
  (list: string, name: string) =>
  ({ headers, body }: RecordedRequest): unknown[] => {
    const text = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    const items = (JSON.parse(text.toString()) as Record<string, Record<string, unknown>[]>)[list] ?? [];
    return items.map((item) => item[name] ?? item['type']);
  };

t.test('posthog-node', async (t) => {
  const { backend, postern } = await startFor(t, 'posthog', 'body:api_key');
  const client = new PostHog(LIMITED, { host: postern.url, flushAt: 10, fetchRetryCount: 0 });
  for (const event of ['login', 'payment', 'login']) client.capture({ distinctId: 'u', event });
  await client.shutdown();
  t.same(backend.requests.flatMap(namesIn('batch', 'event')), ['login', 'login']);
  t.match(backend.requests[0]?.url, /^\/batch\/?$/);
});

t.test('@segment/analytics-node', async (t) => {
  const { backend, postern } = await startFor(t, 'segment', 'basic-username');
  const client = new Analytics({ writeKey: LIMITED, host: postern.url, flushAt: 10, maxRetries: 0 });
  client.on('error', (error) => t.fail(String(error.reason)));
  for (const event of ['login', 'payment']) client.track({ userId: 'u', event });
  client.identify({ userId: 'u' });
  await client.closeAndFlush();
  t.same(backend.requests.flatMap(namesIn('batch', 'event')), ['login', 'identify']);
});

t.test('@rudderstack/rudder-sdk-node', async (t) => {
  const { backend, postern } = await startFor(t, 'rudderstack', 'basic-username');
  const client = new RudderAnalytics(LIMITED, { dataPlaneUrl: postern.url, flushAt: 10, gzip: false });
  for (const event of ['login', 'payment']) client.track({ userId: 'u', event });
  client.identify({ userId: 'u' });
  await new Promise((done) => client.flush(done));
  t.same(backend.requests.flatMap(namesIn('batch', 'event')), ['login', 'identify']);
});

t.test(
  '@rudderstack/rudder-sdk-node with gzip, which it labels as a form: for keys that may send all events',
  async (t) => {
    const { backend, postern } = await startFor(t, 'rudderstack', 'basic-username');
    const client = new RudderAnalytics(PAGE, { dataPlaneUrl: postern.url, flushAt: 10 });
    client.track({ userId: 'u', event: 'payment' });
    await new Promise((done) => client.flush(done));
    t.match(backend.requests[0]?.headers, { 'content-type': /form/, 'content-encoding': 'gzip' });
    t.same(backend.requests.flatMap(namesIn('batch', 'event')), ['payment']);
  },
);

t.test('@amplitude/analytics-node', async (t) => {
  const { backend, postern } = await startFor(t, 'amplitude', 'body:api_key');
  const client = createInstance();
  await client.init(LIMITED, { serverUrl: `${postern.url}/2/httpapi`, flushQueueSize: 10 }).promise;
  const sent = ['login', 'payment'].map((event) => client.track(event, undefined, { user_id: 'user-1' }).promise);
  await client.flush().promise;
  t.same(
    (await Promise.all(sent)).map(({ code }) => code),
    [200, 200],
  );
  t.same(backend.requests.flatMap(namesIn('events', 'event_type')), ['login']);
});

/** The SDK sends `key` as `api_key`; its types leave it out. */
function mixpanelOf(host: string, key: string) {
  const options: Parameters<typeof Mixpanel.init>[1] & { readonly key: string } = { host, protocol: 'http', key };
  return Mixpanel.init('project', options);
}

t.test('mixpanel, which puts events into queries: for keys that are not limited', async (t) => {
  const { backend, postern } = await startFor(t, 'mixpanel', 'query:api_key');
  const { host } = new URL(postern.url);
  const clientOf = (key: string) => mixpanelOf(host, key);
  const told = (call: (done: (error: unknown) => void) => void): Promise<string> =>
    new Promise((resolve) => call((error) => resolve(String(error))));
  const limited = clientOf(LIMITED);
  t.match(await told((done) => limited.import('login', new Date(), {}, done)), /route_not_allowed/);
  t.match(await told((done) => limited.track('login', {}, done)), /route_not_allowed/);
  t.equal(backend.requests.length, 0, 'refused, since nobody looks there');
  await told((done) => clientOf(FREE).track('payment', {}, done));
  t.match(backend.requests, [{ method: 'GET', url: /^\/track\?/ }]);
});

t.test('mixpanel in batches, which are forms: for keys that may send all events', async (t) => {
  const { backend, postern } = await startFor(t, 'mixpanel', 'query:api_key');
  const { host } = new URL(postern.url);
  const clientOf = (key: string) => mixpanelOf(host, key);
  const batch = [{ event: 'payment', properties: { time: new Date(0) } }];
  await new Promise((done) => clientOf(PAGE).track_batch(batch, done));
  await new Promise((done) => clientOf(PAGE).import_batch(batch, done));
  await new Promise((done) => clientOf(LIMITED).track_batch(batch, done));
  await new Promise((done) => clientOf(LIMITED).import_batch(batch, done));
  t.match(
    backend.requests.map(({ method, url, body }) => [method, url, body.toString()]),
    [
      ['POST', /^\/track\?/, /^data=/],
      ['POST', /^\/import\?/, /^data=/],
    ],
  );
});
