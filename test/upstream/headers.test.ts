import t from 'tap';
import { compileRoutes } from '../../src/policy/route.ts';
import {
  clientHeaders,
  clientTrailers,
  forwardedProto,
  upstreamHeaders,
  type UpstreamHeadersInput,
} from '../../src/upstream/headers.ts';

const input = (rawHeaders: string[], overrides: Partial<UpstreamHeadersInput> = {}): UpstreamHeadersInput => ({
  rawHeaders,
  connection: [],
  credentialFields: [],
  forwardedFor: '192.0.2.7',
  forwardedProto: 'https',
  forwardedHost: 'api.example',
  requestId: 'req-1',
  key: { id: 'web', type: 'write-only' },
  authorization: { kind: 'strip' },
  methodUnjudged: false,
  bodyChanged: false,
  bodyDecoded: false,
  eventRoute: null,
  contentType: null,
  ...overrides,
});

/** `Name: value` lines as a flat list. */
const fields = (lines: string): string[] =>
  lines
    .trim()
    .split('\n')
    .flatMap((line) => /^ *(.*?): (.*)$/.exec(line)?.slice(1) ?? []);

const OWN = fields(`
  X-Forwarded-For: 192.0.2.7
  X-Forwarded-Proto: https
  X-Forwarded-Host: api.example
  X-Request-Id: req-1
  Postern-Key-Id: web
  Postern-Key-Type: write-only`);

void t.test('the client’s fields keep order, spelling and repetition, and Postern’s come after', (t) => {
  const raw = ['x-B', '1', 'ACCEPT', '*/*', 'X-a', ' odd\tvalue\xe9', 'x-B', '2', 'traceparent', '00-1-2-01'];
  t.same(upstreamHeaders(input(raw)), [...raw, ...OWN]);
  t.end();
});

void t.test('the client cannot set what Postern sets', (t) => {
  const raw = ['X-Forwarded-For', '10.0.0.1', 'x_forwarded_for', '10.0.0.1', 'Postern.Key_Id', 'admin', 'Host', 'evil'];
  t.same(upstreamHeaders(input(raw)), OWN);
  t.end();
});

void t.test('Connection removes what it names, but nothing of Postern’s and nothing that was judged', (t) => {
  const raw = [
    'X-Hop',
    '1',
    'x-HOP',
    '2',
    'X-Keep',
    '3',
    'Content-Type',
    'application/json',
    'Origin',
    'https://a.example',
  ];
  const connection = ['close, x-hop , X-Forwarded-For,postern-key-id', 'Content-Type, X-Request-Id, origin'];
  t.same(upstreamHeaders(input(raw, { connection })), [...raw.slice(4), ...OWN]);
  t.same(upstreamHeaders(input(raw, { connection: ['keep-alive'] })), [...raw, ...OWN]);
  const credentialFields = ['x-hop'];
  t.same(upstreamHeaders(input(raw, { connection: ['x-hop'], credentialFields })), [...raw, ...OWN]);
  t.end();
});

void t.test('Authorization goes by policy', (t) => {
  const raw = ['authorization', 'Bearer client', 'Accept', '*/*'];
  t.same(upstreamHeaders(input(raw)), ['Accept', '*/*', ...OWN]);
  t.same(upstreamHeaders(input(raw, { authorization: { kind: 'pass' } })), [...raw, ...OWN]);
  const literal = upstreamHeaders(input(raw, { authorization: { kind: 'literal', value: 'Basic eA==' } }));
  t.same(literal, ['Accept', '*/*', ...OWN, 'Authorization', 'Basic eA==']);
  const named = upstreamHeaders(input(raw, { authorization: { kind: 'pass' }, connection: ['authorization'] }));
  t.same(named, [...raw, ...OWN], 'Connection does not name it away');
  t.end();
});

void t.test('digests and the coding of the old body go when the body was changed', (t) => {
  const bound = [
    'Content-MD5',
    'a',
    'Digest',
    'b',
    'Content-Digest',
    'c',
    'Repr-Digest',
    'd',
    'Content-Encoding',
    'gzip',
  ];
  const raw = [...bound, 'Content-Type', 'application/json'];
  const changed = { bodyChanged: true, bodyDecoded: true };
  t.same(upstreamHeaders(input(raw, changed)), ['Content-Type', 'application/json', ...OWN]);
  t.same(upstreamHeaders(input(raw)), [...raw, ...OWN]);
  const folded = ['Content_MD5', 'a', 'content.digest', 'b', 'Repr_Digest', 'c', 'Content_Encoding', 'gzip'];
  t.same(upstreamHeaders(input(folded, changed)), OWN);
  t.end();
});

void t.test('a coding that changes nothing goes alone: the digests still hold', (t) => {
  const raw = ['Content-Encoding', 'identity', 'Digest', 'a'];
  t.same(upstreamHeaders(input(raw, { bodyDecoded: true })), ['Digest', 'a', ...OWN]);
  const mail = ['Content-Transfer-Encoding', 'base64'];
  t.same(upstreamHeaders(input(mail, { bodyDecoded: true })), OWN, 'a body was judged without it');
  t.same(upstreamHeaders(input(mail)), [...mail, ...OWN], 'nobody looked');
  t.end();
});

void t.test('a body whose sender did not say what it is gets a type, once', (t) => {
  const contentType = 'application/json';
  const typed = ['Content-Type', contentType, ...OWN];
  t.same(upstreamHeaders(input([], { contentType })), typed);
  t.same(upstreamHeaders(input(['content-TYPE', ''], { contentType })), typed, 'an empty field says nothing');
  t.same(upstreamHeaders(input(['Content-Type', ''])), ['Content-Type', '', ...OWN]);
  t.end();
});

void t.test('without a key there is no key to tell of, without a Host none to forward', (t) => {
  const left = [...OWN.slice(0, 4), 'X-Request-Id', 'req-1'];
  t.same(upstreamHeaders(input([], { key: null, forwardedHost: undefined })), left);
  t.end();
});

void t.test('the scheme is a trusted proxy’s word only if it is one of two', (t) => {
  t.equal(forwardedProto('https', false), 'https');
  t.equal(forwardedProto('http', true), 'http');
  for (const value of ['HTTPS', 'https, http', 'wss', '', undefined]) {
    t.equal(forwardedProto(value, true), 'https', String(value));
    t.equal(forwardedProto(value, false), 'http', String(value));
  }
  t.end();
});

void t.test('the backend’s fields keep order and repetition, less those of its connection', (t) => {
  const rawHeaders = fields(`
    Set-Cookie: a=1
    Connection: X-Hop, close
    Set-Cookie: b=2
    X-Hop: 1
    Keep-Alive: timeout=5
    transfer-encoding: chunked
    Upgrade: h2c
    Postern-Removed-Events: 9
    Server: x
    Proxy-Authenticate: y`);
  const passed = fields('Set-Cookie: a=1\nSet-Cookie: b=2\nServer: x');
  t.same(clientHeaders({ rawHeaders, cors: null, added: [] }), passed);
  t.end();
});

void t.test('Connection of the backend cannot take away what its answer means', (t) => {
  const rawHeaders = [
    'Connection',
    'content-type, cache-control, set-cookie',
    'Content-Type',
    'a/b',
    'Cache-Control',
    'no-store',
  ];
  t.same(clientHeaders({ rawHeaders, cors: null, added: [] }), rawHeaders.slice(2));
  t.end();
});

void t.test('Postern’s CORS fields replace the backend’s, and its Vary joins', (t) => {
  const rawHeaders = ['access-control-allow-origin', '*', 'Vary', 'Accept', 'Access-Control-Allow-Credentials', 'true'];
  const cors = ['Access-Control-Allow-Origin', 'https://a.example', 'Vary', 'Origin'];
  t.same(clientHeaders({ rawHeaders, cors, added: [] }), ['Vary', 'Accept', ...cors]);
  t.same(clientHeaders({ rawHeaders, cors: null, added: [] }), rawHeaders);
  t.end();
});

void t.test('added fields replace the backend’s of that name, except lists to which each adds its own', (t) => {
  const rawHeaders = ['x-request-id', 'theirs', 'Cache-Status', 'cdn; hit', 'Age', '5', 'X-Other', '1'];
  const added = ['X-Request-Id', 'ours', 'Cache-Status', 'postern; hit', 'Age', '7'];
  t.same(clientHeaders({ rawHeaders, cors: null, added }), ['Cache-Status', 'cdn; hit', 'X-Other', '1', ...added]);
  t.end();
});

void t.test('trailers are announced only where they can follow', (t) => {
  const chunked = ['Transfer-Encoding', 'chunked', 'Trailer', 'Repr-Digest'];
  t.same(clientHeaders({ rawHeaders: chunked, cors: null, added: [] }), ['Trailer', 'Repr-Digest']);
  const sized = ['Content-Length', '2', 'Trailer', 'Repr-Digest'];
  t.same(clientHeaders({ rawHeaders: sized, cors: null, added: [] }), ['Content-Length', '2']);
  t.same(clientTrailers(['Repr-Digest', 'x', 'Set-Cookie', 'a=1', 'content-length', '9']), [['Repr-Digest', 'x']]);
  t.end();
});

void t.test('the session of the console is taken out of cookies, however they are written', (t) => {
  const session = 'postern_session=abc';
  const cookies = (...values: readonly string[]): string[] => {
    const raw = values.flatMap((value, i) => [['Cookie', 'cookie', 'COOKIE'][i % 3] as string, value]);
    const sent = upstreamHeaders(input(raw));
    t.same(sent.slice(-OWN.length), OWN);
    return sent.slice(0, -OWN.length);
  };
  t.same(cookies(session), []);
  t.same(cookies(`${session}; a=1`), ['Cookie', 'a=1']);
  t.same(cookies(`a=1; ${session}`), ['Cookie', 'a=1']);
  t.same(cookies(`a=1; ${session}; b=2`), ['Cookie', 'a=1; b=2']);
  t.same(cookies(`a=1;${session};b=2;${session}`), ['Cookie', 'a=1;b=2']);
  t.same(cookies('a=1', session, `${session}; c=3`), ['Cookie', 'a=1', 'COOKIE', 'c=3']);
  t.same(cookies('my_postern_session=abc; postern_sessions=1'), [
    'Cookie',
    'my_postern_session=abc; postern_sessions=1',
  ]);
  t.end();
});

void t.test('a cookie that stands for another method goes on only where no method was judged', async (t) => {
  const raw = ['Cookie', 'a=1; _method=DELETE', 'cookie', 'X-HTTP-Method-Override=PUT'];
  t.same(upstreamHeaders(input(raw)), ['Cookie', 'a=1', ...OWN]);
  t.same(upstreamHeaders(input(raw, { methodUnjudged: true })), [...raw, ...OWN]);
});

void t.test('where events were judged, no cookie goes on that is called like one', async (t) => {
  const [eventRoute = null] = compileRoutes([{ method: 'POST', path: '/a', events: 'name' }]).routes;
  const sent = upstreamHeaders(input(['Cookie', 'a=1; name=x; data=y', 'cookie', 'event=x'], { eventRoute }));
  t.same(sent, ['Cookie', 'a=1', ...OWN]);
  t.same(upstreamHeaders(input(['Cookie', 'a=1; name=x'])), ['Cookie', 'a=1; name=x', ...OWN]);
});

void t.test('Connection names nothing away that a client may not take away, each field by itself', (t) => {
  const kept = [
    'Authorization',
    'Content-Type',
    'Content-Encoding',
    'Origin',
    'Sec-Fetch-Site',
    'Cache-Control',
    'Access-Control-Request-Method',
    'Access-Control-Request-Headers',
    'Cookie',
    'Content-Language',
  ];
  for (const name of kept) {
    const raw = [name, 'x'];
    const sent = upstreamHeaders(input(raw, { connection: [name], authorization: { kind: 'pass' } }));
    t.same(sent, [...raw, ...OWN], name);
  }
  for (const value of ['close', 'keep-alive', 'Keep-Alive'])
    t.same(upstreamHeaders(input(['X-Hop', '1'], { connection: [value, 'X-Hop'] })), OWN, value);
  t.end();
});
