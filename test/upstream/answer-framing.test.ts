import t from 'tap';
import { decode, flawOf, tellsItsEnd } from '../../src/upstream/answer-framing.ts';

void t.test('header bytes become text without a loss', (t) => {
  const bytes = Buffer.from([0x58, 0xe9, 0xff, 0x00]);
  t.same(decode([bytes, 'b']), ['X\xe9\xff\0', 'b']);
  t.end();
});

void t.test('an answer tells its end by a length or by chunks', (t) => {
  t.ok(tellsItsEnd(['CONTENT-LENGTH', '0']));
  t.ok(tellsItsEnd(['A', 'b', 'transfer-encoding', 'chunked']));
  t.notOk(tellsItsEnd(['Content-Type', 'content-length']));
  t.end();
});

void t.test('framing that can be read in two ways is a flaw, whatever it is spelt like', (t) => {
  const length = ['Content-Length', '2'];
  const chunked = ['Transfer-Encoding', 'chunked'];
  for (const headers of [[], length, chunked, ['TRANSFER-ENCODING', ' Chunked '], ['X-Content-Length', '1', ...length]])
    t.equal(flawOf(headers), null, headers.join());
  t.equal(flawOf([...length, 'content-length', '2']), 'repeated Content-Length');
  t.equal(flawOf([...chunked, 'transfer-encoding', 'chunked']), 'repeated Transfer-Encoding');
  t.equal(flawOf([...length, ...chunked]), 'Content-Length with Transfer-Encoding');
  for (const coding of ['gzip, chunked', 'identity', '', 'chunked;a', '\x0bchunkedx'])
    t.equal(flawOf(['Transfer-Encoding', coding]), 'transfer coding other than chunked', coding);
  t.end();
});
