/** Answers of backends, right and wrong: every framing, put together from odd parts, spoilt, followed by more, and cut anywhere. */
import * as fc from 'fast-check';

export interface AnswerCase {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly bytes: Buffer;
  /** Places where it is cut into packets. */
  readonly cuts: readonly number[];
  /** The backend closes the connection behind it. */
  readonly ends: boolean;
}

/** What was read of an answer. */
export interface Reading {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly string[];
  /** latin1. */
  readonly body: string;
  readonly trailers: readonly string[];
  readonly reusable: boolean;
}

/** The pieces between the places, in order. */
export function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...places]
    .map((from, i) => bytes.subarray(from, places[i] ?? bytes.length))
    .filter((piece) => piece.length > 0);
}

/** Mostly the first of them. */
const mostly = (usual: string, ...odd: string[]): fc.Arbitrary<string> =>
  fc.oneof({ arbitrary: fc.constant(usual), weight: 60 }, { arbitrary: fc.constantFrom(...odd), weight: 1 });

const lineEnd = mostly('\r\n', '\n', '\r', '\r\r\n', '\n\r', '\r\n ', '');
const version = mostly(
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/1.0',
  'HTTP/2.0',
  'HTTP/0.9',
  'http/1.1',
  'HTTP/1.2',
  'HTTP/11',
  ' HTTP/1.1',
  '\r\nHTTP/1.1',
  'ICY',
);
const status = fc.oneof(
  { arbitrary: fc.constantFrom('200', '204', '304', '404', '206', '205', '500'), weight: 30 },
  { arbitrary: fc.constantFrom('101', '099', '20', '2000', '999', '-20', '2 0', '100', '000', '+20'), weight: 1 },
);
const reason = mostly(' OK', '', ' ', ' A  B ', ' \xe9\xff', ' a\tb', ' a\0b', ' \x7f', '  two', '\tOK', ' 200');

const field = fc.oneof(
  {
    arbitrary: fc.constantFrom(
      'A: b',
      'Set-Cookie: a=1',
      'set-cookie:b',
      'X-Empty:',
      'X-Space: \t v \t',
      'Date: Thu, 01 Jan 1970',
      'X-UP: \xe9\xff',
      'Content-Type: text/plain',
      'Keep-Alive: timeout=5',
      'Upgrade: h2c',
    ),
    weight: 30,
  },
  {
    arbitrary: fc.constantFrom(
      'Bad Name: 1',
      'Name : 1',
      ': 1',
      'nocolon',
      'X: a\0b',
      'X: a\x7fb',
      'X: a\x01',
      ' folded',
      '\tfolded',
      'X: a\rb',
      'X: a\nb',
      'X\xe9: 1',
      'X(: 1',
      '"X": 1',
      'X\t: 1',
      'X:a:b',
      'X: \x0bv',
      'X: \x80',
      'X: v\x0c',
    ),
    weight: 1,
  },
);
const connection = fc.constantFrom(
  'Connection: keep-alive',
  'Connection: close',
  'Connection: Close',
  'Connection: close, x',
  'Connection: x, close',
  'Connection: x,keep-alive',
  'Connection: Upgrade',
  'Proxy-Connection: close',
  'Proxy-Connection: keep-alive',
  'Connection: close x',
  'Connection:',
  'Connection: ,',
  'Connection: closed',
  'Connection: not-close',
  'Connection: keep-alive, close',
  'Connection: keep-alive\r\nConnection: close',
  'Connection: close\r\nConnection: keep-alive',
  'Connection: "close"',
  'Connection: close;a',
  'Connection: \tclose\t',
);
const oddLength = fc.constantFrom(
  '-1',
  '+5',
  '0x5',
  '05',
  '5,5',
  '5, 5',
  '5 5',
  '',
  ' ',
  '5.0',
  '5e0',
  '99999999999999999999',
  '18446744073709551617',
  '5\t',
  '\x0b5',
  '٥',
);
const coding = fc.oneof(
  { arbitrary: fc.constantFrom('chunked', 'chunked', 'chunked', 'Chunked', 'CHUNKED', ' chunked\t'), weight: 25 },
  {
    arbitrary: fc.constantFrom(
      'gzip, chunked',
      'chunked, gzip',
      'identity',
      '',
      'chunked,',
      ',chunked',
      'chunked, chunked',
      'xchunked',
      'chunkedx',
      '\x0bchunked',
      'chunked;a',
      '"chunked"',
      'c hunked',
      'gzip',
    ),
    weight: 1,
  },
);

const content = fc.oneof(
  fc.constantFrom(
    '',
    'hi',
    '0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    '\r\n',
    '5\r\nhello\r\n0\r\n\r\n',
  ),
  fc.string({ maxLength: 40 }).map((text) => Buffer.from(text).toString('latin1')),
);

const extension = mostly(
  '',
  ';a',
  ';a=b',
  ';a="b c"',
  ';a="\\""',
  ';',
  ' ',
  '; a',
  ';a;b=1',
  ';a="',
  '\t',
  ';a =b',
  ';\x01',
  ';é',
  ';a="\xe9"',
  ';=b',
  ';a=',
  ';a=""',
  ';a="\\\x01"',
  ';;',
  ';a="\n"',
  ';a=\r',
);
const chunkEnd = mostly('\r\n', '\n', '', '\r', '\r\n\r\n', 'x\r\n');
const sized = fc.tuple(
  fc.constantFrom(...'hello! A packet of some more bytes\r\n'.split(' ').flatMap((word) => [word, word.repeat(5)])),
  mostly('', '0', '000', '0000000000000000', '0x', '-', '+', ' ', '\t'),
  extension,
  lineEnd,
  chunkEnd,
  fc.boolean(),
);
const chunk = sized.map(([bytes, prefix, ext, line, end, upper]) => {
  const digits = bytes.length.toString(16);
  return `${prefix}${upper ? digits.toUpperCase() : digits}${ext}${line}${bytes}${end}`;
});
const lastChunk = fc.tuple(
  mostly('0', '00', '000000000000000000000', '', 'z', '0x0', '-0', '1', 'fffffffffffffffff'),
  extension,
  lineEnd,
);
const trailers = fc.oneof(
  { arbitrary: fc.constant(''), weight: 4 },
  {
    arbitrary: fc
      .array(fc.oneof(field, fc.constantFrom('Content-Length: 5', 'Transfer-Encoding: chunked', 'Connection: close')), {
        maxLength: 3,
      })
      .map((all) => all.map((one) => `${one}\r\n`).join('')),
    weight: 1,
  },
);
const chunks = fc
  .tuple(fc.array(chunk, { maxLength: 4 }), lastChunk, trailers, lineEnd)
  .map(([all, last, trailing, end]) => `${all.join('')}${last.join('')}${trailing}${end}`);

/** Framing fields and the content that they announce, or something near it. */
const framed = fc.oneof(
  { arbitrary: content.map((text) => ({ fields: [`Content-Length: ${text.length}`], text })), weight: 6 },
  {
    arbitrary: fc.tuple(coding, chunks).map(([value, text]) => ({ fields: [`Transfer-Encoding: ${value}`], text })),
    weight: 6,
  },
  { arbitrary: content.map((text) => ({ fields: [] as string[], text })), weight: 2 },
  {
    arbitrary: fc.tuple(oddLength, content).map(([length, text]) => ({ fields: [`Content-Length: ${length}`], text })),
    weight: 1,
  },
  {
    arbitrary: fc
      .tuple(
        fc.array(
          fc.oneof(
            fc.constantFrom('Content-Length: 2', 'Content-Length: 3', 'content-length: 2', 'Content_Length: 2'),
            coding.map((value) => `Transfer-Encoding: ${value}`),
          ),
          { minLength: 2, maxLength: 3 },
        ),
        fc.oneof(content, chunks),
      )
      .map(([fields, text]) => ({ fields, text })),
    weight: 1,
  },
);

const interim = fc.constantFrom(
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
  'HTTP/1.1 102\r\n\r\n',
  'HTTP/1.1 100 C\r\nContent-Length: 2\r\n\r\n',
  'HTTP/1.1 100 C\r\nTransfer-Encoding: chunked\r\n\r\n',
  'HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  'HTTP/1.0 100 C\r\n\r\n',
  'HTTP/1.1 199 X\r\nConnection: close\r\n\r\n',
);
const few = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.oneof(
    { arbitrary: fc.constant<T[]>([]), weight: 6 },
    { arbitrary: fc.array(one, { minLength: 1, maxLength: 3 }), weight: 1 },
  );

const answer = fc
  .record({
    before: few(interim),
    line: fc.tuple(version, mostly(' ', '', '  ', '\t'), status, reason, lineEnd).map((parts) => parts.join('')),
    fields: fc.array(
      fc.tuple(field, lineEnd).map((parts) => parts.join('')),
      { maxLength: 4 },
    ),
    said: few(connection),
    framed,
    place: fc.nat(),
    end: lineEnd,
  })
  .map(({ before, line, fields, said, framed: { fields: framing, text }, place, end }) => {
    const own = [...framing, ...said].map((one) => `${one}\r\n`);
    return `${before.join('')}${line}${fields.toSpliced(place % (fields.length + 1), 0, ...own).join('')}${end}${text}`;
  });

/** One byte more, less or other. */
const flaw = fc.record({
  at: fc.nat(),
  kind: fc.constantFrom('insert', 'remove', 'replace', 'double'),
  byte: fc.oneof(
    fc.constantFrom(...'\r\n :;,\t\x000159aF"'.split('')),
    fc.nat(255).map((code) => String.fromCharCode(code)),
  ),
});
const spoil = (text: string, { at, kind, byte }: { at: number; kind: string; byte: string }): string => {
  const place = at % (text.length + 1);
  const rest = text.slice(place);
  if (kind === 'insert') return text.slice(0, place) + byte + rest;
  if (kind === 'double') return text.slice(0, place) + rest.slice(0, 7) + rest;
  return text.slice(0, place) + (kind === 'replace' ? byte : '') + rest.slice(1);
};

const behind = fc.constantFrom(
  '\r\n',
  'x',
  'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil',
  'HTTP/1.1 408 Late\r\n\r\n',
  '0\r\n\r\n',
);
const cuts = fc.oneof(
  { arbitrary: fc.constant<number[]>([]), weight: 2 },
  { arbitrary: fc.array(fc.nat(4_000), { maxLength: 6 }), weight: 3 },
  // At every byte.
  { arbitrary: fc.constant(Array.from({ length: 1_500 }, (_, place) => place)), weight: 1 },
);

export const answerCase: fc.Arbitrary<AnswerCase> = fc
  .record({
    method: fc.constantFrom('GET' as const, 'GET' as const, 'POST' as const, 'HEAD' as const),
    answer,
    flaws: few(flaw),
    behind: few(behind),
    cuts,
    ends: fc.boolean(),
  })
  .map((made) => ({
    method: made.method,
    bytes: Buffer.from(made.flaws.reduce(spoil, made.answer) + made.behind.join(''), 'latin1'),
    cuts: made.cuts,
    ends: made.ends,
  }));
