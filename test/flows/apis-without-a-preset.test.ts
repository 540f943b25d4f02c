/** The configurations of docs/apis-without-a-preset.md, as they stand there: what a limited key may send in each, and what not. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { startBackend } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';
import { sendRaw } from '../support/raw-http.ts';

const KEY = 'secret-of-the-limited-key';

interface Sent {
  readonly method?: string;
  readonly target: string;
  /** How the key comes. */
  readonly key?: string;
  readonly body?: unknown;
}

/** A request of a limited key, and what becomes of it: a status, or what is left of its body. */
type Case = readonly [api: string, sent: Sent, becomes: number | object];

const spans = (...names: readonly string[]) => ({
  resourceSpans: [{ resource: {}, scopeSpans: [{ scope: {}, spans: names.map((name) => ({ name, traceId: 'a' })) }] }],
});

const CASES: readonly Case[] = [
  ['jitsu', { target: '/api/s/track', key: `X-Write-Key: ${KEY}`, body: { type: 'track', event: 'login' } }, 204],
  ['jitsu', { target: '/api/s/track', key: `X-Write-Key: ${KEY}`, body: { type: 'track', event: 'payment' } }, 403],
  ['jitsu', { target: '/api/s/identify', key: `X-Write-Key: ${KEY}`, body: { type: 'identify', userId: 'u' } }, 204],
  ['jitsu', { target: '/api/s/identify', key: `X-Write-Key: ${KEY}`, body: { type: 'track', event: 'payment' } }, 403],
  ['jitsu', { target: '/api/s/event', key: `X-Write-Key: ${KEY}`, body: { type: 'track', event: 'login' } }, 403],
  [
    'jitsu',
    { target: '/api/s/batch', key: `X-Write-Key: ${KEY}`, body: { batch: [{ event: 'payment' }, { type: 'page' }] } },
    { batch: [{ type: 'page' }] },
  ],
  ['plausible', { target: `/api/event?key=${KEY}`, body: { n: 'login', u: 'https://shop.example/', d: 'shop' } }, 204],
  ['plausible', { target: `/api/event?key=${KEY}`, body: { name: 'login', url: 'https://shop.example/' } }, 204],
  ['plausible', { target: `/api/event?key=${KEY}`, body: { n: 'payment', d: 'shop' } }, 403],
  ['plausible', { target: `/api/event?key=${KEY}`, body: { n: 'login', name: 'payment' } }, 400],
  ['plausible', { target: `/api/event?key=${KEY}&n=payment`, body: { n: 'login' } }, 403],
  ['plausible', { target: '/api/event', body: { n: 'login' } }, 401],
  [
    'snowplow',
    {
      target: '/com.snowplowanalytics.snowplow/tp2',
      key: `X-Api-Key: ${KEY}`,
      body: { schema: 'iglu:payload_data', data: [{ e: 'login' }, { e: 'payment' }] },
    },
    { schema: 'iglu:payload_data', data: [{ e: 'login' }] },
  ],
  ['snowplow', { method: 'GET', target: '/i?e=payment', key: `X-Api-Key: ${KEY}` }, 403],
  [
    'openpanel',
    { target: '/api/track', key: `OpenPanel-Client-Id: ${KEY}`, body: { type: 'track', payload: { name: 'login' } } },
    204,
  ],
  [
    'openpanel',
    { target: '/api/track', key: `OpenPanel-Client-Id: ${KEY}`, body: { type: 'track', payload: { name: 'payment' } } },
    403,
  ],
  [
    'openpanel',
    {
      target: '/api/track',
      key: `OpenPanel-Client-Id: ${KEY}`,
      body: { type: 'identify', payload: { profileId: 'u' } },
    },
    204,
  ],
  ['openpanel', { target: '/api/profile', key: `OpenPanel-Client-Id: ${KEY}`, body: {} }, 403],
  ['unleash', { method: 'GET', target: '/api/frontend?appName=shop', key: `X-Unleash-Token: ${KEY}` }, 204],
  ['unleash', { target: '/api/frontend/client/metrics', key: `X-Unleash-Token: ${KEY}`, body: { bucket: {} } }, 204],
  ['unleash', { method: 'GET', target: '/api/admin/projects', key: `X-Unleash-Token: ${KEY}` }, 403],
  ['otlp', { target: '/v1/traces', key: `X-Api-Key: ${KEY}`, body: spans('login', 'payment') }, spans('login')],
  ['otlp', { target: '/v1/traces', key: `X-Api-Key: ${KEY}`, body: spans('payment') }, 403],
  ['otlp', { target: '/v1/profiles', key: `X-Api-Key: ${KEY}`, body: spans('login') }, 403],
];

t.test('a limited key in front of APIs without a preset', async (t) => {
  const backend = await startBackend(t);
  const page = readFileSync('docs/apis-without-a-preset.md', 'utf8').replaceAll('${UNLEASH_TOKEN}', 'of-the-upstream');
  const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(
    ([, yaml = '']) => (parse(yaml) as { apis: Record<string, object> }).apis,
  );
  const apis = Object.entries(Object.assign({}, ...blocks) as Record<string, object>).map(([name, api]) => [
    name,
    { ...api, upstream: backend.url, hosts: [`${name}.test`] },
  ]);
  const postern = await startPostern(t, {
    config: { apis: Object.fromEntries(apis) as unknown },
    keys: [{ id: 'limited', type: 'read-write', secret: KEY, allowedEvents: ['login'] }],
  });
  const send = async (api: string, { method = 'POST', target, key, body }: Sent) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const fields = [`Host: ${api}.test`, ...(key === undefined ? [] : [key])];
    if (body !== undefined) fields.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(text)}`);
    return sendRaw(postern.port, `${method} ${target} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n${text}`);
  };
  for (const [api, sent, becomes] of CASES) {
    const before = backend.requests.length;
    const { status, body } = await send(api, sent);
    const name = `${api} ${sent.target} ${JSON.stringify(sent.body)} ${body}`;
    if (typeof becomes === 'number') {
      t.equal(status, becomes, name);
      t.equal(backend.requests.length - before, becomes === 204 ? 1 : 0, name);
    } else t.same(JSON.parse(backend.requests[before]?.body.toString() ?? 'null'), becomes, name);
  }
  t.same(new Set(CASES.map(([api]) => api)), new Set(apis.map(([name]) => name)), 'each has its cases');
});
