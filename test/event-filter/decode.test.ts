import zlib from 'node:zlib';
import t from 'tap';
import { decodeBody } from '../../src/event-filter/decode.ts';
import type { ContentCoding } from '../../src/event-filter/media.ts';

const LIMIT = 1_000;
const TEXT = Buffer.from('{"name":"login"}');
const ENCODERS: readonly (readonly [ContentCoding, (text: Buffer) => Buffer])[] = [
  ['gzip', (text) => zlib.gzipSync(text)],
  ['deflate', (text) => zlib.deflateSync(text)],
  ['br', (text) => zlib.brotliCompressSync(text)],
  ...('zstdCompressSync' in zlib
    ? [['zstd', (zlib as unknown as { zstdCompressSync: (text: Buffer) => Buffer }).zstdCompressSync] as const]
    : []),
];

async function decode(body: Buffer, coding: ContentCoding): Promise<string> {
  const decision = await decodeBody(body, coding, LIMIT);
  return decision.ok ? decision.value.toString('latin1') : decision.refusal.code;
}

for (const [coding, encode] of ENCODERS) {
  const encoded = encode(TEXT);
  void t.test(coding, async (t) => {
    t.equal(await decode(encoded, coding), TEXT.toString(), 'is decoded');
    t.equal(await decode(encode(Buffer.alloc(0)), coding), '', 'may hold nothing');
    t.equal(await decode(encode(Buffer.alloc(LIMIT, 'x')), coding), 'x'.repeat(LIMIT), 'up to the limit');
    t.equal(await decode(encode(Buffer.alloc(LIMIT + 1)), coding), 'body_too_large', 'not a byte more');
    t.equal(await decode(encode(Buffer.alloc(10_000_000)), coding), 'body_too_large', 'a bomb');

    const refused: readonly (readonly [string, Buffer])[] = [
      ['empty', Buffer.alloc(0)],
      ['not encoded', TEXT],
      ['followed by a byte', Buffer.concat([encoded, Buffer.from('x')])],
      ['followed by zeros', Buffer.concat([encoded, Buffer.alloc(8)])],
      ['followed by another', Buffer.concat([encoded, encode(TEXT)])],
      ['followed by an empty one', Buffer.concat([encoded, encode(Buffer.alloc(0))])],
      ['after an empty one', Buffer.concat([encode(Buffer.alloc(0)), encoded])],
    ];
    for (const [what, body] of refused) t.equal(await decode(body, coding), 'invalid_json', what);
    for (let length = 0; length < encoded.length; length++)
      t.equal(await decode(encoded.subarray(0, length), coding), 'invalid_json', `cut off after ${length}`);
  });
}

void t.test('identity is the body itself', async (t) => {
  const decision = await decodeBody(TEXT, 'identity', LIMIT);
  t.ok(decision.ok && decision.value === TEXT);
  t.equal(await decode(Buffer.alloc(LIMIT + 1), 'identity'), 'body_too_large');
});

void t.test('deflate is the zlib format: without its header it could be something else', async (t) => {
  t.equal(await decode(zlib.deflateRawSync(TEXT), 'deflate'), 'invalid_json');
  t.equal(await decode(zlib.deflateSync(TEXT, { dictionary: Buffer.from('name') }), 'deflate'), 'invalid_json');
});

/** A gzip header with flags and the fields that they announce. */
const head = (flags: number, ...fields: readonly string[]): Buffer =>
  Buffer.concat([Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3]), Buffer.from(fields.join(''), 'latin1')]);

function withSum(bytes: Buffer): Buffer {
  const sum = Buffer.alloc(2);
  sum.writeUInt16LE(zlib.crc32(bytes) & 0xffff);
  return Buffer.concat([bytes, sum]);
}

void t.test('gzip with every optional field of RFC 1952', async (t) => {
  const deflated = zlib.deflateRawSync(TEXT);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(zlib.crc32(TEXT));
  trailer.writeUInt32LE(TEXT.length, 4);
  const gzip = (header: Buffer, end = trailer): Promise<string> =>
    decode(Buffer.concat([header, deflated, end]), 'gzip');

  t.equal(await gzip(head(0)), TEXT.toString(), 'none');
  t.equal(await gzip(head(1)), TEXT.toString(), 'text flag');
  t.equal(await gzip(head(4, '\x03\0abc')), TEXT.toString(), 'extra field');
  t.equal(await gzip(head(8, 'a.json\0')), TEXT.toString(), 'file name');
  t.equal(await gzip(head(16, 'hello\0')), TEXT.toString(), 'comment');
  t.equal(await gzip(withSum(head(2))), TEXT.toString(), 'header checksum');
  t.equal(await gzip(withSum(head(0x1f, '\x03\0abc', 'a.json\0', 'hello\0'))), TEXT.toString(), 'all');

  t.equal(await gzip(head(0x20)), 'invalid_json', 'a reserved flag');
  t.equal(await gzip(head(2, 'xx')), 'invalid_json', 'a wrong header checksum');
  t.equal(await gzip(Buffer.from([0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 3])), 'invalid_json', 'another method');
  t.equal(await decode(head(4, '\xff\xff'), 'gzip'), 'invalid_json', 'an extra field past the end');
  t.equal(await decode(head(4), 'gzip'), 'invalid_json', 'an extra field without its length');
  t.equal(await decode(head(8, 'endless'), 'gzip'), 'invalid_json', 'a file name without an end');
  t.equal(await decode(head(2), 'gzip'), 'invalid_json', 'a header checksum that is missing');
  const otherSum = Buffer.from(trailer);
  otherSum.writeUInt32LE(zlib.crc32(TEXT) ^ 1);
  t.equal(await gzip(head(0), otherSum), 'invalid_json', 'a wrong checksum');
  const longer = Buffer.from(trailer);
  longer.writeUInt32LE(TEXT.length + 1, 4);
  t.equal(await gzip(head(0), longer), 'invalid_json', 'a wrong length');
});

void t.test('a body that is not coded may be as large as the limit, and not a byte larger', async (t) => {
  t.equal(await decode(Buffer.alloc(LIMIT, 'x'), 'identity'), 'x'.repeat(LIMIT));
  t.equal(await decode(Buffer.alloc(LIMIT + 1, 'x'), 'identity'), 'body_too_large');
});

void t.test('what is called gzip has the header of gzip, also where the rest would do', async (t) => {
  const whole = zlib.gzipSync(TEXT);
  const headless = whole.subarray(10);
  t.equal(await decode(whole, 'gzip'), TEXT.toString());
  t.not(await decode(headless, 'gzip'), TEXT.toString());
});

void t.test('zstd that is none, or that this Node cannot read, is no JSON', async (t) => {
  for (const body of ['', '{}', '\x28\xb5\x2f\xfd'])
    t.equal(await decode(Buffer.from(body, 'latin1'), 'zstd'), 'invalid_json', JSON.stringify(body));
});
