import { createRequire } from 'node:module';
import t, { type Test } from 'tap';
import { EVENTS_KEY, EVENTS_SECRET, SERVER_KEY, SERVER_SECRET, startFlow } from '../support/flow.ts';

const HOST = 'https://integration-api.userflux.co';

interface Answer {
  readonly status: number;
}
interface UserFluxClient {
  readonly track: (event: Record<string, unknown>) => Promise<Answer | undefined>;
  readonly identify: (profile: Record<string, unknown>) => Promise<Answer | undefined>;
}
interface Axios {
  readonly interceptors: {
    readonly request: {
      readonly use: (change: (config: { url: string }) => object) => number;
      readonly eject: (id: number) => void;
    };
  };
}

/** The SDK knows one host; its HTTP client is told to take ours for it. */
function sdkTo(t: Test, url: string): new (key: string, options?: Record<string, unknown>) => UserFluxClient {
  const require = createRequire(import.meta.url);
  const axios = createRequire(require.resolve('@userflux/backend-js'))('axios') as Axios;
  const id = axios.interceptors.request.use((config) => {
    t.ok(config.url.startsWith(HOST), config.url);
    return { ...config, url: config.url.replace(HOST, url) };
  });
  t.teardown(() => axios.interceptors.request.eject(id));
  return require('@userflux/backend-js') as ReturnType<typeof sdkTo>;
}

t.test('the back-end SDK of UserFlux tracks and identifies through Postern', async (t) => {
  const { postern, backend } = await startFlow(t, { keys: [SERVER_KEY] });
  const UserFlux = sdkTo(t, postern.url);
  const client = new UserFlux(SERVER_SECRET, { autoEnrich: true });
  const event = {
    userId: 'u1',
    event: 'login',
    properties: { price: 1.5, name: 'Zo\u00eb' },
    timestamp: 1690111645853,
  };
  t.equal((await client.track(event))?.status, 204);
  t.equal((await client.identify({ userId: 'u1', properties: { plan: 'pro' } }))?.status, 204);
  const [tracked, identified] = backend.requests;
  t.match(tracked, { method: 'POST', url: '/event/ingest?locationEnrichment=true' });
  t.match(JSON.parse(tracked?.body.toString() ?? ''), {
    name: 'login',
    userId: 'u1',
    timestamp: 1690111645853,
    properties: { price: 1.5, name: 'Zo\u00eb' },
  });
  t.match(tracked?.headers, { 'postern-key-id': 'server', authorization: undefined, 'content-type': /json/ });
  t.match(identified, { method: 'POST', url: '/profile?locationEnrichment=true' });
});

t.test('a key limited to specific events tracks those and no others', async (t) => {
  const { postern, backend } = await startFlow(t, { keys: [EVENTS_KEY] });
  const UserFlux = sdkTo(t, postern.url);
  const errors = t.capture(console, 'error', () => {});
  const client = new UserFlux(EVENTS_SECRET);
  t.equal((await client.track({ userId: 'u1', event: 'login' }))?.status, 204);
  t.equal(
    await client.track({ userId: 'u1', event: 'purchase' }),
    undefined,
    'the SDK reports refusals on the console',
  );
  t.match(
    errors().map(({ args }) => args[1] as unknown),
    [{ response: { status: 403, data: { code: 'event_not_allowed' } } }],
  );
  t.equal(backend.requests.length, 1);
});
