/**
 * Follows the framing of one chunked body (RFC 9112 7.1) over any number of packets, stricter than Node's parser, and says
 * where it ends. Sees sizes, extensions and line ends only; the data it skips.
 */

/** Eight digits are 4 GiB in one chunk: past that a second parser may overflow. */
const MAX_SIGNIFICANT_DIGITS = 8;
const MAX_DIGITS = 16;
const MAX_EXTENSION_BYTES = 256;

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;

type Phase =
  | 'size'
  | 'extension'
  | 'size-lf'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'trailer-start'
  | 'trailer-line'
  | 'trailer-lf'
  | 'last-lf';

/** What a packet brought: the body goes on, it ended before offset `at`, or its framing is not acceptable. */
export type FramingStep =
  | { readonly kind: 'more' }
  | { readonly kind: 'end'; readonly at: number }
  | { readonly kind: 'violation'; readonly why: string };

export interface ChunkFraming {
  /** Follows `packet` from offset `start` on. Not to be called again after an end or a violation. */
  readonly follow: (packet: Uint8Array, start: number) => FramingStep;
}

const MORE: FramingStep = { kind: 'more' };

/** Starts at the first byte after a header section. */
export function followChunks(): ChunkFraming {
  let phase: Phase = 'size';
  let size = 0;
  let digits = 0;
  let significant = 0;
  let extensionBytes = 0;

  const readSize = (byte: number): string | null => {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      size = size * 16 + digit;
      if (size > 0) significant++;
      if (++digits > MAX_DIGITS || significant > MAX_SIGNIFICANT_DIGITS) return 'chunk size has too many digits';
      return null;
    }
    if (digits === 0) return 'chunk without a size';
    if (byte === SEMICOLON) phase = 'extension';
    else if (byte === CR) phase = 'size-lf';
    else return 'chunk size is not hexadecimal';
    return null;
  };

  const readExtension = (byte: number): string | null => {
    if (byte === CR) phase = 'size-lf';
    else if (++extensionBytes > MAX_EXTENSION_BYTES) return 'chunk extension is too long';
    return null;
  };

  const expect = (byte: number, wanted: number, next: Phase): string | null => {
    phase = next;
    return byte === wanted ? null : 'chunk line does not end in CRLF';
  };

  const startChunk = (): void => {
    size = digits = significant = extensionBytes = 0;
  };

  /** One byte of anything but data; a reason when it may not stand there. */
  const readByte = (byte: number): string | null => {
    switch (phase) {
      case 'size':
        return readSize(byte);
      case 'extension':
        return readExtension(byte);
      case 'size-lf':
        return expect(byte, LF, size === 0 ? 'trailer-start' : 'data');
      case 'data-cr':
        return expect(byte, CR, 'data-lf');
      case 'data-lf':
        startChunk();
        return expect(byte, LF, 'size');
      case 'trailer-start':
        phase = byte === CR ? 'last-lf' : 'trailer-line';
        return null;
      case 'trailer-line':
        if (byte === CR) phase = 'trailer-lf';
        return null;
      case 'trailer-lf':
        return expect(byte, LF, 'trailer-start');
      case 'last-lf':
        return byte === LF ? null : 'chunked body does not end in CRLF';
      case 'data':
    }
    return null;
  };

  const follow = (packet: Uint8Array, start: number): FramingStep => {
    let i = start;
    while (i < packet.length) {
      if (phase === 'data') {
        const skipped = Math.min(size, packet.length - i);
        size -= skipped;
        i += skipped;
        if (size === 0) phase = 'data-cr';
        continue;
      }
      const last = phase === 'last-lf';
      const why = readByte(packet[i++] as number);
      if (why !== null) return { kind: 'violation', why };
      if (last) return { kind: 'end', at: i };
    }
    return MORE;
  };

  return { follow };
}

/** The value of a hexadecimal digit, -1 for any other byte. */
export function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}
