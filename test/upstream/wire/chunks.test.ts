import * as fc from 'fast-check';
import t from 'tap';
import { ChunkReader } from '../../../src/upstream/wire/chunks.ts';

/** Reads in packets of a size; what lies behind the content is counted. */
function read(text: string, size = text.length) {
  const chunks = new ChunkReader();
  const bytes = Buffer.from(text, 'latin1');
  let body = '';
  let pieces = 0;
  let at = 0;
  while (at < bytes.length && !chunks.done && chunks.flaw === null) {
    const packet = Buffer.from(bytes.subarray(at, at + size));
    at += chunks.read(packet, 0);
    body += packet.toString('latin1', chunks.contentStart, chunks.contentEnd);
    if (chunks.contentEnd > chunks.contentStart) pieces += 1;
  }
  const { flaw, done, trailers } = chunks;
  return { flaw, done, trailers, body, pieces, left: bytes.length - at };
}

void t.test('chunks are one content, however they and the packets are cut', async (t) => {
  const pieces = fc.array(fc.string({ minLength: 1, maxLength: 30 }).map((one) => Buffer.from(one).toString('latin1')));
  fc.assert(
    fc.property(pieces, fc.integer({ min: 1, max: 50 }), fc.boolean(), (parts, size, trailing) => {
      const sent = parts.map((one) => `${one.length.toString(16)};a="b;\\"c"\r\n${one}\r\n`).join('');
      const end = `0\r\n${trailing ? 'A: b\r\n' : ''}\r\n`;
      const result = read(sent + end, size);
      if (!result.done || result.body !== parts.join('') || result.left !== 0 || result.flaw !== null) return false;
      return result.trailers.join() === (trailing ? 'A,b' : '');
    }),
    { numRuns: 300, seed: 1 },
  );
  const many = read(`${'1\r\nx\r\n'.repeat(1_000)}0\r\n\r\nmore`);
  t.strictSame(
    [many.body.length, many.pieces, many.left],
    [1_000, 1, 4],
    'a packet is one piece, and what follows is left',
  );
});

void t.test('sizes have one reading', async (t) => {
  t.equal(read('00A\r\n0123456789\r\n0\r\n\r\n').body, '0123456789');
  t.equal(read('0000000000000000\r\n\r\n').done, true);
  const odd = [
    '',
    'z',
    '-1',
    '+1',
    '0x1',
    '1 ',
    ' 1',
    '1\t',
    '1,',
    '1h',
    '\xb9',
    '00000000000000001',
    '20000000000000',
    'FFFFFFFFFFFFFFFF',
  ];
  for (const size of odd) t.equal(read(`${size}\r\na\r\n0\r\n\r\n`).flaw, 'bad chunk size', JSON.stringify(size));
  for (const size of ['1', '1 ', '1x', '1;', '1\0', 'aa\t'])
    for (const pieces of [1, 2, 100])
      t.equal(read(`${size}\nx\r\n0\r\n\r\n`, pieces).flaw, 'a line that does not end with CRLF', size);
  t.equal(read('1\r\r\nx\r\n0\r\n\r\n').flaw, 'bad chunk size');
  t.equal(read('1FFFFFFFFFFFFF\r\na').flaw, null, 'as large as can be counted');
  for (const end of ['\n', 'x\r\n', '\r\r\n', '\rx'])
    t.equal(read(`1\r\nx${end}0\r\n\r\n`).flaw, 'a chunk that is longer than its size', JSON.stringify(end));
});

void t.test('extensions are passed over when they are in form, and not too many', async (t) => {
  for (const extension of ['', ';a', ';a=b', ';a=b;c', ';a=""', ';a=" ;\\"\t\xe9"'])
    t.equal(read(`1${extension}\r\nx\r\n0${extension}\r\n\r\n`).body, 'x', extension);
  for (const extension of [
    ';',
    ';a=',
    ';=b',
    ';a =b',
    '; a',
    ';a;',
    ';a="',
    ';a="b',
    ';a="\x01"',
    ';a="\\\x01"',
    ';a b',
    ';\xe9',
    ';a\r',
  ])
    t.equal(read(`1${extension}\r\nx\r\n0\r\n\r\n`).flaw, 'bad chunk extension', JSON.stringify(extension));
  const long = `1;a=${'b'.repeat(4_000)}\r\nx\r\n`;
  t.equal(read(`${long.repeat(4)}0\r\n\r\n`).body, 'xxxx');
  t.equal(read(`${long.repeat(5)}0\r\n\r\n`).flaw, 'bad chunk extension');
  const most = `1;a=${'b'.repeat(4_086)}\r\nx\r\n`.repeat(4);
  t.equal(read(`${most}1;\r\nx\r\n0\r\n\r\n`).flaw, 'bad chunk extension');
  const rest = 16_384 - 4 * ';a='.length - 4 * 4_086;
  t.equal(read(`${most}1;${'c'.repeat(rest - 1)}\r\nx\r\n0\r\n\r\n`).body, 'xxxxx', 'as many as there may be');
  t.equal(read(`${most}1;${'c'.repeat(rest)}\r\nx\r\n0\r\n\r\n`).flaw, 'bad chunk extension', 'one more');
  t.match(read(`1;a=${'b'.repeat(5_000)}`, 100).flaw, /^more than 4096 bytes /, 'a line without end');
  const longest = `1;a=${'b'.repeat(4_096 - '1;a=\r\n'.length)}\r\n`;
  for (const size of [100, 5_000]) t.equal(read(`${longest}x\r\n0\r\n\r\n`, size).body, 'x', 'as long as one may be');
});

void t.test('trailers are fields, of bounded size, and frame nothing', async (t) => {
  t.strictSame(read('0\r\nA: b\r\nC:\r\n\r\n', 3).trailers, ['A', 'b', 'C', '']);
  t.equal(read('0\r\nBad Name: b\r\n\r\n').flaw, 'bad field name');
  t.type(read('0\r\n5\r\nhello\r\n0\r\n\r\n').flaw, 'string', 'no chunk follows the last');
  t.equal(read('0\r\nA: b\n\r\n').flaw, 'a line that does not end with CRLF');
  for (const name of ['Content-Length', 'transfer-ENCODING'])
    t.equal(read(`0\r\n${name}: 5\r\n\r\n`).flaw, 'a trailer that frames content');
  for (const name of ['Content-Lengths', 'X-Transfer-Encoding', 'Transfer-Encoding-X'])
    t.match(read(`0\r\n${name}: 5\r\n\r\n`), { done: true, flaw: null, trailers: [name, '5'] });
  t.match(read(`0\r\n${'A: b\r\n'.repeat(11_000)}\r\n`).flaw, /^more than 65536 bytes /);
  const most = `0\r\nA:${'b'.repeat(65_536 - 'A:\r\n\r\n'.length)}\r\n\r\n`;
  t.ok(read(most).done);
  t.match(read(most.replace('b', 'bb')).flaw, /^more than 65536 bytes /);
});
