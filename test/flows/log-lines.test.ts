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
