import t from 'tap';
import { readHead, type AnswerHead } from '../../../src/upstream/wire/answer-head.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const withFields = (...fields: readonly string[]): string => `${OK}${fields.map((one) => `${one}\r\n`).join('')}\r\n`;

function head(text: string): AnswerHead {
  const read = readHead(text);
  if (typeof read === 'string') throw new Error(`${read}: ${JSON.stringify(text)}`);
  return read;
}

// First, since what was announced last is kept in mind.
void t.test('a time that is announced without a word is none', async (t) => {
  for (const value of ['', 'timeout', '']) t.equal(head(withFields(`Keep-Alive: ${value}`)).keepAliveMs, -1);
});

void t.test('a head is read with its status, reason, fields and framing', async (t) => {
  t.strictSame(head('HTTP/1.1 207 Fine Thing\r\nSet-Cookie: a\r\nset-cookie: \xe9\r\nContent-Length: 12\r\n\r\n'), {
    status: 207,
    reason: 'Fine Thing',
    headers: ['Set-Cookie', 'a', 'set-cookie', '\xe9', 'Content-Length', '12'],
    length: 12,
    chunked: false,
    persistent: true,
    keepAliveMs: -1,
  });
  t.strictSame(head('HTTP/1.0 999\r\n\r\n'), {
    status: 999,
    reason: '',
    headers: [],
    length: -1,
    chunked: false,
    persistent: false,
    keepAliveMs: -1,
  });
  t.equal(head('HTTP/1.1 200 \r\n\r\n').reason, '');
  t.equal(head('HTTP/1.1 200  O\x01K\xd6 \r\n\r\n').reason, ' O\x01K\xd6 ');
});

void t.test('a status line has one form', async (t) => {
  const lines = [
    '',
    'HTTP/1.1',
    'HTTP/1.1 ',
    'HTTP/1.1 20',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 2 0 OK',
    'HTTP/1.1 -20 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1 000',
    'HTTP/1.1  200 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.1 200\tOK',
    'HTTP/1.1 20a',

    'HTTP/1.2 200 OK',
    'HTTP/2.0 200 OK',
    'HTTP/0.9 200 OK',
    'HTTP/1 200 OK',
    'HTTP/1.10 200 OK',
    'http/1.1 200 OK',

    ' HTTP/1.1 200 OK',
    '\r\nHTTP/1.1 200 OK',
    'ICY 200 OK',
    'HTTP/1.1 200 O\nK',
    'HTTP/1.1 200 O\rK',
    'HTTP/1.1 200\n',
  ];
  for (const line of lines) t.type(readHead(`${line}\r\n\r\n`), 'string', JSON.stringify(line));
  t.type(readHead(`HTTP/1.1 200 OK\n\r\n`), 'string', 'a bare LF');
});

void t.test('a length is given once, in plain digits', async (t) => {
  t.equal(head(withFields('content-LENGTH:  0 ')).length, 0);
  t.equal(head(withFields('Content-Length: 999999999999999')).length, 999_999_999_999_999);
  t.equal(head(withFields('Content_Length: 5', 'Content-Lengthy: 1')).length, -1);
  const odd = [
    '',
    '-1',
    '+5',
    '0x5',
    '05',
    '00',
    '5,5',
    '5, 5',
    '5 5',
    '5.0',
    '5e0',
    '1000000000000000',
    '\u0665',
    '\xb2',
    '5\t',
    '\t5',
  ];
  for (const value of odd) t.type(readHead(withFields(`Content-Length: ${value}`)), 'string', JSON.stringify(value));
  t.equal(readHead(withFields('Content-Length: 2', 'content-length: 2')), 'repeated Content-Length');
});

void t.test('the one coding is chunked, said once, in HTTP/1.1, without a length', async (t) => {
  for (const coding of ['chunked', 'Chunked', ' CHUNKED  ']) {
    const { chunked, length } = head(withFields(`Transfer-Encoding:${coding}`));
    t.strictSame([chunked, length], [true, -1], coding);
  }
  for (const coding of [
    '',
    'gzip',
    'gzip, chunked',
    'chunked, gzip',
    'chunked, chunked',
    'chunked,',
    'identity',
    'xchunked',
    '"chunked"',
    'chunked;a',
  ])
    t.equal(readHead(withFields(`Transfer-Encoding: ${coding}`)), 'transfer coding other than chunked', coding);
  for (const field of [
    'Transfer-Encoding: chunked\t',
    'Content-Length:\t5',
    'content-length: 5\t',
    'X: y\r\nContent-Length: \t5',
  ])
    t.equal(readHead(withFields(field)), 'a tab in a field that frames content', JSON.stringify(field));
  const chunked = 'Transfer-Encoding: chunked';
  t.equal(readHead(withFields(chunked, chunked)), 'repeated Transfer-Encoding');
  for (const both of [
    [chunked, 'Content-Length: 2'],
    ['Content-Length: 0', chunked],
  ])
    t.equal(readHead(withFields(...both)), 'Content-Length with Transfer-Encoding');
  t.equal(readHead(`HTTP/1.0 200 OK\r\n${chunked}\r\n\r\n`), 'Transfer-Encoding with HTTP/1.0');
});

void t.test('a connection is kept when the backend keeps it without a doubt', async (t) => {
  const kept = (line: string, ...fields: readonly string[]): boolean =>
    head(withFields(...fields).replace(OK, line)).persistent;
  for (const [value, in11, in10] of [
    ['keep-alive', true, true],
    ['Keep-Alive, x', true, true],
    ['x', true, false],
    ['close', false, false],
    ['CLOSE', false, false],
    ['x , close', false, false],
    ['keep-alive, close', false, false],
    ['', false, false],
    ['x y', false, false],
    ['"x"', false, false],
    ['x\t', false, false],
  ] as const)
    for (const name of ['Connection', 'proxy-connection']) {
      t.equal(kept(OK, `${name}: ${value}`), in11, `${name}: ${value}`);
      t.equal(kept('HTTP/1.0 200 OK\r\n', `${name}: ${value}`), in10, `HTTP/1.0 ${name}: ${value}`);
    }
  t.notOk(kept(OK, 'Connection: close', 'Connection: keep-alive'));
  t.notOk(kept(OK, 'Connection: keep-alive', 'Connection: close'));
});

void t.test('a backend may announce how long it keeps a connection', async (t) => {
  for (const [value, ms] of [
    ['timeout=5', 5_000],
    ['max=100, TIMEOUT=15', 15_000],
    ['timeout=0', 0],
    ['timeout=5s', 5_000],
    ['mytimeout=5', -1],
    ['timeout=-5', -1],
    ['timeout=12345678901', -1],
    ['', -1],
  ] as const)
    t.equal(head(withFields(`Keep-Alive: ${value}`)).keepAliveMs, ms, value);
});

void t.test('an interim response has no content, and is not the last', async (t) => {
  t.equal(head('HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n').status, 100);
  for (const text of [
    'HTTP/1.1 100 C\r\nContent-Length: 2\r\n\r\n',
    'HTTP/1.1 103 C\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 100 C\r\nConnection: close\r\n\r\n',
    'HTTP/1.0 100 C\r\n\r\n',
  ])
    t.match(readHead(text), /^an interim response /, text);
});
