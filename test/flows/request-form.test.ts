import t from 'tap';
import { codeOf, SERVER_SECRET, startFlow, written, type WrittenRequest } from '../support/flow.ts';
import { setImmediate as immediate } from 'node:timers/promises';
import { RawClient } from '../support/upstream.ts';

const AUTH = `Authorization: Bearer ${SERVER_SECRET}\r\n`;
const get = (line: string, fields = `Host: a\r\n${AUTH}`): string => `${line}\r\n${fields}\r\n`;
const post = (fields: string, body: string): string => `POST / HTTP/1.1\r\nHost: a\r\n${AUTH}${fields}\r\n\r\n${body}`;

const CASES: Readonly<Record<string, readonly string[]>> = {
  malformed_request: [
    get('GET http://a/ HTTP/1.1'),
    get('OPTIONS * HTTP/1.1'),
    get('GET a HTTP/1.1'),
    get('GET /#x HTTP/1.1'),
    get('GET /a b HTTP/1.1'),
    get('GET /\xe9 HTTP/1.1'),
    get('GET / HTTP/1.1', AUTH),
    get('GET / HTTP/1.1', `Host: a\r\nHost: a\r\n${AUTH}`),
    get('GET / HTTP/1.1', `Host: a/b\r\n${AUTH}`),
    get('GET / HTTP/1.1', `Host: \r\n${AUTH}`),
    get('GET / HTTP/1.1', `Host: a\r\nX : b\r\n${AUTH}`),
    get('GET / HTTP/1.1', `Host: a\r\nX: b\r\n c\r\n${AUTH}`),
    get('GET / HTTP/1.1', `Host: a\r\nX: b\rc\r\n${AUTH}`),
    get('GET / HTTP/1.1', `Host: a\r\nX: b\0c\r\n${AUTH}`),
    get('GET / HTTP/1.1', `Host: a\nX: b\r\n${AUTH}`),
    get('GET / HTTP/1.1', `Host: a\r\nContent-Length: 1\r\n${AUTH}`) + 'x',
    get('GET / HTTP/1.1', `Host: a\r\nTransfer-Encoding: chunked\r\n${AUTH}`) + '0\r\n\r\n',
    post('Content-Type: a/b\r\nContent-Type: a/b\r\nContent-Length: 1', 'x'),
    post('Content-Length: 1\r\nContent-Length: 1', 'x'),
    post('Content-Length: 1, 1', 'x'),
    post('Content-Length: +1', 'x'),
    post('Content-Length: 0x1', 'x'),
    post('Content-Length: 1\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
    post('Transfer-Encoding: Chunked', '0\r\n\r\n'),
    post('Transfer-Encoding: chunked, gzip', '0\r\n\r\n'),
    post('Transfer_Encoding: chunked', ''),
    post('Transfer-Encoding: chunked', 'FFFFFFFFFFFFFFFF\r\nx'),
    post('Transfer-Encoding: chunked', '1\r\nxx\r\n0\r\n\r\n'),
    post('Transfer-Encoding: chunked', '1\nx\n0\n\n'),
    post('Transfer-Encoding: chunked', `1;${'x'.repeat(300)}\r\nx\r\n0\r\n\r\n`),
    post('Transfer-Encoding: chunked', '0x1\r\nx\r\n0\r\n\r\n'),
    post('Transfer-Encoding: chunked', '0\r\n\r\n').replace('HTTP/1.1', 'HTTP/1.0'),
  ],
  method_not_supported: [get('TRACE / HTTP/1.1'), get('CONNECT a:443 HTTP/1.1')],
  not_implemented: [
    get('GET / HTTP/1.1', `Host: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n${AUTH}`),
    get('GET / HTTP/1.1', `Host: a\r\nUpgrade: h2c, websocket\r\nConnection: upgrade\r\n${AUTH}`),
    get('get / HTTP/1.1'),
    get('INVENTED / HTTP/1.1'),
    post('Transfer-Encoding: gzip, chunked', '0\r\n\r\n'),
  ],
  version_not_supported: [get('GET / HTTP/2.0'), get('GET / HTTP/1.2'), get('GET / HTTP/3.0'), 'GET /\r\n\r\n'],
};

t.test('what is not one plain HTTP/1.x request is refused, closed, and goes no further', async (t) => {
  const { raw, backend, postern } = await startFlow(t);
  for (const [code, requests] of Object.entries(CASES))
    for (const bytes of requests) {
      const name = JSON.stringify(bytes.replace(AUTH, '').slice(0, 90));
      const answer = await raw(bytes, { untilClose: true });
      t.same([codeOf(answer), answer.closed], [code, true], name);
      t.match(answer.headers, { 'content-type': 'application/problem+json', connection: 'close', 'x-request-id': /./ });
      t.match(JSON.parse(answer.body), {
        type: 'about:blank',
        status: answer.status,
        requestId: answer.headers['x-request-id'],
      });
      t.match(postern.lines.at(-1), { reason: code, status: answer.status, clientIp: '127.0.0.1' });
    }
  t.equal(backend.requests.length, 0);
});

t.test('an offer of h2c is dropped with its fields, and the request goes on as HTTP/1.1', async (t) => {
  const { postern, backend } = await startFlow(t);
  const offer = `Host: a\r\n${AUTH}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n`;
  const client = new RawClient(t, postern.port);
  for (const [n, rest] of [
    `X-Request-Id: r-1\r\n\r\n`,
    `X-Request-Id: r-2\r\nContent-Length: 5\r\n\r\nhello`,
  ].entries()) {
    client.write(`POST /${n + 1} HTTP/1.1\r\n${offer}${rest}`);
    await client.until(`r-${n + 1}`);
  }
  // In pieces of which the last is but the end of the head's end.
  client.write(`GET /3 HTTP/1.1\r\n${offer}X-Request-Id: r-3\r\n\r`);
  while (client.socket.writableLength > 0) await immediate();
  client.write('\n');
  await client.until('r-3');
  // Node drops what comes behind it in its packet: it is the last of its connection then.
  client.write(`POST /4 HTTP/1.1\r\n${offer}Content-Length: 5\r\n\r\nhelloGET /lost HTTP/1.1\r\n${offer}\r\n`);
  client.write(`GET /lost HTTP/1.1\r\nHost: a\r\n${AUTH}\r\n`);
  await client.closed;
  t.match(client.text, /Connection: close[^]*$/);
  const second = new RawClient(t, postern.port);
  second.write(`GET /6 HTTP/1.1\r\n${offer}\r\nGET /lost HTTP/1.1\r\nHost: a\r\nX: `);
  await second.until('Connection: close');
  second.write(`GET /hidden HTTP/1.1\r\nHost: a\r\n${AUTH}\r\n`);
  await second.closed;
  t.same(
    backend.requests.map(({ url, body }) => [url, body.toString()]),
    [
      ['/1', ''],
      ['/2', 'hello'],
      ['/3', ''],
      ['/4', 'hello'],
      ['/6', ''],
    ],
  );
  for (const { rawHeaders } of backend.requests) t.notMatch(rawHeaders.join('\n'), /^(?:upgrade|http2-settings)$/im);
});

t.test('a body whose framing breaks late never looks whole to the backend', async (t) => {
  const { raw, backend } = await startFlow(t);
  const answer = await raw(post('Transfer-Encoding: chunked', `5\r\nfirst\r\n${'F'.repeat(20)}\r\nx`), {
    untilClose: true,
  });
  t.equal(answer.status, 400);
  t.equal(backend.requests.length, 0);
});

t.test('what is wrong with the form of a request is told before where it goes', async (t) => {
  const { raw, backend } = await startFlow(t);
  const forms: [string, WrittenRequest][] = [
    ['Authorization', { method: 'GET', fields: ['Authorization: Bearer another'] }],
    ['Content-Type', { fields: ['Content-Type: text/plain', 'Content-Type: application/json'], body: 'a' }],
    ['a body', { method: 'GET', body: 'a' }],
  ];
  for (const target of ['/a//b', '/a/../b', '/a%zz', '/metrics', '/metrics/a'])
    for (const [what, request] of forms) {
      const answer = await raw(written({ ...request, target }), { untilClose: true });
      t.same([answer.status, codeOf(answer)], [400, 'malformed_request'], `${what} ${target}`);
    }
  t.equal(codeOf(await raw('GET /metrics/a HTTP/1.0\r\n\r\n')), 'malformed_request', 'no Host');
  t.equal(backend.requests.length, 0);
});

t.test('a path that can be read in two ways is refused; its plain form is matched and forwarded', async (t) => {
  const { raw, backend } = await startFlow(t);
  const ambiguous = [
    '/a/../b',
    '/a/./b',
    '/a//b',
    '/a\\b',
    '/a;b',
    '/%2e%2e/b',
    '/a%2fb',
    '/a%5cb',
    '/a%00',
    '/a%',
    '/a%zz',
    '/%ff',
    '/a.',
    '/a%20',
    '/a%252e',
    '/a%25',
    '/a%3bb',
    '//a',
    '/a/..',
    '/%c0%ae',
  ];
  for (const target of ambiguous) {
    const answer = await raw(written({ method: 'GET', target }));
    t.same([answer.status, codeOf(answer)], [400, 'ambiguous_path'], target);
  }
  t.equal(backend.requests.length, 0);
  for (const [target, sent] of [
    ['/%61%2D%7e?x=%2e%2e/', '/a-~?x=%2e%2e/'],
    ['/a%20b/', '/a%20b/'],
    ['/%C3%A9', '/%C3%A9'],
  ] as const) {
    t.equal((await raw(written({ method: 'GET', target }))).status, 204);
    t.equal(backend.requests.at(-1)?.url, sent);
  }
});

t.test('what an operator lets through goes through', async (t) => {
  const { raw, backend } = await startFlow(t, { listen: { allowPathQuirks: ['encoded-slash', 'semicolon'] } });
  for (const target of ['/a%2Fb', '/a;v=1/b']) t.equal((await raw(written({ method: 'GET', target }))).status, 204);
  t.same(
    backend.requests.map(({ url }) => url),
    ['/a%2Fb', '/a;v=1/b'],
  );
  for (const target of ['/a//b', '/a%25', '/a%2f..%2fb', '/a;/../b'])
    t.equal((await raw(written({ target }))).status, 400, target);
});
