import t from 'tap';
import { EVENTS_SECRET, SERVER_SECRET, startFlow, WEB_SECRET, written } from '../support/flow.ts';

const FIELDS = [
  'level',
  'time',
  'msg',
  'requestId',
  'api',
  'keyId',
  'reason',
  'status',
  'clientIp',
  'method',
  'path',
  'removedEvents',
  'mode',
];

t.test('one line a refusal, with exactly these fields', async (t) => {
  const { raw, postern } = await startFlow(t);
  const answer = await raw(
    written({ secret: WEB_SECRET, method: 'PUT', target: '/pro%66ile/u1?a=b', fields: ['X-Request-Id: r-1'] }),
  );
  t.equal(answer.status, 403);
  const line = postern.lines.at(-1) ?? {};
  t.same(Object.keys(line), FIELDS);
  t.match(line['time'], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  t.match(line, {
    level: 'info',
    msg: 'rejected',
    requestId: 'r-1',
    api: 'integration',
    keyId: 'web',
    reason: 'method_not_allowed',
    status: 403,
    clientIp: '127.0.0.1',
    method: 'PUT',
    path: '/profile/u1',
    removedEvents: 0,
    mode: 'enforce',
  });
  const before = postern.lines.length;
  await raw(written({ body: '{}' }));
  t.equal(postern.lines.length, before, 'what passes has no line');
});

t.test('no secret, token, query or body is ever logged, at any level', async (t) => {
  const MARK = 'MARKED';
  const { raw, postern } = await startFlow(t, {
    log: { level: 'debug', requests: 'all' },
    api: { authorization: `Bearer ${MARK}-of-the-upstream` },
    keys: [
      { id: 'server', type: 'read-write', secret: `${MARK}-secret-of-the-server` },
      { id: 'events', type: 'write-only', secret: EVENTS_SECRET, allowedEvents: ['login'], allowedOrigins: [] },
      {
        id: 'report',
        type: 'write-only',
        secret: `${MARK}-secret-in-report-mode`,
        allowedEvents: ['login'],
        mode: 'report',
      },
    ],
  });
  const target = `/event/ingest?api_key=${MARK}&_method=${MARK}`;
  const body = `{"name":"${MARK}","x":"${MARK}"}`;
  const fields = [`Cookie: ${MARK}`, `X-Api-Key: ${MARK}`];
  const requests = [
    { target, fields, body, secret: `${MARK}-secret-of-the-server` },
    { target, fields, body, secret: `${MARK}-unknown-secret` },
    { target, fields, body, secret: EVENTS_SECRET },
    { target: `/event/ingest?x=${MARK}`, fields, body, secret: EVENTS_SECRET },
    { target: `/event/ingest?x=${MARK}`, fields, body: `{"${MARK}`, secret: EVENTS_SECRET },
    { target, fields: [...fields, `Origin: https://${MARK}.example`], body, secret: EVENTS_SECRET },
    { target, fields, body, secret: `${MARK}-secret-in-report-mode` },
    { target: `/a/../b?${MARK}`, fields, body, secret: null },
    { target, fields: [...fields, `Authorization: Bearer ${MARK}`], body, secret: SERVER_SECRET },
    { target, fields: [...fields, `Content-Type: ${MARK}`], body, secret: EVENTS_SECRET },
  ];
  for (const request of requests) await raw(written(request));
  await raw(`POST /x?${MARK} HTTP/1.1\r\nHost: ${MARK}\r\nX:\x01${MARK}\r\n\r\n`, { untilClose: true });
  await raw(`${MARK} / HTTP/1.1\r\n\r\n`, { untilClose: true });
  t.ok(postern.lines.length > requests.length);
  t.notMatch(postern.logText(), MARK);
  t.notMatch(await (await fetch(`${postern.adminUrl}/metrics`)).text(), MARK);
});

t.test('client text cannot forge a line', async (t) => {
  const { raw, postern } = await startFlow(t);
  await raw(written({ secret: null, target: '/%22,%22keyId%22:%22x%22', fields: ['X-Request-Id: a","keyId":"x'] }));
  t.equal(postern.logText().trimEnd().split('\n').length, postern.lines.length);
  t.match(postern.lines.at(-1), { keyId: '', path: '/%22,%22keyId%22:%22x%22' });
});

t.test('a line says what was refused, by whom it came and to which trace it belongs', async (t) => {
  const { raw, postern } = await startFlow(t, { log: { requests: 'all' } });
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const fields = ['User-Agent: curl/8.5 "x"', `Traceparent: 00-${trace}-00f067aa0ba902b7-01`];
  await raw(written({ secret: EVENTS_SECRET, fields, body: '{"name":"rogue"}' }));
  t.match(postern.lines.at(-1), {
    reason: 'event_not_allowed',
    events: ['rogue'],
    userAgent: 'curl/8.5 "x"',
    traceId: trace,
    aborted: undefined,
  });
  const batch = JSON.stringify({ events: [{ name: 'login' }, { name: 'x'.repeat(80) }] });
  await raw(written({ secret: EVENTS_SECRET, target: '/event/ingest/batch', fields, body: batch }));
  t.match(postern.lines.at(-1), { msg: 'request', removedEvents: 1, events: ['x'.repeat(64)], traceId: trace });
  await raw(written({ fields: [`traceparent: 00-${trace}-00f067aa0ba902b7-01-more`], body: '{}' }));
  t.match(postern.lines.at(-1), { msg: 'request', traceId: undefined, userAgent: undefined, events: undefined });
});

t.test('every request line that could be read has its path in the line, without the query', async (t) => {
  const { raw, postern } = await startFlow(t);
  const pathOf = async (bytes: string | Buffer): Promise<unknown> => {
    await raw(bytes, { untilClose: true });
    return postern.lines.at(-1)?.['path'];
  };
  const closing = ['Connection: close'];
  t.equal(await pathOf(written({ target: '/a/../b?key=s3cret', fields: closing })), '/a/../b');
  t.equal(await pathOf(written({ target: '/%2e%2E/b', fields: closing })), '/%2e%2E/b');
  t.equal(await pathOf(written({ target: '/upload', fields: ['Transfer-Encoding: gzip'] })), '/upload');
  t.equal(await pathOf(written({ target: '/upload?a', fields: ['Host: b'] })), '/upload');
  t.equal(await pathOf(written({ target: 'http://user:s3cret@host/a?b' })), '/a');
  t.equal(await pathOf(written({ method: 'OPTIONS', target: '*' })), '*');
  t.equal(await pathOf(written({ target: `/${'a'.repeat(3000)}/../b`, fields: closing })), `/${'a'.repeat(1023)}…`);
});

t.test('bytes that are no request are written down and counted as any refusal', async (t) => {
  const { raw, postern } = await startFlow(t);
  t.equal((await raw('GET / HTTP/1.1\r\nno colon\r\n\r\n')).status, 400);
  t.match(postern.lines.at(-1), { msg: 'rejected', reason: 'malformed_request', api: '', clientIp: '127.0.0.1' });
  t.equal(await postern.metric('postern_rejections_total{api="",key="",reason="malformed_request",mode="enforce"}'), 1);
});
