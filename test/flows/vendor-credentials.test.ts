/** What a vendor's backend gets in each place where its clients put the key: its own, and never the caller's. */
import t from 'tap';
import { gunzipSync, gzipSync } from 'node:zlib';
import { startBackend } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';
import { sendRaw } from '../support/raw-http.ts';

const KEY = 'secret-of-the-web-key';
const FORM = 'application/x-www-form-urlencoded';
const basic = (user: string): string => `Basic ${Buffer.from(`${user}:`).toString('base64')}`;
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');

interface Sent {
  readonly target: string;
  readonly fields?: readonly string[];
  readonly type?: string;
  readonly body: string | Buffer;
}

async function startFor(preset: string, authorization: unknown) {
  const backend = await startBackend(t);
  const postern = await startPostern(t, {
    config: { apis: { integration: { upstream: backend.url, preset, authorization } } },
    keys: [{ id: 'web', type: 'write-only', secret: KEY }],
  });
  return async ({ target, fields = [], type = 'application/json', body }: Sent) => {
    const bytes = Buffer.from(body);
    const head = [
      `POST ${target} HTTP/1.1`,
      'Host: a',
      ...fields,
      `Content-Type: ${type}`,
      `Content-Length: ${bytes.length}`,
    ];
    const { status } = await sendRaw(postern.port, Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), bytes]));
    const received = status === 204 ? backend.requests.at(-1) : undefined;
    return {
      status,
      url: received?.url,
      authorization: received?.headers.authorization,
      type: received?.headers['content-type'],
      body: received?.body ?? Buffer.alloc(0),
    };
  };
}

t.test('segment: Basic and the body, which have to agree', async (t) => {
  const send = await startFor('segment', {
    'basic-username': basic('up'),
    'body:writeKey': 'up',
    'body:batch/[]/writeKey': 'up',
  });
  const body = (key: string) =>
    JSON.stringify({ batch: [{ event: 'a', writeKey: key }, { event: 'b' }], writeKey: key });
  const sent = await send({
    target: '/v1/b',
    fields: [`Authorization: ${basic(KEY)}`],
    type: 'text/plain',
    body: body(KEY),
  });
  t.match(sent, { authorization: basic('up') });
  t.equal(sent.body.toString(), body('up'));
  const inBody = await send({ target: '/v1/b', body: body(KEY) });
  t.match(inBody, { status: 204, authorization: undefined }, 'what stands in the body is not sent twice');
  const other = await send({ target: '/v1/b', fields: [`Authorization: ${basic(KEY)}`], body: body('another') });
  t.equal(other.status, 401);
});

t.test('rudderstack: Basic, or the query of a beacon', async (t) => {
  const send = await startFor('rudderstack', { 'basic-username': basic('up'), 'query:writeKey': 'up&' });
  const body = '{"batch":[{"event":"a"}]}';
  t.match(await send({ target: '/v1/batch', fields: [`Authorization: ${basic(KEY)}`], body }), {
    url: '/v1/batch',
    authorization: basic('up'),
  });
  t.match(await send({ target: `/beacon/v1/batch?writeKey=${KEY}`, type: 'text/plain', body }), {
    url: '/beacon/v1/batch?writeKey=up%26',
    authorization: undefined,
  });
});

t.test('mixpanel: inside of every event, in a form with base64', async (t) => {
  const send = await startFor('mixpanel', { 'body:[]/properties/token': 'up', 'body:[]/$token': 'up' });
  const events = (token: string) => ['a>~?', 'b'].map((event) => ({ event, properties: { token, x: '~~~???>>>' } }));
  const form = (value: unknown) => `data=${encodeURIComponent(base64(value))}`;
  const sent = await send({ target: '/track/?ip=1&_=1', type: FORM, body: form(events(KEY)) });
  t.match(sent, { status: 204, type: FORM });
  t.equal(sent.body.toString(), form(events('up')));
  const beacon = await send({ target: '/track/?ip=1', type: 'text/plain;charset=UTF-8', body: form(events(KEY)) });
  t.equal(beacon.status, 204);
  t.equal(beacon.body.toString(), form(events('up')));
  const profile = (token: string) => [{ $token: token, $set: { plan: 'x' } }];
  t.equal(
    (await send({ target: '/engage/', type: FORM, body: form(profile(KEY)) })).body.toString(),
    form(profile('up')),
  );
  const json = await send({ target: '/import?strict=1', body: JSON.stringify(events(KEY)) });
  t.same(JSON.parse(json.body.toString()), events('up'));
  t.equal(
    (await send({ target: '/track/', type: FORM, body: form([...events(KEY), ...events('another')]) })).status,
    401,
  );
  t.equal((await send({ target: '/track/', type: FORM, body: form(events('another')) })).status, 401);
});

t.test('posthog: beside the batch, in its events, compressed without a word of it', async (t) => {
  const send = await startFor('posthog', {
    'body:api_key': 'phc_up',
    'body:token': 'phc_up',
    'body:batch/[]/properties/token': 'phc_up',
  });
  const batch = (key: string) => ({ api_key: key, batch: [{ event: 'a', properties: { token: key } }] });
  const sent = await send({ target: '/e/', type: 'text/plain', body: gzipSync(JSON.stringify(batch(KEY))) });
  t.equal(sent.status, 204);
  t.same(JSON.parse(gunzipSync(sent.body).toString()), batch('phc_up'));
  const flags = await send({
    target: '/flags/?v=2&compression=base64',
    type: FORM,
    body: `data=${encodeURIComponent(base64({ token: KEY, distinct_id: 'u' }))}`,
  });
  t.equal(flags.body.toString(), `data=${encodeURIComponent(base64({ token: 'phc_up', distinct_id: 'u' }))}`);
});

t.test('amplitude: beside the events; and taken out where nothing is said', async (t) => {
  const body = (key: object) => JSON.stringify({ ...key, events: [{ event_type: 'a' }] });
  const named = await startFor('amplitude', 'up');
  t.equal(
    (await named({ target: '/2/httpapi', body: body({ api_key: KEY }) })).body.toString(),
    body({ api_key: 'up' }),
  );
  const silent = await startFor('amplitude', 'strip');
  t.equal((await silent({ target: '/2/httpapi', body: body({ api_key: KEY }) })).body.toString(), body({}));
  const passing = await startFor('amplitude', 'pass');
  t.equal(
    (await passing({ target: '/2/httpapi', body: body({ api_key: KEY }) })).body.toString(),
    body({ api_key: KEY }),
  );
});

t.test('a key that stands in the path of what everybody may read is not written down', async (t) => {
  for (const [preset, target] of [
    ['posthog', `/array/${KEY}/config`],
    ['posthog', `/array/${KEY}/config.js`],
    ['segment', `/v1/projects/${KEY}/settings`],
  ] as const) {
    const backend = await startBackend(t);
    const postern = await startPostern(t, {
      config: { log: { requests: 'all' }, apis: { integration: { upstream: backend.url, preset } } },
      keys: [{ id: 'web', type: 'write-only', secret: KEY }],
    });
    const { status } = await sendRaw(postern.port, `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    t.equal(status, 204, 'no credential is needed');
    t.equal(backend.requests[0]?.url, target);
    t.match(postern.lines.at(-1), { path: target.replace(KEY, preset === 'segment' ? ':writeKey' : ':token') });
    t.notOk(postern.logText().includes(KEY));
  }
});
