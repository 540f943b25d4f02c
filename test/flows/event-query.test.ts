/** What a key limited to specific events may send beside the body, and what no key may send that may not use every method. */
import t from 'tap';
import {
  codeOf,
  EVENTS_KEY,
  EVENTS_SECRET,
  SERVER_KEY,
  SERVER_SECRET,
  startFlow,
  WEB_KEY,
  WEB_SECRET,
  written,
} from '../support/flow.ts';

const LOGIN = '{"name":"login"}';
const FORM = 'Content-Type: application/x-www-form-urlencoded';

t.test('beside events, the query holds listed parameters alone', async (t) => {
  const { raw, backend, postern } = await startFlow(t);
  const send = (secret: string, query: string, target = '/event/ingest') =>
    raw(written({ secret, target: `${target}${query}`, body: LOGIN }));
  for (const query of ['', '?', '?locationEnrichment=true', '?%6CocationEnrichment=false']) {
    t.equal((await send(EVENTS_SECRET, query)).status, 204, query);
    t.equal(backend.requests.at(-1)?.url, `/event/ingest${query}`, 'as it came');
  }
  const received = backend.requests.length;
  for (const query of [
    '?data=e30',
    '?name=attack',
    '?locationEnrichment=true&event=x',
    '?locationEnrichment=true;data=x',
    '?x',
    '?locationEnrichment=1&locationEnrichment=2',
    '?locationEnrichment[]=1',
    '?locationEnrichment%00data=1',
  ]) {
    const answer = await send(EVENTS_SECRET, query);
    t.same([answer.status, codeOf(answer)], [403, 'query_not_allowed'], query);
  }
  t.match(postern.lines.at(-1), { msg: 'rejected', reason: 'query_not_allowed', keyId: 'events' });
  t.equal(backend.requests.length, received);
  t.equal((await send(EVENTS_SECRET, '?a=b', '/profile')).status, 204, 'no events there');
  for (const secret of [WEB_SECRET, SERVER_SECRET]) t.equal((await send(secret, '?data=x')).status, 204, 'all events');
});

t.test('it is refused before the body is read, and in report mode not at all', async (t) => {
  const { raw } = await startFlow(t);
  const fields = ['Expect: 100-continue', 'Content-Length: 16'];
  const target = '/event/ingest?data=x';
  const answer = await raw(written({ secret: EVENTS_SECRET, target, fields }), { untilClose: true });
  t.notMatch(answer.text, '100 Continue');
  t.equal(codeOf(answer), 'query_not_allowed');
  const reporting = await startFlow(t, { keys: [{ ...EVENTS_KEY, mode: 'report' }] });
  t.equal((await reporting.raw(written({ secret: EVENTS_SECRET, target, body: LOGIN }))).status, 204);
  t.match(reporting.postern.lines.at(-1), { msg: 'would_reject', reason: 'query_not_allowed' });
});

t.test('a route lists its own parameters, and a credential in the query is one of them', async (t) => {
  const routes = [{ method: 'POST', path: '/track', events: 'name', query: ['ip', 'ver'] }];
  const api = { routes, credential: ['query:api_key'] };
  const { raw, backend } = await startFlow(t, { api });
  const send = (query: string) => raw(written({ secret: null, target: `/track?${query}`, body: LOGIN }));
  t.equal((await send(`ip=1&api_key=${EVENTS_SECRET}&ver=2`)).status, 204);
  t.equal(backend.requests[0]?.url, '/track?ip=1&ver=2');
  t.equal(codeOf(await send(`api_key=${EVENTS_SECRET}&locationEnrichment=true`)), 'query_not_allowed');
  for (const other of [
    'api.key=x',
    'API_KEY=x',
    'api%20key=x',
    'api[key=x',
    'api_key%00x=x',
    'api_key[]=x',
    '+api_key=x',
  ])
    t.same((await send(`api_key=${EVENTS_SECRET}&${other}`)).status, 400, other);
  t.equal(codeOf(await send(`api_key=${EVENTS_SECRET};api_key=x`)), 'malformed_request');
  t.equal(backend.requests.length, 1);
});

t.test('forms and methods in the query, from keys that may not use every method', async (t) => {
  const routes = [
    { method: 'POST', path: '/track', events: 'name' },
    { method: 'POST', path: '/profile' },
    { method: 'POST', path: '/upload', forms: true },
  ];
  const { raw, backend, postern } = await startFlow(t, { api: { routes } });
  const send = (secret: string, target: string, ...fields: readonly string[]) =>
    raw(written({ secret, target, fields, body: '_method=DELETE' }));
  for (const secret of [EVENTS_SECRET, WEB_SECRET])
    for (const target of ['/profile', '/track'])
      for (const type of [
        FORM,
        'Content-Type: multipart/form-data; boundary=x',
        `${FORM}+json`,
        'Content-Type: x, multipart/x',
      ]) {
        const answer = await send(secret, target, type);
        t.same([answer.status, codeOf(answer)], [415, 'unsupported_media_type'], `${target} ${type}`);
      }
  t.match(postern.lines.at(-1), { msg: 'rejected', reason: 'unsupported_media_type', keyId: 'web' });
  for (const secret of [EVENTS_SECRET, WEB_SECRET])
    t.equal(codeOf(await send(secret, '/profile?_method=DELETE')), 'method_not_allowed');
  t.equal(backend.requests.length, 0);
  for (const secret of [EVENTS_SECRET, WEB_SECRET, SERVER_SECRET])
    t.equal((await send(secret, '/upload', FORM)).status, 204, 'the route takes forms');
  t.equal((await send(SERVER_SECRET, '/profile?_method=DELETE', FORM)).status, 204, 'may use every method');
});

t.test('a body without a type is called what it was judged as', async (t) => {
  const { raw, backend } = await startFlow(t);
  const types = async (
    secret: string,
    target: string,
    ...fields: readonly string[]
  ): Promise<(string | undefined)[]> => {
    t.equal((await raw(written({ secret, target, fields, body: LOGIN }))).status, 204);
    const { rawHeaders = [] } = backend.requests.at(-1) ?? {};
    return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'content-type');
  };
  t.same(await types(EVENTS_SECRET, '/event/ingest'), ['application/json']);
  t.same(await types(EVENTS_SECRET, '/profile'), ['application/octet-stream']);
  t.same(
    await types(EVENTS_SECRET, '/profile', 'Content-Type:'),
    ['application/octet-stream'],
    'an empty field says nothing',
  );
  t.same(await types(WEB_SECRET, '/event/ingest'), ['application/json']);
  t.same(await types(WEB_SECRET, '/event/ingest', 'Content-Type: '), ['application/json']);
  t.same(await types(WEB_SECRET, '/elsewhere'), ['application/octet-stream']);
  t.same(await types(WEB_SECRET, '/elsewhere', 'Content-Type: text/x'), ['text/x']);
  t.same(await types(SERVER_SECRET, '/event/ingest'), [], 'may send forms');
  const report = await startFlow(t, {
    keys: [SERVER_KEY, { ...WEB_KEY, mode: 'report' }, { ...EVENTS_KEY, mode: 'report' }],
  });
  for (const secret of [WEB_SECRET, EVENTS_SECRET]) {
    t.equal((await report.raw(written({ secret, body: LOGIN }))).status, 204);
    t.equal(report.backend.requests.at(-1)?.headers['content-type'], undefined, 'report mode changes nothing');
  }
});
