import t from 'tap';
import { SERVER_KEY, SERVER_SECRET, startFlow, WEB_SECRET, WEB_KEY, written, codeOf } from '../support/flow.ts';

t.test('in front of a legacy API nothing is refused for its credential, which is left alone', async (t) => {
  const { raw, backend, postern } = await startFlow(t, {
    api: { enforcement: 'report', authorization: 'Bearer of-the-upstream' },
    keys: [SERVER_KEY, { ...WEB_KEY, allowFrom: [] }],
  });
  const legacy = ['Authorization: Basic bGVnYWN5OnB3'];
  t.equal((await raw(written({ secret: null, fields: legacy, body: 'x' }))).status, 204);
  t.match(backend.requests[0]?.headers, {
    authorization: 'Basic bGVnYWN5OnB3',
    'postern-key-id': undefined,
    'x-forwarded-for': '127.0.0.1',
  });
  t.match(postern.lines.at(-1), {
    msg: 'would_reject',
    reason: 'missing_credential',
    keyId: '',
    mode: 'report',
    clientIp: '127.0.0.1',
  });

  t.equal((await raw(written({ secret: 'legacy-secret-unknown-here', body: 'x' }))).status, 204);
  t.equal(backend.requests[1]?.headers.authorization, 'Bearer legacy-secret-unknown-here');
  t.match(postern.lines.at(-1), { reason: 'unknown', mode: 'report' });

  t.equal((await raw(written({ secret: WEB_SECRET, body: 'x' }))).status, 204);
  t.match(postern.lines.at(-1), { reason: 'ip_not_allowed', keyId: 'web', mode: 'report' });

  t.equal((await raw(written({ secret: SERVER_SECRET, body: 'x' }))).status, 204);
  t.match(backend.requests[3]?.headers, { authorization: `Bearer ${SERVER_SECRET}`, 'postern-key-id': 'server' });
  t.equal(postern.lines.filter(({ msg }) => msg === 'would_reject').length, 3);
  const reported = (key: string, reason: string) =>
    postern.metric(`postern_rejections_total{api="integration",key="${key}",reason="${reason}",mode="report"}`);
  t.same(
    await Promise.all([reported('', 'missing_credential'), reported('', 'unknown'), reported('web', 'ip_not_allowed')]),
    [1, 1, 1],
  );
  t.notMatch(postern.logText(), /legacy-secret|bGVnYWN5/);
});

t.test('what is no plain HTTP request to this API is refused in every mode', async (t) => {
  const { raw, backend } = await startFlow(t, { api: { enforcement: 'report' } });
  t.equal(codeOf(await raw(written({ target: '/a/../b', body: 'x' }))), 'ambiguous_path');
  t.equal(codeOf(await raw(written({ fields: ['Transfer-Encoding: chunked'], body: 'x' }))), 'malformed_request');
  t.equal(backend.requests.length, 0);
  t.equal((await raw(written({ target: '/metrics', body: 'x' }))).status, 204, 'which is special nowhere behind it');
});
