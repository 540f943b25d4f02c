import t from 'tap';
import { codeOf, EVENTS_KEY, EVENTS_SECRET, startFlow, WEB_SECRET, written } from '../support/flow.ts';

t.test('a single event passes by its exact name, as the very bytes received', async (t) => {
  const { raw, backend } = await startFlow(t);
  const send = (body: string | Buffer) => raw(written({ secret: EVENTS_SECRET, body }));
  const kept = [
    '{"name":"login"}',
    '\n{ "n" : 1.0, "big":12345678901234567890, "e":1e400, "z":-0, "name"\t:\r\n"view" ,"x":{"name":"other"}}  ',
    '{"name":"lo\\u0067in","a":1,"a":2}',
    '{"properties":{"Name":"x","name":"y"},"name":"login"}',
  ];
  for (const body of kept) {
    t.equal((await send(body)).status, 204, body);
    t.equal(backend.requests.at(-1)?.body.toString(), body);
    t.equal(backend.requests.at(-1)?.headers['content-length'], String(Buffer.byteLength(body)));
  }
  t.equal(backend.requests.length, kept.length);
});

t.test('everything else is refused, and nothing of it reaches the backend', async (t) => {
  const { raw, backend, postern } = await startFlow(t, {
    keys: [EVENTS_KEY, { ...EVENTS_KEY, id: 'none', secret: 'secret-of-a-key-without', allowedEvents: [] }],
  });
  const send = (body: string | Buffer, secret = EVENTS_SECRET) => raw(written({ secret, body }));
  const cases: Readonly<Record<string, readonly (string | Buffer)[]>> = {
    'event_not_allowed 403': [
      '{"name":"other"}',
      '{"name":"Login"}',
      '{"name":"login "}',
      '{"name":""}',
      '{}',
      '{"name":null}',
      '{"name":1}',
      '{"name":["login"]}',
      '{"event":"login"}',
      '{"name":"log\\u0131n"}',
    ],
    'ambiguous_body 400': [
      '{"name":"login","name":"login"}',
      '{"name":"login","Name":"other"}',
      '{"NAME":"login"}',
      '{"name":"login","n\\u0061me":"x"}',
    ],
    'invalid_event_body 400': ['[]', '"login"', 'null', '0', '[{"name":"login"}]'],
    'invalid_json 400': [
      '',
      ' ',
      '{',
      '{"name":"login"',
      '{"name":"login"}{}',
      '{"name":"login"} x',
      "{'name':'login'}",
      '{"name":"login",}',
      '{"name":NaN}',
      '\ufeff{"name":"login"}',
      Buffer.from('{"name":"login"}', 'utf16le'),
      Buffer.from('{"name":"login","x":"\xff"}', 'latin1'),
      `{"name":"login","x":${'['.repeat(70)}${']'.repeat(70)}}`,
      '['.repeat(100_000),
    ],
  };
  for (const [verdict, bodies] of Object.entries(cases))
    for (const body of bodies) {
      const answer = await send(body);
      t.equal(`${codeOf(answer)} ${answer.status}`, verdict, body.toString().slice(0, 60));
    }
  t.equal(codeOf(await send('{"name":"login"}', 'secret-of-a-key-without')), 'event_not_allowed');
  t.equal(backend.requests.length, 0);
  t.equal(await postern.metric('postern_events_total{key="events",outcome="rejected"}'), 10);
  t.equal(await postern.metric('postern_events_total{key="events",outcome="forwarded"}'), 0);
});

t.test('a key for all events sends what it likes', async (t) => {
  const { raw, backend } = await startFlow(t);
  for (const body of ['{"name":"a","name":"b"}', 'no json', '{'])
    t.equal((await raw(written({ secret: WEB_SECRET, body }))).status, 204);
  t.same(
    backend.requests.map(({ body }) => body.toString()),
    ['{"name":"a","name":"b"}', 'no json', '{'],
  );
});

t.test('the media type is judged before the body is read', async (t) => {
  const { raw, backend } = await startFlow(t);
  const send = (...fields: readonly string[]) =>
    raw(written({ secret: EVENTS_SECRET, fields, body: '{"name":"login"}' }));
  const admitted = [
    'application/json',
    'application/vnd.api+json; charset=UTF-8',
    'text/plain;charset=utf-8',
    'APPLICATION/JSON',
  ];
  for (const type of admitted) t.equal((await send(`Content-Type: ${type}`)).status, 204, type);
  for (const type of ['application/x-www-form-urlencoded', 'text/html', 'application/json; charset=utf-16', 'json', ''])
    t.match(await send(`Content-Type: ${type}`), { status: 415, body: /unsupported_media_type/ }, type);
  for (const coding of ['compress', 'gzip, gzip', 'gzip, identity', 'x'])
    t.match(await send(`Content-Encoding: ${coding}`), { status: 415, body: /unsupported_encoding/ }, coding);
  t.match(await send('Content-Encoding: identity', 'Content-Encoding: identity'), { status: 415 });
  t.equal((await send('Content-Encoding: identity')).status, 204);
  t.equal(backend.requests.length, admitted.length + 1);
});
