import { Readable } from 'node:stream';
import t from 'tap';
import { mayBeFollowed, requestHead, type WireRequest } from '../../../src/upstream/wire/request.ts';

const GET: WireRequest = { method: 'GET', target: '/', host: 'a', headers: [], body: null, contentLength: null };
const START = 'GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n';

void t.test('target, Host and fields go out byte for byte, in their order', async (t) => {
  const headers = ['x-B', '1', 'ACCEPT', '*/*', 'x-B', '\xe9\t', 'Empty', ''];
  t.equal(
    requestHead({ ...GET, target: '/a%41?q=%zz&\xe9', host: '[::1]:80', headers }, false),
    'GET /a%41?q=%zz&\xe9 HTTP/1.1\r\nhost: [::1]:80\r\nconnection: close\r\nx-B: 1\r\nACCEPT: */*\r\nx-B: \xe9\t\r\nEmpty: \r\n\r\n',
  );
});

void t.test('each body is framed once', async (t) => {
  const framed = (part: Partial<WireRequest>): string => requestHead({ ...GET, ...part }, true).slice(START.length);
  const stream = new Readable();
  t.equal(requestHead(GET, true), `${START}\r\n`);
  for (const method of ['PUT', 'QUE'])
    t.equal(
      requestHead({ ...GET, method, body: Buffer.from('ab') }, true).includes('\r\ncontent-length: 2\r\n\r\n'),
      true,
    );
  t.equal(framed({ body: Buffer.from('ab'), contentLength: 99 }), 'content-length: 2\r\n\r\n');
  t.equal(framed({ body: Buffer.alloc(0) }), '\r\n');
  t.equal(framed({ body: stream, contentLength: 3 }), 'content-length: 3\r\n\r\n');
  t.equal(framed({ body: stream }), 'transfer-encoding: chunked\r\n\r\n');
  for (const method of ['POST', 'PUT', 'PATCH', 'QUERY', 'PROPFIND', 'PROPPATCH'])
    t.match(requestHead({ ...GET, method }, true), /\r\ncontent-length: 0\r\n\r\n$/, `${method} waits for a body`);
  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS'])
    t.notMatch(requestHead({ ...GET, method }, true), /content-length/, method);
});

void t.test('what would be read as something else is never written', async (t) => {
  const refused = (part: Partial<WireRequest>, what: string): void =>
    void t.throws(() => requestHead({ ...GET, ...part }, true), what);
  // The last of them becomes a line end when it is cut to one byte.
  for (const bad of ['\r\n', '\n', '\r', '\0', '\x7f', '\u0100', '\u010a']) {
    const shown = JSON.stringify(bad);
    refused({ target: `/${bad}` }, `target ${shown}`);
    refused({ host: `a${bad}` }, `host ${shown}`);
    refused({ method: `GET${bad}` }, `method ${shown}`);
    refused({ headers: ['A', `b${bad}`] }, `value ${shown}`);
    refused({ headers: [`A${bad}`, 'b'] }, `name ${shown}`);
  }
  refused({ target: '/a b' }, 'a space in a target');
  refused({ method: 'GET /x' }, 'a space in a method');
  for (const name of ['', 'A B', 'A:', ' A', 'A\t', '\xe9'])
    refused({ headers: [name, 'b'] }, `name ${JSON.stringify(name)}`);
});

void t.test('what was written before vouches for nothing but itself', async (t) => {
  const headers = ['A', '1', 'B', '2'];
  const head = requestHead({ ...GET, headers }, true);
  for (const bad of [
    ['A', '1', 'B', '2\n'],
    ['A', '1', 'B\n', '2'],
    ['A\n', '1', 'B', '2'],
    ['A', '1\n', 'B', '2'],
    ['A', '1', 'B', '2', 'C', '\n'],
    ['A', '1', 'B', '2', '', '3'],
    ['A', '1', '2 ', 'B'],
  ])
    for (const time of ['first', 'second'])
      t.throws(() => requestHead({ ...GET, headers: bad }, true), TypeError, `${JSON.stringify(bad)}, ${time}`);
  t.equal(requestHead({ ...GET, headers: [...headers] }, true), head);
  t.equal(requestHead({ ...GET, headers: ['B', '2', 'A', '1'] }, true), `${START}B: 2\r\nA: 1\r\n\r\n`);
});

void t.test('what may be answered or read as more than it is has no request behind it', async (t) => {
  for (const [method, body, followed] of [
    ['GET', null, true],
    ['GET', Buffer.alloc(0), false],
    ['GET', new Readable(), false],
    ['HEAD', null, false],
    ['POST', Buffer.from('a'), true],
    ['PUT', Buffer.from('a'), true],
    ['PATCH', new Readable(), true],
    ['QUERY', Buffer.from('a'), false],
    ['PROPFIND', Buffer.from('a'), false],
    ['DELETE', null, true],
    ['DELETE', Buffer.from('a'), false],
    ['OPTIONS', new Readable(), false],
    ['REPORT', Buffer.from('a'), false],
  ] as const)
    t.equal(mayBeFollowed({ ...GET, method, body }), followed, `${method} ${body === null ? 'alone' : 'with a body'}`);
});
