import t from 'tap';
import { field, request, runAttacks, type Attack } from '../support/attack.ts';
import { startBackend } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';

const SERVER = 'secret-of-the-server-key';
const AUTH = `Authorization: Bearer ${SERVER}`;
const HOST = 'Host: a';

/** A field that must not reach the backend in this spelling, or only with Postern's own value. */
const stripped = (sent: string, own?: string): Attack => {
  const name = sent.slice(0, sent.indexOf(':'));
  return {
    name: `field ${sent}`,
    bytes: request('GET /profile/1 HTTP/1.1', [HOST, AUTH, sent]),
    answers: [204],
    forwarded: ['GET /profile/1'],
    check: (t, seen) => void t.equal(field(seen, name), own, sent),
  };
};

/** `Connection` names a field that Postern judges by or adds: it still arrives, as Postern has it. */
const nominated = (
  option: string,
  name: string,
  expected: string | RegExp | undefined,
  sent: readonly string[] = [],
): Attack => ({
  name: `Connection: ${option} ${sent.join(', ')}`,
  bytes: request('POST /profile HTTP/1.1', [HOST, AUTH, `Connection: ${option}`, ...sent], '{}'),
  answers: [204],
  forwarded: ['POST /profile {}'],
  check: (t, seen) =>
    void (expected instanceof RegExp ? t.match(field(seen, name), expected) : t.equal(field(seen, name), expected)),
});

const LOOK_ALIKES: readonly Attack[] = [
  ...[
    'Postern-Key-Id',
    'postern-key-type',
    'POSTERN-ANYTHING',
    'Postern_Key_Id',
    'postern.key.id',
    'Postern_Key-Type',
    'POSTERN_REMOVED_EVENTS',
  ].map((name) =>
    stripped(
      `${name}: root`,
      /^postern-key-id$/i.test(name) ? 'server' : /^postern-key-type$/i.test(name) ? 'read-write' : undefined,
    ),
  ),
  stripped('X-Forwarded-For: 203.0.113.7', '127.0.0.1'),
  stripped('x-forwarded-for: 203.0.113.7, 127.0.0.1', '127.0.0.1'),
  ...['X_Forwarded_For', 'X-Forwarded_For', 'x.forwarded.for', 'X_FORWARDED_FOR', 'X~Forwarded~For'].map((name) =>
    stripped(`${name}: 203.0.113.7`),
  ),
  stripped('X-Forwarded-Proto: https', 'http'),
  ...['X_Forwarded_Proto', 'X.Forwarded.Proto'].map((name) => stripped(`${name}: https`)),
  stripped('X-Forwarded-Host: evil.example', 'a'),
  ...['X_Forwarded_Host', 'X.Forwarded-Host'].map((name) => stripped(`${name}: evil.example`)),
  ...['X_Request_Id', 'X.Request.Id'].map((name) => stripped(`${name}: abc`)),
  ...[
    'X-Original-URL',
    'X-Rewrite-URL',
    'X-Forwarded-Uri',
    'X-Forwarded-Prefix',
    'X_Original_URL',
    'X.Rewrite.URL',
    'X_Forwarded_Uri',
    'X_FORWARDED_PREFIX',
  ].map((name) => stripped(`${name}: /admin`)),
  ...[
    'Forwarded',
    'X-Real-IP',
    'True-Client-IP',
    'CF-Connecting-IP',
    'X-Client-IP',
    'X-Cluster-Client-IP',
    'X_Real_IP',
    'True_Client_IP',
    'CF_Connecting_IP',
  ].map((name) => stripped(`${name}: 203.0.113.7`)),
  ...[
    'X-HTTP-Method-Override',
    'X-HTTP-Method',
    'X-Method-Override',
    'X_HTTP_Method_Override',
    'x.http.method',
    'X_METHOD_OVERRIDE',
  ].map((name) => stripped(`${name}: DELETE`)),
  ...[
    'Content_Type: text/html',
    'Content.Type: text/html',
    'Content_Encoding: gzip',
    'Cache_Control: no-cache',
    'Sec_Fetch_Site: none',
  ].map((sent) => stripped(sent)),
  ...[
    'Proxy: http://evil.example',
    'Proxy-Connection: keep-alive',
    'Proxy-Authorization: Basic eDp5',
    'Keep-Alive: timeout=99',
    'TE: trailers',
    'Trailer: X',
    'HTTP2-Settings: AAMAAABk',
  ].map((sent) => stripped(sent)),
];

/** Other words for what Postern sets or judges, each of which some framework believes. */
const SYNONYMS: readonly Attack[] = [
  'X-Forwarded-Ssl: on',
  'Front-End-Https: on',
  'X-Arr-Ssl: 1',
  'X-Proxied-Https: on',
  'WL-Proxy-SSL: true',
  'HTTPS: on',
  'X-Forwarded-Scheme: https',
  'X-Scheme: https',
  'X-Url-Scheme: https',
  'X-Forwarded-Protocol: ssl',
  'CloudFront-Forwarded-Proto: https',
  'CF-Visitor: {"scheme":"https"}',
  'x_url_scheme: https',
  'X-Forwarded-Port: 443',
  'X-Forwarded-By: 203.0.113.7',
  'X-Forwarded-Server: evil.example',
  'X-Host: evil.example',
  'X-Original-Host: evil.example',
  'Forwarded-Host: evil.example',
  'X_Original_Host: evil.example',
  'HTTP_HOST: evil.example',
  'HTTP-X-Forwarded-Host: evil.example',
  'X-Forwarded-Path: /admin',
  'X-Forwarded-PathBase: /admin',
  'X-Script-Name: /admin',
  'SCRIPT_NAME: /admin',
  'PATH_INFO: /admin',
  'X-Original-URI: /admin',
  'X-Envoy-Original-Path: /admin',
  'X-Replaced-Path: /admin',
  ...[
    'Client-IP',
    'X-Remote-Addr',
    'Remote-Addr',
    'REMOTE_ADDR',
    'X-Originating-IP',
    'X-ProxyUser-Ip',
    'X-Forwarded',
    'Fastly-Client-IP',
    'Fly-Client-IP',
    'WL-Proxy-Client-IP',
    'Proxy-Client-IP',
    'Ali-CDN-Real-IP',
    'Forwarded-For',
    'X-Appengine-User-Ip',
    'X-Azure-ClientIP',
    'HTTP_X_FORWARDED_FOR',
    'HTTP_CLIENT_IP',
    'X-Original-Forwarded-For',
    'DO-Connecting-IP',
    'CF-Connecting-IPv6',
    'X-Envoy-External-Address',
    'X-Original-For',
    'X-Vercel-Forwarded-For',
  ].map((name) => `${name}: 203.0.113.7`),
  'X-Original-Method: DELETE',
  'X-Forwarded-Method: DELETE',
  'X-HTTP-Method-Anything: DELETE',
  'HTTP_X_HTTP_METHOD: DELETE',
  'HTTP_AUTHORIZATION: Bearer x',
  'HTTP_POSTERN_KEY_ID: root',
  'HTTP_CONTENT_TYPE: text/html',
  'HTTP.Origin: http://a',
  'X-Sendfile-Type: X-Accel-Redirect',
  'X-Accel-Mapping: /=/',
].map((sent) => stripped(sent));

const NOMINATIONS: readonly Attack[] = [
  nominated('X-Forwarded-For', 'x-forwarded-for', '127.0.0.1'),
  nominated('x-forwarded-for, close', 'x-forwarded-for', '127.0.0.1'),
  nominated('keep-alive, X-Forwarded-Proto', 'x-forwarded-proto', 'http'),
  nominated('X-Forwarded-Host', 'x-forwarded-host', 'a'),
  nominated('X-Request-Id', 'x-request-id', /^[A-Za-z0-9._-]{1,128}$/),
  nominated('X-Request-Id', 'x-request-id', 'mine', ['X-Request-Id: mine']),
  nominated('Postern-Key-Id, Postern-Key-Type', 'postern-key-id', 'server'),
  nominated('Host', 'host', /^127\.0\.0\.1:\d+$/),
  nominated('Content-Length', 'content-length', '2'),
  nominated('Content-Type', 'content-type', 'application/json', ['Content-Type: application/json']),
  nominated('Content-Encoding', 'content-encoding', 'gzip', ['Content-Encoding: gzip']),
  nominated('Cookie', 'cookie', 'a=1', ['Cookie: a=1']),
  nominated('Cache-Control', 'cache-control', 'no-cache', ['Cache-Control: no-cache']),
  nominated('X-Mine', 'x-mine', undefined, ['X-Mine: 1']),
  nominated(' x-mine , ,keep-alive', 'x-mine', undefined, ['X-Mine: 1']),
];

const refusedField = (name: string, line: string, status = 400): Attack => ({
  name,
  bytes: request('GET /profile/1 HTTP/1.1', [HOST, AUTH, line]),
  answers: [status],
  closes: true,
});

const BROKEN_FIELDS: readonly Attack[] = [
  refusedField('a NUL in a value', 'X: a\x00b'),
  refusedField('a control character in a value', 'X: a\x01b'),
  refusedField('a DEL in a value', 'X: a\x7fb'),
  refusedField('a blank in a name', 'X y: a'),
  refusedField('a tab in a name', 'X\ty: a'),
  refusedField('a slash in a name', 'X/y: a'),
  refusedField('a parenthesis in a name', 'X(y): a'),
  refusedField('a comma in a name', 'X,y: a'),
  refusedField('an at sign in a name', 'X@y: a'),
  refusedField('brackets in a name', 'X[y]: a'),
  refusedField('a byte beyond ASCII in a name', 'X\xe9: a'),
  refusedField('a folded value', 'X: a\r\n b'),
  refusedField('an Authorization twice', AUTH),
  refusedField('an Authorization twice in another case', `AUTHORIZATION: Bearer ${SERVER}`),
  refusedField('an Upgrade', 'Upgrade: websocket', 501),
];

t.test('no field of a client passes for Postern’s word or slips by what was judged', async (t) => {
  const backend = await startBackend(t);
  const postern = await startPostern(t, {
    config: { apis: { integration: { upstream: backend.url } } },
    keys: [{ id: 'server', type: 'read-write', secret: SERVER }],
  });
  await runAttacks(t, { port: postern.port, backend }, [
    ...LOOK_ALIKES,
    ...SYNONYMS,
    ...NOMINATIONS,
    ...BROKEN_FIELDS,
    {
      name: 'a request id that could forge a line or a field',
      bytes: request('GET /profile/1 HTTP/1.1', [HOST, AUTH, 'X-Request-Id: a"b{}']),
      answers: [204],
      forwarded: ['GET /profile/1'],
      check: (t, seen) => void t.match(field(seen, 'x-request-id'), /^[A-Za-z0-9._-]+$/),
    },
    {
      name: 'the bytes and the order of every other field are kept',
      bytes: request('GET /profile/1 HTTP/1.1', [
        HOST,
        'b: 2',
        AUTH,
        'A: \xe9',
        'b:  3 ',
        'Traceparent: 00-1-2-00',
        'Empty:',
      ]),
      answers: [204],
      forwarded: ['GET /profile/1'],
      check: (t, { rawHeaders }) => {
        const own = new Set([
          'host',
          'connection',
          'x-forwarded-for',
          'x-forwarded-proto',
          'x-forwarded-host',
          'x-request-id',
          'postern-key-id',
          'postern-key-type',
        ]);
        const kept = rawHeaders.filter((_, i) => !own.has(rawHeaders[i - (i % 2)]?.toLowerCase() ?? ''));
        t.same(kept, ['b', '2', 'A', '\xe9', 'b', '3', 'Traceparent', '00-1-2-00', 'Empty', '']);
      },
    },
  ]);
});
