import t from 'tap';
import { codeOf, SERVER_KEY, SERVER_SECRET, startFlow, WEB_SECRET, WEB_KEY, written } from '../support/flow.ts';
import { rawBackend, RawClient } from '../support/upstream.ts';

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

t.test('/metrics is special nowhere behind it', async (t) => {
  const { raw } = await startFlow(t, { api: { enforcement: 'report' } });
  t.equal((await raw(written({ target: '/metrics', body: 'x' }))).status, 204);
});

t.test(
  'where an API serves all, every path goes to its backend byte for byte, and is judged anew each time',
  async (t) => {
    const { postern, backend } = await startFlow(t, { api: { enforcement: 'report' } });
    const client = new RawClient(t, postern.port);
    const targets = [
      '/%00',
      '/%ff//',
      '/a%',
      '//host/a',
      '/a/../../..',
      '/a//b?x=//..&y',
      '/a//b?x=//..&y',
      '/a//b?x=//..&y',
    ];
    for (const [i, target] of targets.entries()) {
      client.write(written({ method: 'GET', target, fields: [`X-Request-Id: n-${i}-n`] }).toString());
      await client.until(`n-${i}-n`);
    }
    t.same(
      backend.requests.map(({ url }) => url),
      targets,
    );
    t.same(
      postern.lines.filter(({ msg }) => msg === 'would_reject').map(({ reason, path }) => [reason, path]),
      targets.map((target) => ['ambiguous_path', target.split('?')[0]]),
    );
  },
);

t.test('a preflight is the backend\u2019s to answer, also one that enforcement would answer itself', async (t) => {
  const { raw, backend, postern } = await startFlow(t, {
    api: { enforcement: 'report' },
    respond: (_req, res) => res.writeHead(204, { 'Access-Control-Allow-Origin': 'https://of.the.backend' }).end(),
  });
  const asked = written({
    method: 'OPTIONS',
    secret: null,
    fields: ['Origin: https://a.example', 'Access-Control-Request-Method: POST'],
  });
  t.equal((await raw(asked)).headers['access-control-allow-origin'], 'https://of.the.backend');
  t.equal(backend.requests[0]?.method, 'OPTIONS');
  t.equal(postern.lines.filter(({ msg }) => msg === 'would_reject').length, 0, 'nothing would have been refused');
  const answer = await raw(written({ secret: WEB_SECRET, fields: ['Origin: https://a.example'], body: '{}' }));
  t.equal(answer.headers['access-control-allow-origin'], 'https://of.the.backend', 'nor are its fields replaced');
});

t.test('a body that is too large to look for a credential in it streams, as it came', async (t) => {
  const { raw, backend, postern } = await startFlow(t, {
    api: { enforcement: 'report', credential: ['body:api_key'], maxBodyBytes: 1000 },
  });
  const body = `{"x":"${'x'.repeat(70_000)}","api_key":"${SERVER_SECRET}"}`;
  const head = written({ secret: null, fields: ['Transfer-Encoding: chunked'] });
  for (const bytes of [
    written({ secret: null, body }),
    Buffer.concat([head, Buffer.from(`${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`)]),
  ]) {
    t.equal((await raw(bytes)).status, 204);
    t.equal(backend.requests.at(-1)?.body.toString(), body);
    t.match(postern.lines.at(-1), { msg: 'would_reject', reason: 'body_too_large' });
  }
});

t.test('HTTP/1.0 without Host passes where no Host is asked for', async (t) => {
  const { raw, backend, postern } = await startFlow(t, { api: { enforcement: 'report' } });
  t.equal((await raw('GET /health HTTP/1.0\r\n\r\n')).status, 204);
  t.match(backend.requests[0], { url: '/health', headers: { 'x-forwarded-host': undefined } });
  t.match(postern.lines.at(-1), { msg: 'would_reject', reason: 'malformed_request' });
  t.equal(codeOf(await raw('GET /health HTTP/1.1\r\n\r\n')), 'malformed_request');
});

t.test('a header section may be as long as listen.maxHeaderBytes says', async (t) => {
  let seen = '';
  const backend = await rawBackend(t, (socket) => {
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString('latin1');
      if (seen.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    });
  });
  const { raw } = await startFlow(t, {
    api: { enforcement: 'report', upstream: backend.url },
    listen: { maxHeaderBytes: 32_768 },
  });
  const cookie = `Cookie: session=${'c'.repeat(20_000)}`;
  t.equal((await raw(written({ fields: [cookie] }))).status, 204);
  t.ok(seen.includes(`\r\n${cookie}\r\n`));
  t.equal((await raw(written({ fields: [cookie, cookie] }))).status, 431);
});
