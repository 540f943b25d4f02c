import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { startChromium } from '../support/browser.ts';
import { EVENTS_KEY, EVENTS_SECRET, startFlow, WEB_KEY, WEB_SECRET, type Flow } from '../support/flow.ts';

/** What a page was told of a request: what it could read of the answer, or the error of `fetch`. */
interface Seen {
  readonly status?: number;
  readonly body?: string;
  readonly requestId?: string | null;
  readonly removed?: string | null;
  readonly error?: string;
}

interface Sent {
  readonly path?: string;
  readonly secret?: string | null;
  readonly headers?: Record<string, string>;
  readonly credentials?: 'include' | 'omit';
  readonly body?: string;
}

/** An empty page on an origin of its own. */
async function openPage(t: Test, page: Page): Promise<string> {
  const server = http.createServer((_req, res) => void res.setHeader('content-type', 'text/html').end('<p>shop'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await page.goto(origin);
  return origin;
}

const send = (page: Page, flow: Flow, sent: Sent = {}): Promise<Seen> =>
  page.evaluate(
    async ({ url, secret, headers, credentials, body }) => {
      try {
        const answer = await fetch(url, {
          method: 'POST',
          credentials,
          body,
          headers: {
            'content-type': 'application/json',
            ...(secret === null ? {} : { authorization: `Bearer ${secret}` }),
            ...headers,
          },
        });
        return {
          status: answer.status,
          body: await answer.text(),
          requestId: answer.headers.get('x-request-id'),
          removed: answer.headers.get('postern-removed-events'),
        };
      } catch (error) {
        return { error: String(error) };
      }
    },
    {
      url: flow.postern.url + (sent.path ?? '/event/ingest'),
      secret: sent.secret === undefined ? WEB_SECRET : sent.secret,
      headers: sent.headers ?? {},
      credentials: sent.credentials ?? ('omit' as const),
      body: sent.body ?? '{"name":"login"}',
    },
  );

const beacon = (page: Page, flow: Flow): Promise<boolean> =>
  page.evaluate((url) => {
    const { navigator } = globalThis as unknown as { navigator: { sendBeacon(url: string, body: Blob): boolean } };
    return navigator.sendBeacon(url, new Blob(['{"name":"left"}'], { type: 'application/json' }));
  }, `${flow.postern.url}/event/ingest?api_key=${WEB_SECRET}`);

const respond = (_req: unknown, res: http.ServerResponse): void => void res.writeHead(200).end('taken');

t.test('a page of an admitted origin, in Chromium', async (t) => {
  const browser = await startChromium(t);
  const page = await browser.newPage();
  const origin = await openPage(t, page);
  const keys = [
    { ...WEB_KEY, allowedOrigins: [origin] },
    { ...EVENTS_KEY, allowedOrigins: [origin] },
    { id: 'everywhere', type: 'write-only', secret: 'secret-for-every-page' },
  ];
  const credential = ['bearer', 'query:api_key'];
  const plain = await startFlow(t, { keys, respond, api: { credential } });
  const allowing = await startFlow(t, {
    keys,
    respond,
    api: {
      credential,
      cors: { allowCredentials: true, allowedHeaders: ['authorization', 'content-type', 'traceparent', 'tracestate'] },
    },
  });

  await t.test('reads answers, refusals among them, and the headers that are for it', async (t) => {
    const answer = await send(page, plain);
    t.match(answer, { status: 200, body: 'taken', requestId: /./ });
    const batch = await send(page, plain, {
      secret: EVENTS_SECRET,
      path: '/event/ingest/batch',
      body: '{"events":[{"name":"login"},{"name":"x"}]}',
    });
    t.match(batch, { status: 200, removed: '1' });
    const refused = await send(page, plain, { secret: EVENTS_SECRET, body: '{"name":"x"}' });
    t.match(refused, { status: 403, body: /event_not_allowed/, requestId: /./ });
    t.match(await send(page, plain, { secret: 'secret-of-nobody' }), { status: 401, body: /invalid_credential/ });
  });

  await t.test('asks once, and keeps the answer to the preflight', async (t) => {
    const preflights = 'postern_requests_total{api="integration",key="",status="204"}';
    const path = '/event/ingest/batch?once';
    const body = '{"events":[]}';
    await send(page, plain, { path, body });
    const asked = await plain.postern.metric(preflights);
    for (let n = 0; n < 3; n += 1) t.match(await send(page, plain, { path, body }), { status: 200 });
    t.equal(await plain.postern.metric(preflights), asked);
  });

  await t.test('with cookies: only where they are allowed, for keys that name the origin', async (t) => {
    const credentials = 'include';
    t.match(await send(page, plain, { credentials }), { error: /Failed to fetch/ });
    t.match(await send(page, allowing, { credentials }), { status: 200, body: 'taken' });
    const refused = { credentials, secret: EVENTS_SECRET, body: '{"name":"x"}' } as const;
    t.match(await send(page, allowing, refused), { status: 403, body: /event_not_allowed/ });
    const everywhere = { credentials, secret: 'secret-for-every-page' } as const;
    t.match(await send(page, allowing, everywhere), { error: /Failed to fetch/ }, 'not for a key of every page');
    t.match(await send(page, allowing, { secret: 'secret-for-every-page' }), { status: 200 }, 'which works without');
  });

  await t.test('its beacon of JSON arrives', async (t) => {
    const arrived = allowing.backend.next();
    t.ok(await beacon(page, allowing));
    t.equal((await arrived).body.toString(), '{"name":"left"}');
    const before = plain.backend.requests.length;
    t.ok(await beacon(page, plain), 'the browser takes it');
    t.match(await send(page, plain), { status: 200 });
    t.equal(plain.backend.requests.length, before + 1, 'and drops it after the preflight');
  });

  await t.test('its tracing passes where it is allowed', async (t) => {
    const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=b' };
    t.match(await send(page, plain, { headers }), { error: /Failed to fetch/ });
    const arrived = allowing.backend.next();
    t.match(await send(page, allowing, { headers }), { status: 200 });
    t.match((await arrived).headers, headers);
  });
});

t.test('a page of any other origin reads nothing', async (t) => {
  const browser = await startChromium(t);
  const page = await browser.newPage();
  await openPage(t, page);
  const keys = [{ ...WEB_KEY, allowedOrigins: ['https://shop.example'] }];
  const flow = await startFlow(t, { keys, respond, api: { cors: { allowCredentials: true } } });
  for (const credentials of ['omit', 'include'] as const)
    t.match(await send(page, flow, { credentials }), { error: /Failed to fetch/ });
  t.equal(flow.backend.requests.length, 0);
});
