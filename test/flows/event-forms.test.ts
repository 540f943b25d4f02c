/** Bodies that hold their events in a form, in base64 or in gzip that nobody told of: what a limited key may send so, and how it goes on. */
import { gunzipSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { codeOf, EVENTS_SECRET, startFlow, WEB_SECRET, written } from '../support/flow.ts';

const FORM = 'Content-Type: application/x-www-form-urlencoded';
const TEXT = 'Content-Type: text/plain';
const JSON_TYPE = 'Content-Type: application/json';
const LOGIN = '{"event":"login"}';
const OTHER = '{"event":"attack"}';
const routes = [
  { method: 'POST', path: '/t', events: ['[].event', 'event'], form: 'data', gzip: true, query: ['ip', 'c=gzip'] },
  { method: 'POST', path: '/plain', events: ['[].event', 'event'] },
  { method: 'POST', path: '/free', form: 'data' },
];

const inBase64 = (text: string | Buffer): string => encodeURIComponent(Buffer.from(text).toString('base64'));

t.test('a form, whatever it is called, is judged and goes on as it came or as it was written', async (t) => {
  const { raw, backend } = await startFlow(t, { api: { routes } });
  const send = (body: string | Buffer, type: string, target = '/t') =>
    raw(written({ secret: EVENTS_SECRET, target, fields: [type], body }));
  for (const type of [FORM, TEXT, `${FORM}; charset=UTF-8`])
    for (const value of [encodeURIComponent(LOGIN), inBase64(LOGIN), inBase64(`[${LOGIN}]`)]) {
      const body = `ip=1&data=${value}`;
      t.equal((await send(body, type)).status, 204, `${type} ${body}`);
      t.match(backend.requests.at(-1), { headers: { 'content-type': type.slice('Content-Type: '.length) } });
      t.equal(backend.requests.at(-1)?.body.toString(), body, 'as it came');
    }
  const answer = await send(`data=${inBase64(`[${OTHER},${LOGIN}]`)}&ip=1`, FORM);
  t.equal(answer.status, 204);
  t.match(answer.text, /Postern-Removed-Events: 1/);
  t.equal(backend.requests.at(-1)?.body.toString(), `data=${inBase64(`[${LOGIN}]`)}&ip=1`);
  t.equal(backend.requests.at(-1)?.headers['content-length'], String(backend.requests.at(-1)?.body.length));
  t.equal((await send(`data=${encodeURIComponent(`[${LOGIN},${OTHER}]`)}`, FORM)).status, 204);
  t.equal(backend.requests.at(-1)?.body.toString(), `data=${encodeURIComponent(`[${LOGIN}]`)}`);
});

t.test('JSON that is called a form goes on as what it was judged as', async (t) => {
  const { raw, backend } = await startFlow(t, { api: { routes } });
  for (const type of [FORM, TEXT, JSON_TYPE]) {
    const answer = await raw(written({ secret: EVENTS_SECRET, target: '/t', fields: [type], body: LOGIN }));
    t.equal(answer.status, 204, type);
    t.equal(backend.requests.at(-1)?.headers['content-type'], 'application/json');
    t.equal(backend.requests.at(-1)?.body.toString(), LOGIN);
  }
  t.equal((await raw(written({ secret: EVENTS_SECRET, target: '/plain', fields: [TEXT], body: LOGIN }))).status, 204);
  t.equal(backend.requests.at(-1)?.headers['content-type'], 'text/plain', 'no forms there');
});

t.test('gzip without a word, and with one', async (t) => {
  const { raw, backend } = await startFlow(t, { api: { routes } });
  const send = (body: Buffer, fields: readonly string[], target = '/t') =>
    raw(written({ secret: EVENTS_SECRET, target, fields, body }));
  const login = gzipSync(`[${LOGIN}]`);
  t.equal((await send(login, [TEXT], '/t?c=gzip')).status, 204);
  t.ok(backend.requests.at(-1)?.body.equals(login), 'as it came');
  t.equal((await send(gzipSync(`[${OTHER},${LOGIN}]`), [TEXT])).status, 204);
  t.equal(gunzipSync(backend.requests.at(-1)?.body ?? '').toString(), `[${LOGIN}]`);
  t.equal((await send(gzipSync(LOGIN), [JSON_TYPE, 'Content-Encoding: gzip'])).status, 204);
  t.equal(backend.requests.at(-1)?.body.toString(), LOGIN, 'what is declared goes on decoded');
  const received = backend.requests.length;
  for (const [body, fields, code] of [
    [gzipSync(OTHER), [TEXT], 'event_not_allowed'],
    [gzipSync(login), [TEXT], 'invalid_json'],
    [gzipSync(login), [TEXT, 'Content-Encoding: gzip'], 'invalid_json'],
    [Buffer.concat([login, login]), [TEXT], 'invalid_json'],
    [Buffer.concat([login, gzipSync(OTHER)]), [TEXT], 'invalid_json'],
    [login, [FORM], 'invalid_event_body'],
    [gzipSync(`"${'x'.repeat(2_000_000)}"`), [TEXT], 'body_too_large'],
  ] as const)
    t.equal(codeOf(await send(body, fields)), code, `${code} ${fields.join()}`);
  t.equal(codeOf(await send(login, [TEXT], '/plain')), 'invalid_json');
  t.equal(backend.requests.length, received);
});

t.test('what a route that takes forms does not take', async (t) => {
  const { raw, backend } = await startFlow(t, { api: { routes } });
  const send = (body: string, type: string, target = '/t', secret = EVENTS_SECRET) =>
    raw(written({ secret, target, fields: [type], body }));
  const good = `data=${inBase64(LOGIN)}`;
  for (const body of [`data=${inBase64(OTHER)}`, `data=${encodeURIComponent(OTHER)}`])
    t.equal(codeOf(await send(body, FORM)), 'event_not_allowed', body);
  for (const body of [
    `${good}&${good}`,
    `${good}&event=attack`,
    `${good}&_method=PUT`,
    `${good}&data[]=x`,
    'x=1',
    LOGIN.slice(1),
  ])
    t.equal(codeOf(await send(body, FORM)), 'invalid_event_body', body);
  for (const type of [
    'multipart/form-data; boundary=x',
    `${FORM}; charset=latin1`,
    `${FORM}+json`,
    `${FORM}, text/plain`,
  ])
    for (const secret of [EVENTS_SECRET, WEB_SECRET])
      t.equal(
        codeOf(await send(good, type.startsWith('C') ? type : `Content-Type: ${type}`, '/t', secret)),
        'unsupported_media_type',
        type,
      );
  t.equal(codeOf(await send(good, FORM, '/plain')), 'unsupported_media_type');
  t.equal(codeOf(await send(good, JSON_TYPE)), 'invalid_json');
  t.equal(codeOf(await send(good, FORM, '/t?c=base64')), 'query_not_allowed');
  t.equal(backend.requests.length, 0);
  for (const target of ['/t', '/free'])
    t.equal((await send('x=1', FORM, target, WEB_SECRET)).status, 204, 'all events');
  t.equal((await send('x=1', FORM, '/free')).status, 204, 'no events there');
});
