import { gzipSync } from 'node:zlib';
import t from 'tap';
import { codeOf, EVENTS_SECRET, SERVER_SECRET, startFlow, WEB_SECRET, written } from '../support/flow.ts';
import { RawClient } from '../support/upstream.ts';

const IN_BODY = { credential: ['bearer', 'header:x-api-key', 'body:api_key'] };
const LITERAL = { ...IN_BODY, authorization: 'of-the-upstream' };

/** A request without Authorization. */
const posted = (body: string | Buffer, fields: readonly string[] = [], target = '/event/ingest'): Buffer =>
  written({ secret: null, body, fields, target });

const withKey = (secret: string, rest = ''): string => `{"api_key":${JSON.stringify(secret)}${rest}}`;

t.test('a key in the body is found and taken out, and every other byte stays', async (t) => {
  const { raw, backend } = await startFlow(t, { api: IN_BODY });
  const fields = ['Content-Type: text/plain', 'Content-MD5: x', 'Digest: x', 'X-Other: y'];
  const body = `{ "n": 1.0e2,\n  "api_key": "${SERVER_SECRET}" , "n": "\\u00e4\u20ac" }`;
  t.equal((await raw(posted(body, fields))).status, 204);
  const [request] = backend.requests;
  t.equal(request?.body.toString(), '{ "n": 1.0e2, "n": "\\u00e4\u20ac" }');
  t.equal(request?.headers['content-length'], String(request?.body.length));
  t.match(request?.headers, { 'content-type': 'text/plain', 'x-other': 'y', 'postern-key-id': 'server' });
  for (const name of ['digest', 'content-md5', 'authorization']) t.equal(request?.headers[name], undefined, name);
});

t.test('a literal takes its place, and goes nowhere else', async (t) => {
  const { raw, backend } = await startFlow(t, { api: LITERAL });
  t.equal((await raw(posted(withKey(SERVER_SECRET, ',"name":"x"')))).status, 204);
  t.equal(backend.requests[0]?.body.toString(), '{"api_key":"of-the-upstream","name":"x"}');
  t.equal(backend.requests[0]?.headers.authorization, undefined);
  t.equal((await raw(written({ body: '{"name":"x"}' }))).status, 204);
  t.equal(backend.requests[1]?.body.toString(), '{"name":"x"}', 'not where there was none');
  t.equal(backend.requests[1]?.headers.authorization, 'of-the-upstream');
});

t.test('`pass` leaves it where it is, in the text that was judged', async (t) => {
  const { raw, backend } = await startFlow(t, { api: { ...IN_BODY, authorization: 'pass' } });
  const text = withKey(SERVER_SECRET);
  t.equal((await raw(posted(gzipSync(text), ['Content-Encoding: gzip', 'Digest: x']))).status, 204);
  t.equal(backend.requests[0]?.body.toString(), text);
  t.match(backend.requests[0]?.headers, {
    'content-encoding': undefined,
    digest: undefined,
    'postern-key-id': 'server',
  });
  t.equal((await raw(posted(text, ['Digest: x']))).status, 204);
  t.match(
    backend.requests[1]?.headers,
    { digest: 'x', 'content-type': 'application/json' },
    'judged as JSON, called so',
  );
});

t.test('an API in report mode gets the body as it came', async (t) => {
  const { raw, backend } = await startFlow(t, { api: { ...LITERAL, enforcement: 'report' } });
  const body = gzipSync(withKey(SERVER_SECRET));
  t.equal((await raw(posted(body, ['Content-Encoding: gzip', 'Digest: x']))).status, 204);
  t.same(backend.requests[0]?.body, body);
  t.match(backend.requests[0]?.headers, { 'content-encoding': 'gzip', digest: 'x', 'content-type': undefined });
});

t.test('a coded body without a key in it goes decoded, since it was judged so', async (t) => {
  const { raw, backend } = await startFlow(t, { api: IN_BODY });
  t.equal((await raw(written({ body: gzipSync('{"a":1}'), fields: ['Content-Encoding: gzip'] }))).status, 204);
  t.equal(backend.requests[0]?.body.toString(), '{"a":1}');
  t.equal(backend.requests[0]?.headers['content-encoding'], undefined);
});

t.test('a coded body is decoded, and goes on without its coding', async (t) => {
  const { raw, backend } = await startFlow(t, { api: IN_BODY });
  const body = gzipSync(withKey(SERVER_SECRET, ',"a":1'));
  t.equal((await raw(posted(body, ['Content-Encoding: gzip']))).status, 204);
  t.equal(backend.requests[0]?.body.toString(), '{"a":1}');
  t.equal(backend.requests[0]?.headers['content-encoding'], undefined);
});

t.test('a chunked body is looked into as well', async (t) => {
  const { raw, backend } = await startFlow(t, { api: IN_BODY });
  const head = 'POST /profile HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  const body = withKey(SERVER_SECRET);
  t.equal((await raw(`${head}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`)).status, 204);
  t.equal(backend.requests[0]?.body.toString(), '{}');
  t.same([codeOf(await raw(`${head}0\r\n\r\n`)), backend.requests.length], ['missing_credential', 1]);
});

t.test('what holds no key, or holds it in two ways, is refused', async (t) => {
  const { raw, backend, postern } = await startFlow(t, { api: { ...IN_BODY, maxBodyBytes: 2000 } });
  const cases: readonly (readonly [string, number, Buffer])[] = [
    ['missing_credential', 401, posted('{}')],
    ['missing_credential', 401, posted(`[${withKey(SERVER_SECRET)}]`)],
    ['missing_credential', 401, posted(`{"a":${withKey(SERVER_SECRET)}}`)],
    ['missing_credential', 401, posted('{"api_key":12345}')],
    ['missing_credential', 401, posted('{"api_key":null}')],
    ['missing_credential', 401, posted('{"api_key":""}')],
    ['missing_credential', 401, written({ secret: null, method: 'GET', target: '/profile/1' })],
    ['invalid_credential', 401, posted(withKey('no-such-secret-anywhere'))],
    ['invalid_credential', 401, posted(withKey(`${SERVER_SECRET} `))],
    ['ambiguous_body', 400, posted(`{"api_key":"${SERVER_SECRET}","api_key":"${SERVER_SECRET}"}`)],
    ['ambiguous_body', 400, posted(withKey(SERVER_SECRET, ',"API_KEY":"x"'))],
    ['ambiguous_body', 400, posted(withKey(SERVER_SECRET, ',"__proto__":{"api_key":"x"}'))],
    ['invalid_json', 400, posted(`${withKey(SERVER_SECRET)}x`)],
    ['invalid_json', 400, posted('\ufeff{}')],
    ['invalid_json', 400, posted('not gzip', ['Content-Encoding: gzip'])],
    [
      'unsupported_media_type',
      415,
      posted(`api_key=${SERVER_SECRET}`, ['Content-Type: application/x-www-form-urlencoded']),
    ],
    ['unsupported_encoding', 415, posted(withKey(SERVER_SECRET), ['Content-Encoding: gzip, gzip'])],
    ['body_too_large', 413, posted(withKey(SERVER_SECRET, ` ${' '.repeat(2000)}`))],
    ['body_too_large', 413, posted(gzipSync(withKey(SERVER_SECRET, ' '.repeat(2000))), ['Content-Encoding: gzip'])],
  ];
  for (const [code, status, bytes] of cases) {
    const answer = await raw(bytes);
    t.same([codeOf(answer), answer.status], [code, status], bytes.toString().slice(-90));
  }
  t.equal(backend.requests.length, 0);
  t.notMatch(postern.logText(), SERVER_SECRET);
});

t.test('a key elsewhere does not hide another one in the body', async (t) => {
  for (const authorization of ['strip', 'pass', 'of-the-upstream']) {
    const { raw, backend } = await startFlow(t, { api: { ...IN_BODY, authorization } });
    const cases: readonly (readonly [string, Buffer])[] = [
      ['invalid_credential', written({ body: withKey(WEB_SECRET) })],
      ['invalid_credential', written({ body: withKey('the-master-key') })],
      ['invalid_credential', written({ body: '{"api_key":12345}' })],
      ['invalid_credential', posted(withKey(WEB_SECRET), [`X-API-Key: ${SERVER_SECRET}`])],
      ['ambiguous_body', written({ body: '{"Api_Key":"the-master-key"}' })],
      ['ambiguous_body', written({ body: '{"__proto__":{"api_key":"the-master-key"}}' })],
      ['invalid_json', written({ body: "{'api_key':'the-master-key'}" })],
      ['unsupported_media_type', written({ body: '{}', fields: ['Content-Type: text/html'] })],
    ];
    for (const [code, bytes] of cases) t.equal(codeOf(await raw(bytes)), code, bytes.toString().slice(-90));
    t.equal(backend.requests.length, 0, authorization);
    t.equal((await raw(written({ body: withKey(SERVER_SECRET) }))).status, 204, 'the same key in both places');
    t.equal((await raw(written({ body: '[1]' }))).status, 204, 'no place for a key');
    t.equal((await raw(written({ method: 'GET', target: '/profile/1' }))).status, 204, 'no body');
    t.equal(backend.requests[1]?.body.toString(), '[1]');
  }
});

t.test('events are judged in what the backend gets', async (t) => {
  const { raw, backend } = await startFlow(t, { api: LITERAL });
  t.equal((await raw(posted(withKey(EVENTS_SECRET, ',"name":"login"')))).status, 204);
  t.equal(codeOf(await raw(posted(withKey(EVENTS_SECRET, ',"name":"pay"')))), 'event_not_allowed');
  const batch = withKey(EVENTS_SECRET, ',"events":[{"name":"pay"},{"name":"view"}]');
  const answer = await raw(posted(gzipSync(batch), ['Content-Encoding: gzip'], '/event/ingest/batch'));
  t.match(answer, { status: 204, headers: { 'postern-removed-events': '1' } });
  t.same(
    backend.requests.map(({ body }) => body.toString()),
    ['{"api_key":"of-the-upstream","name":"login"}', '{"api_key":"of-the-upstream","events":[{"name":"view"}]}'],
  );
});

t.test('report mode of the key reports events, but its secret does not reach the backend', async (t) => {
  const { raw, backend, postern } = await startFlow(t, {
    api: IN_BODY,
    keys: [{ id: 'trial', type: 'write-only', secret: EVENTS_SECRET, allowedEvents: ['view'], mode: 'report' }],
  });
  const batch = withKey(EVENTS_SECRET, ',"events":[{"name":"pay"},{"name":"view"}]');
  const answer = await raw(posted(batch, [], '/event/ingest/batch'));
  t.same([answer.status, answer.headers['postern-removed-events']], [204, undefined]);
  t.equal(backend.requests[0]?.body.toString(), '{"events":[{"name":"pay"},{"name":"view"}]}');
  t.match(postern.lines.at(-1), { msg: 'would_reject', keyId: 'trial', reason: 'event_not_allowed' });
  t.equal(codeOf(await raw(written({ secret: EVENTS_SECRET, body: withKey('other') }))), 'invalid_credential');
  t.equal(backend.requests.length, 1);
});

t.test('report mode of the API reports what it would refuse in the body, and passes it as it came', async (t) => {
  const { raw, backend, postern } = await startFlow(t, { api: { ...LITERAL, enforcement: 'report' } });
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ['missing_credential', posted('{}'), '{}'],
    ['unknown', posted(withKey('no-such-secret')), withKey('no-such-secret')],
    ['unknown', written({ body: withKey('no-such-secret') }), withKey('no-such-secret')],
    ['invalid_json', posted('{'), '{'],
    ['unsupported_media_type', posted('a=b', ['Content-Type: application/x-www-form-urlencoded']), 'a=b'],
  ];
  for (const [reason, bytes, body] of cases) {
    t.equal((await raw(bytes)).status, 204, reason);
    t.equal(backend.requests.at(-1)?.body.toString(), body);
    t.match(postern.lines.at(-1), { msg: 'would_reject', reason });
  }
});

t.test(
  '100 Continue comes before the body is read, once, and not before what needs no body to be refused',
  async (t) => {
    const { raw, postern } = await startFlow(t, { api: IN_BODY });
    for (const secret of [null, SERVER_SECRET]) {
      const body = withKey(SERVER_SECRET);
      const client = new RawClient(t, postern.port);
      client.write(written({ secret, fields: ['Expect: 100-continue', `Content-Length: ${body.length}`] }).toString());
      t.equal(await client.until('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n');
      client.write(body);
      t.match(await client.until('HTTP/1.1 204'), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 204/);
    }
    const expecting = (secret: string | null, ...fields: readonly string[]) =>
      raw(written({ secret, fields: ['Expect: 100-continue', 'Content-Length: 9', ...fields] }), { untilClose: true });
    for (const [code, answer] of [
      ['unsupported_media_type', await expecting(null, 'Content-Type: text/html')],
      ['invalid_credential', await expecting('no-such-secret')],
    ] as const) {
      t.notMatch(answer.text, '100 Continue');
      t.equal(codeOf(answer), code);
    }
  },
);

t.test('a client that leaves before its body is there is recorded as gone', async (t) => {
  const { postern, backend } = await startFlow(t, { api: IN_BODY });
  const client = new RawClient(t, postern.port);
  client.write(written({ secret: null, fields: ['Expect: 100-continue', 'Content-Length: 50'] }).toString());
  await client.until('100 Continue');
  client.socket.resetAndDestroy();
  const gone = 'postern_requests_total{api="integration",key="",status="499"}';
  while ((await postern.metric(gone)) === 0) await new Promise((resolve) => setImmediate(resolve));
  t.equal(await postern.metric('postern_requests_in_flight{api="integration"}'), 0);
  t.equal(backend.requests.length, 0);
});

t.test('a request that waits for its body counts as one under way', async (t) => {
  const { postern, raw } = await startFlow(t, { api: IN_BODY, listen: { maxRequestsInFlight: 1 } });
  const client = new RawClient(t, postern.port);
  client.write(written({ secret: null, fields: ['Expect: 100-continue', 'Content-Length: 50'] }).toString());
  await client.until('100 Continue');
  t.equal(codeOf(await raw(posted(withKey(SERVER_SECRET)))), 'overloaded');
  client.write(withKey(SERVER_SECRET).padEnd(50));
  await client.until('HTTP/1.1 204');
  t.equal(await postern.metric('postern_requests_in_flight{api="integration"}'), 0);
  t.equal((await raw(posted(withKey(SERVER_SECRET)))).status, 204);
});
