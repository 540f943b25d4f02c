/**
 * Undoes the content coding of a body, under a limit for what comes out.
 * A stream that is broken, or that does not end where the body ends, is refused: readers differ in what they make of the rest.
 */
import zlib from 'node:zlib';
import { allowed, type Decision, refusal, refused } from '../refusal.ts';
import type { ContentCoding } from './media.ts';

const NOT_DECODABLE = refused(
  refusal('invalid_json', 'Content-Encoding: the body is not one whole stream of that coding'),
);
const TOO_LARGE = refused(refusal('body_too_large', 'maxBodyBytes: the decoded body is larger'));

/** RFC 9659 section 3: a zstd window of at most 8 MiB, so that a small body cannot claim a large buffer. */
const ZSTD_WINDOW_LOG_MAX = 23;

/** The decoded body: at most `maxBytes` long, else 413 `body_too_large`. Never rejects. */
export function decodeBody(body: Buffer, coding: ContentCoding, maxBytes: number): Promise<Decision<Buffer>> {
  return DECODERS[coding](body, maxBytes);
}

type Decode = (body: Buffer, maxOutputLength: number) => Promise<Decision<Buffer>>;

const DECODERS: Readonly<Record<ContentCoding, Decode>> = {
  identity: (body, maxBytes) => Promise.resolve(body.length > maxBytes ? TOO_LARGE : allowed(body)),
  gzip: decodeGzip,
  deflate: (body, maxOutputLength) => decodeWhole(zlib.inflate, body, { maxOutputLength }),
  br: (body, maxOutputLength) => decodeWhole(zlib.brotliDecompress, body, { maxOutputLength }),
  zstd: decodeZstd,
};

/** What a decoder made of its input. */
interface Stream {
  readonly text: Buffer;
  /** Bytes of the input that belonged to the stream. */
  readonly consumed: number;
}

/** For formats that Node decodes strictly: one stream, which has to end where the body ends. */
async function decodeWhole(decoder: Decoder, body: Buffer, options: DecoderOptions): Promise<Decision<Buffer>> {
  const stream = await decompress(decoder, body, options);
  if (!stream.ok) return stream;
  return stream.value.consumed === body.length ? allowed(stream.value.text) : NOT_DECODABLE;
}

const GZIP_TRAILER_BYTES = 8;

/**
 * One gzip member (RFC 1952) and nothing else. Node's own decoder joins several members and passes over zeros after the last;
 * other readers stop after the first.
 */
async function decodeGzip(body: Buffer, maxOutputLength: number): Promise<Decision<Buffer>> {
  const start = skipGzipHeader(body);
  if (start === null) return NOT_DECODABLE;
  const stream = body.subarray(start);
  const deflated = await decompress(zlib.inflateRaw, stream, { maxOutputLength });
  if (!deflated.ok) return deflated;
  const { text, consumed } = deflated.value;
  if (stream.length !== consumed + GZIP_TRAILER_BYTES) return NOT_DECODABLE;
  const isIntact =
    stream.readUInt32LE(consumed) === zlib.crc32(text) && stream.readUInt32LE(consumed + 4) === text.length;
  return isIntact ? allowed(text) : NOT_DECODABLE;
}

/** RFC 1952 2.3: where the compressed data begins; null when the header is malformed or has a reserved flag. */
function skipGzipHeader(body: Buffer): number | null {
  const flags = body[3];
  if (flags === undefined || body[0] !== 0x1f || body[1] !== 0x8b || body[2] !== 8 || flags > 0x1f) return null;
  let at = 10;
  if ((flags & 0x04) !== 0) {
    if (at + 2 > body.length) return null;
    at += 2 + body.readUInt16LE(at);
  }
  // The file name and the comment each end with a zero.
  for (const flag of [0x08, 0x10]) {
    if ((flags & flag) === 0) continue;
    const zero = body.indexOf(0, at);
    if (zero === -1) return null;
    at = zero + 1;
  }
  if ((flags & 0x02) !== 0) {
    if (at + 2 > body.length || body.readUInt16LE(at) !== (zlib.crc32(body.subarray(0, at)) & 0xffff)) return null;
    at += 2;
  }
  return at <= body.length ? at : null;
}

/** The type declarations of the oldest Node that is supported do not have zstd. */
const zstd = zlib as unknown as {
  readonly zstdDecompress?: Decoder;
  readonly constants: { readonly ZSTD_d_windowLogMax: number };
};

function decodeZstd(body: Buffer, maxOutputLength: number): Promise<Decision<Buffer>> {
  if (zstd.zstdDecompress === undefined) return Promise.resolve(NOT_DECODABLE);
  const params = { [zstd.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX };
  return decodeWhole(zstd.zstdDecompress, body, { maxOutputLength, params });
}

interface DecoderOptions {
  readonly maxOutputLength: number;
  readonly params?: Readonly<Record<number, number>>;
}
type Decoder = (
  input: Buffer,
  options: DecoderOptions & { readonly info: true },
  callback: (error: NodeJS.ErrnoException | null, result: Buffer) => void,
) => void;

/** Runs one of Node's decoders off the main thread. With `info` it tells how much of its input it used. */
function decompress(decoder: Decoder, input: Buffer, options: DecoderOptions): Promise<Decision<Stream>> {
  return new Promise((resolve) => {
    decoder(input, { ...options, info: true }, (error, result) => {
      if (error !== null) return resolve(error.code === 'ERR_BUFFER_TOO_LARGE' ? TOO_LARGE : NOT_DECODABLE);
      // The type declarations know only the result without `info`.
      const { buffer, engine } = result as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
      return resolve(allowed({ text: buffer, consumed: engine.bytesWritten }));
    });
  });
}
