import t from 'tap';
import { sha256Hex, sha256HexOfHeader } from '../../src/lib/digest.ts';

t.test('SHA-256 as lower-case hex (FIPS 180-4 examples)', async (t) => {
  t.equal(sha256Hex('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  t.equal(sha256Hex(''), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  t.equal(sha256Hex(Buffer.from('abc')), sha256Hex('abc'));
});

t.test('a header value stands for its bytes', async (t) => {
  const text = 'schl\u00fcssel \u20ac';
  t.equal(sha256HexOfHeader(Buffer.from(text).toString('latin1')), sha256Hex(text));
  t.equal(sha256HexOfHeader('abc'), sha256Hex('abc'));
});

t.test('a header value is digested as the bytes that were sent, wherever they are beyond ASCII', async (t) => {
  for (const code of [0x00, 0x7e, 0x7f, 0x80, 0x81, 0xe9, 0xff])
    for (const [before, after] of [
      ['', ''],
      ['a', ''],
      ['', 'b'],
      ['a', 'b'],
    ]) {
      const bytes = Buffer.from([...Buffer.from(before ?? ''), code, ...Buffer.from(after ?? '')]);
      t.equal(sha256HexOfHeader(bytes.toString('latin1')), sha256Hex(bytes), bytes.toString('hex'));
    }
});
