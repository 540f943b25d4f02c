import t from 'tap';
import { field, request, runAttacks, type Attack } from '../support/attack.ts';
import { startBackend } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';

const SERVER = 'secret-of-the-server-key';
const WEB = 'secret-of-the-web-key';
const AUTH = `Authorization: Bearer ${SERVER}`;
const HOST = 'Host: a';
/** What an attacker hides in a body: it must never be taken for a request, here or behind. */
const SMUGGLED = request('DELETE /product/a/smuggled HTTP/1.1', [HOST, AUTH]);

/** A POST of these framing fields and these bytes, with a request hidden at their end: refused, closed, nothing read on. */
const refused = (name: string, fields: readonly string[], bytes: string, status = 400): Attack => ({
  name,
  bytes: `${['POST /profile HTTP/1.1', HOST, AUTH, ...fields].join('\r\n')}\r\n\r\n${bytes}${SMUGGLED}`,
  answers: [status],
  closes: true,
});
const CHUNKED = 'Transfer-Encoding: chunked';

const LENGTHS_AND_CODINGS: readonly Attack[] = [
  refused('Content-Length, then Transfer-Encoding', ['Content-Length: 5', CHUNKED], '0\r\n\r\n'),
  refused('Transfer-Encoding, then Content-Length', [CHUNKED, 'Content-Length: 5'], '0\r\n\r\n'),
  refused('Content-Length 0 with Transfer-Encoding', ['Content-Length: 0', CHUNKED], '0\r\n\r\n'),
  refused('two equal lengths', ['Content-Length: 2', 'Content-Length: 2'], '{}'),
  refused('two different lengths', ['Content-Length: 2', 'Content-Length: 20'], '{}'),
  refused('a list of equal lengths', ['Content-Length: 2, 2'], '{}'),
  refused('a list of different lengths', ['Content-Length: 2, 20'], '{}'),
  refused('a length with a sign', ['Content-Length: +2'], '{}'),
  refused('a negative length', ['Content-Length: -2'], '{}'),
  refused('a hexadecimal length', ['Content-Length: 0x2'], '{}'),
  refused('a length with a point', ['Content-Length: 2.0'], '{}'),
  refused('a length in exponent form', ['Content-Length: 2e0'], '{}'),
  refused('a length with leading zeros', ['Content-Length: 002'], '{}'),
  refused('an empty length', ['Content-Length:'], '{}'),
  refused('a blank inside a length', ['Content-Length: 1 0'], '{}'),
  refused('a length with an underscore', ['Content-Length: 1_0'], '{}'),
  refused('a length beyond 64 bits', ['Content-Length: 18446744073709551618'], '{}'),
  refused('a length beyond a safe integer', ['Content-Length: 9007199254740993'], '{}'),
  refused('a length followed by a comma', ['Content-Length: 2,'], '{}'),
  refused('a blank before the colon of Content-Length', ['Content-Length : 2'], '{}'),
  refused('a tab before the colon of Transfer-Encoding', ['Transfer-Encoding\t: chunked'], '0\r\n\r\n'),
  refused('a blank before the colon of Transfer-Encoding', ['Transfer-Encoding : chunked'], '0\r\n\r\n'),
  refused('a folded Transfer-Encoding', ['Transfer-Encoding:\r\n chunked'], '0\r\n\r\n'),
  refused('a folded Content-Length', ['Content-Length: 2', 'X: a\r\n Content-Length: 20'], '{}'),
  refused('a field that begins with a blank', [' Transfer-Encoding: chunked'], '0\r\n\r\n'),
  refused('Transfer-Encoding chunked twice', [CHUNKED, CHUNKED], '0\r\n\r\n'),
  refused('chunked twice in a list', ['Transfer-Encoding: chunked, chunked'], '0\r\n\r\n'),
  refused('identity after chunked', ['Transfer-Encoding: chunked, identity'], '0\r\n\r\n'),
  refused('identity alone', ['Transfer-Encoding: identity'], '0\r\n\r\n'),
  refused('a coding before chunked', ['Transfer-Encoding: gzip, chunked'], '0\r\n\r\n', 501),
  refused('identity before chunked', ['Transfer-Encoding: identity, chunked'], '0\r\n\r\n', 501),
  refused('an unknown coding', ['Transfer-Encoding: xchunked'], '0\r\n\r\n'),
  refused('Chunked in upper case', ['Transfer-Encoding: Chunked'], '0\r\n\r\n'),
  refused('quoted chunked', ['Transfer-Encoding: "chunked"'], '0\r\n\r\n'),
  refused('chunked with a parameter', ['Transfer-Encoding: chunked;q=1'], '0\r\n\r\n'),
  refused('a comma before chunked', ['Transfer-Encoding: , chunked'], '0\r\n\r\n'),
  refused('a comma after chunked', ['Transfer-Encoding: chunked,'], '0\r\n\r\n'),
  refused('an empty Transfer-Encoding', ['Transfer-Encoding:'], '0\r\n\r\n'),
  refused('a vertical tab before chunked', ['Transfer-Encoding: \x0bchunked'], '0\r\n\r\n'),
  refused('a NUL after chunked', ['Transfer-Encoding: chunked\x00'], '0\r\n\r\n'),
  refused('a non-breaking space before chunked', ['Transfer-Encoding: \xa0chunked'], '0\r\n\r\n'),
  refused('Transfer_Encoding with an underscore', ['Transfer_Encoding: chunked', 'Content-Length: 2'], '{}'),
  refused('Transfer.Encoding with a dot', ['Transfer.Encoding: chunked', 'Content-Length: 2'], '{}'),
  refused('Content_Length with an underscore', ['Content_Length: 20', 'Content-Length: 2'], '{}'),
  refused('a bare CR in a field', ['X: a\rTransfer-Encoding: chunked', 'Content-Length: 2'], '{}'),
  refused('a bare LF between fields', ['X: a\nTransfer-Encoding: chunked', 'Content-Length: 2'], '{}'),
  refused('a field name with a CR', ['X\r: a', 'Content-Length: 2'], '{}'),
  refused('a field without a colon', ['Transfer-Encoding chunked', 'Content-Length: 2'], '{}'),
  refused('an empty field name', [': chunked', 'Content-Length: 2'], '{}'),
  refused('a quoted field name', ['"Transfer-Encoding": chunked', 'Content-Length: 2'], '{}'),
  refused('a field name beyond ASCII', ['Transfer-Encod\xefng: chunked', 'Content-Length: 2'], '{}'),
  refused('an Upgrade with a body', ['Upgrade: h2c, websocket', 'Connection: Upgrade', 'Content-Length: 2'], '{}', 501),
  refused('an Upgrade to websocket', ['Upgrade: websocket', 'Connection: Upgrade'], '', 501),
  refused('an expectation that is unknown', ['Expect: 200-ok', 'Content-Length: 2'], '{}', 417),
  refused('two expectations', ['Expect: 100-continue', 'Expect: 100-continue', 'Content-Length: 2'], '{}', 417),
];

const CHUNKS: readonly Attack[] = [
  refused('a chunk size of 64 bits', [CHUNKED], 'FFFFFFFFFFFFFFFF\r\n'),
  refused('a chunk size that wraps to 2', [CHUNKED], '10000000000000002\r\n{}\r\n0\r\n\r\n'),
  refused('a chunk size of nine digits', [CHUNKED], '100000002\r\n{}\r\n0\r\n\r\n'),
  refused('a chunk size with many zeros before it', [CHUNKED], `${'0'.repeat(40)}2\r\n{}\r\n0\r\n\r\n`),
  refused('a chunk size with a sign', [CHUNKED], '+2\r\n{}\r\n0\r\n\r\n'),
  refused('a negative chunk size', [CHUNKED], '-2\r\n{}\r\n0\r\n\r\n'),
  refused('a chunk size with a prefix', [CHUNKED], '0x2\r\n{}\r\n0\r\n\r\n'),
  refused('a blank before a chunk size', [CHUNKED], ' 2\r\n{}\r\n0\r\n\r\n'),
  refused('a blank after a chunk size', [CHUNKED], '2 \r\n{}\r\n0\r\n\r\n'),
  refused('a tab after a chunk size', [CHUNKED], '2\t\r\n{}\r\n0\r\n\r\n'),
  refused('an empty chunk size', [CHUNKED], '\r\n{}\r\n0\r\n\r\n'),
  refused('a chunk size that is no number', [CHUNKED], 'z\r\n{}\r\n0\r\n\r\n'),
  refused('a chunk size with an underscore', [CHUNKED], '0_2\r\n{}\r\n0\r\n\r\n'),
  refused('a chunk size that ends in a bare LF', [CHUNKED], '2\n{}\r\n0\r\n\r\n'),
  refused('a chunk size that ends in a bare CR', [CHUNKED], '2\r{}\r\n0\r\n\r\n'),
  refused('chunk data that ends in a bare LF', [CHUNKED], '2\r\n{}\n0\r\n\r\n'),
  refused('chunk data longer than its size', [CHUNKED], '2\r\n{}}\r\n0\r\n\r\n'),
  refused('a last chunk that ends in a bare LF', [CHUNKED], '2\r\n{}\r\n0\n\n'),
  refused('a chunk extension of 16 KiB', [CHUNKED], `2;a=${'a'.repeat(16_384)}\r\n{}\r\n0\r\n\r\n`),
  refused('a chunk extension with a bare LF', [CHUNKED], '2;a\nb\r\n{}\r\n0\r\n\r\n'),
  refused('a chunk extension with a bare CR', [CHUNKED], '2;a\rb\r\n{}\r\n0\r\n\r\n'),
  refused('a trailer that is no field', [CHUNKED], '2\r\n{}\r\n0\r\nno field\r\n\r\n'),
  refused('a trailer with a bare LF', [CHUNKED], '2\r\n{}\r\n0\r\nX: a\nb: c\r\n\r\n'),
];

/** Refused for another reason: the body behind is never read as a request. */
const LEFT_BEHIND: readonly Attack[] = [
  {
    ...refused('a body without a credential', ['Content-Length: 500'], ''),
    bytes: request('POST /profile HTTP/1.1', [HOST, 'Content-Length: 500'], SMUGGLED),
    answers: [401],
  },
  { ...refused('a body that is too large', ['Content-Length: 99999999'], '', 413) },
  {
    ...refused('a body at an ambiguous path', [], ''),
    bytes: request('POST /a/../b HTTP/1.1', [HOST, AUTH, 'Content-Length: 500'], SMUGGLED),
  },
  {
    ...refused('a body of an unknown coding', [], ''),
    bytes: request(
      'POST /event/ingest HTTP/1.1',
      [HOST, `Authorization: Bearer ${WEB}`, 'Content-Encoding: compress', 'Content-Length: 500'],
      SMUGGLED,
    ),
    answers: [415],
  },
  {
    ...refused(
      'a body that waits for 100 Continue and is refused',
      ['Expect: 100-continue', 'Content-Length: 99999999'],
      '',
      413,
    ),
  },
  { ...refused('a body of a GET', [], ''), bytes: request('GET /profile/1 HTTP/1.1', [HOST, AUTH], SMUGGLED) },
  {
    ...refused('a chunked body of a GET', [], ''),
    bytes: request('GET /profile/1 HTTP/1.1', [HOST, AUTH, CHUNKED], `0\r\n\r\n${SMUGGLED}`),
  },
  { ...refused('a body of a HEAD', [], ''), bytes: request('HEAD /profile/1 HTTP/1.1', [HOST, AUTH], SMUGGLED) },
  { ...refused('a body of a TRACE', [], '', 405), bytes: request('TRACE / HTTP/1.1', [HOST, AUTH], SMUGGLED) },
  { ...refused('a body of a CONNECT', [], '', 405), bytes: request('CONNECT a:80 HTTP/1.1', [HOST, AUTH], SMUGGLED) },
  {
    ...refused('Transfer-Encoding in HTTP/1.0', [], ''),
    bytes: request('POST /profile HTTP/1.0', [HOST, AUTH, CHUNKED], `0\r\n\r\n${SMUGGLED}`),
  },
  {
    name: 'a whole refused body with a request behind it, which is one',
    bytes: `${request('POST /profile HTTP/1.1', [HOST], '{}')}${request('POST /profile HTTP/1.1', [HOST, AUTH], '[1]')}`,
    answers: [401, 204],
    forwarded: ['POST /profile [1]'],
  },
  {
    name: 'a request hidden in a body that is read whole',
    bytes: request('POST /profile HTTP/1.1', [HOST, AUTH], SMUGGLED),
    answers: [204],
    forwarded: [`POST /profile ${SMUGGLED}`.trimEnd()],
  },
  {
    name: 'a request hidden in the chunks of a body',
    bytes: request(
      'POST /profile HTTP/1.1',
      [HOST, AUTH, CHUNKED],
      `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
    ),
    answers: [204],
    forwarded: [`POST /profile ${SMUGGLED}`.trimEnd()],
  },
  {
    name: 'trailers are not passed on',
    bytes: request(
      'POST /profile HTTP/1.1',
      [HOST, AUTH, CHUNKED, 'Trailer: Postern-Key-Id'],
      '2;a=b\r\n{}\r\n0\r\nPostern-Key-Id: root\r\n\r\n',
    ),
    answers: [204],
    forwarded: ['POST /profile {}'],
    check: (t, seen) => {
      t.equal(field(seen, 'postern-key-id'), 'server');
      t.equal(field(seen, 'trailer'), undefined);
    },
  },
  {
    name: 'pipelined requests are two',
    bytes: request('GET /profile/1 HTTP/1.1', [HOST, AUTH]) + request('GET /profile/2 HTTP/1.1', [HOST, AUTH]),
    answers: [204, 204],
    forwarded: ['GET /profile/1', 'GET /profile/2'],
  },
  {
    name: 'what follows a closing refusal is not read',
    bytes: request('TRACE / HTTP/1.1', [HOST]) + SMUGGLED,
    answers: [405],
    closes: true,
  },
  {
    name: 'what follows Connection: close is not read',
    bytes: request('GET /profile/1 HTTP/1.1', [HOST, AUTH, 'Connection: close']) + SMUGGLED,
    answers: [204],
    closes: true,
    forwarded: ['GET /profile/1'],
  },
];

const HOSTS: readonly Attack[] = [
  ...[
    '',
    'a b',
    'a/b',
    'a@b',
    'a:b',
    'a:80:80',
    'a:99999',
    'a,b',
    'a\\b',
    '[::1',
    '[::1]x',
    '127.1',
    '0x7f.1',
    '2130706433',
    'http://a',
    'a#b',
    'a?b',
    'a%00',
    '[fe80::1%25eth0]',
    'é',
  ].map((host): Attack => ({
    name: `Host ${JSON.stringify(host)}`,
    bytes: request('GET /profile/1 HTTP/1.1', [`Host: ${host}`, AUTH]),
    answers: [400],
    closes: true,
  })),
  { name: 'no Host', bytes: request('GET /profile/1 HTTP/1.1', [AUTH]), answers: [400], closes: true },
  { name: 'no Host in HTTP/1.0', bytes: request('GET /profile/1 HTTP/1.0', [AUTH]), answers: [400], closes: true },
  {
    name: 'two Hosts',
    bytes: request('GET /profile/1 HTTP/1.1', [HOST, 'Host: b', AUTH]),
    answers: [400],
    closes: true,
  },
  {
    name: 'two equal Hosts',
    bytes: request('GET /profile/1 HTTP/1.1', [HOST, HOST, AUTH]),
    answers: [400],
    closes: true,
  },
  {
    name: 'two Content-Types',
    bytes: request('POST /profile HTTP/1.1', [HOST, AUTH, 'Content-Type: a/b', 'content-type: c/d'], '{}'),
    answers: [400],
    closes: true,
  },
  {
    name: '1,001 fields',
    bytes: request('GET /profile/1 HTTP/1.1', [HOST, AUTH, ...Array.from({ length: 999 }, () => 'a:')]),
    answers: [431],
    closes: true,
  },
  {
    name: '1,000 fields',
    bytes: request('GET /profile/1 HTTP/1.1', [HOST, AUTH, ...Array.from({ length: 998 }, () => 'a:')]),
    answers: [204],
    forwarded: ['GET /profile/1'],
  },
  {
    name: 'a field of 64 KiB',
    bytes: request('GET /profile/1 HTTP/1.1', [HOST, AUTH, `X: ${'a'.repeat(65_536)}`]),
    answers: [431],
    closes: true,
  },
  {
    name: 'a target of 64 KiB',
    bytes: request(`GET /${'a'.repeat(65_536)} HTTP/1.1`, [HOST, AUTH]),
    answers: [431],
    closes: true,
  },
];

t.test('where a request ends is never in doubt, and what hides behind a refusal is never read', async (t) => {
  const backend = await startBackend(t);
  const postern = await startPostern(t, {
    config: { apis: { integration: { upstream: backend.url } } },
    keys: [
      { id: 'server', type: 'read-write', secret: SERVER },
      { id: 'web', type: 'write-only', secret: WEB, allowedEvents: ['login'] },
    ],
  });
  await runAttacks(t, { port: postern.port, backend }, [...LENGTHS_AND_CODINGS, ...CHUNKS, ...LEFT_BEHIND, ...HOSTS]);
});
