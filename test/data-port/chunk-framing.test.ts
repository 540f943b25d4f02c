import * as fc from 'fast-check';
import t from 'tap';
import { followChunks, hexDigit, type FramingStep } from '../../src/data-port/chunk-framing.ts';

const follow = (...packets: string[]): FramingStep => {
  const framing = followChunks();
  let step: FramingStep = { kind: 'more' };
  for (const packet of packets) {
    step = framing.follow(Buffer.from(packet, 'latin1'), 0);
    if (step.kind !== 'more') return step;
  }
  return step;
};

void t.test('says where a body ends', async (t) => {
  t.same(follow('0\r\n\r\n'), { kind: 'end', at: 5 });
  t.same(follow('3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\n'), { kind: 'end', at: 13 });
  t.same(follow('A;x=y\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\nTrailer: x\r\n\r\n'), { kind: 'end', at: 36 });
  t.same(follow('00000003\r\nab'), { kind: 'more' });
});

void t.test('accepts the largest size and extension, refuses the next', async (t) => {
  t.equal(follow('FFFFFFFF\r\n').kind, 'more');
  t.equal(follow('00000000FFFFFFFF\r\n').kind, 'more');
  t.equal(follow('100000000\r\n').kind, 'violation');
  t.equal(follow('FFFFFFFFFFFFFFFF\r\n').kind, 'violation');
  t.equal(follow('0'.repeat(16) + '\r\n\r\n').kind, 'end');
  t.equal(follow('0'.repeat(17)).kind, 'violation', 'before the line is over');
  t.equal(follow(`1;${'e'.repeat(256)}\r\nx`).kind, 'more');
  t.equal(follow(`1;${'e'.repeat(257)}`).kind, 'violation');
  t.equal(follow(`1;${'e'.repeat(256)}\r\nx\r\n1;${'e'.repeat(256)}\r\nx`).kind, 'more', 'counted for each chunk');
});

for (const [name, text] of [
  ['no size', '\r\n'],
  ['a sign', '+3\r\nabc'],
  ['0x', '0x3\r\nabc'],
  ['a letter after f', 'g\r\nabc'],
  ['a space after the size', '3 \r\nabc'],
  ['a bare LF after the size', '3\nabc'],
  ['two LF after the size', '3\n\nabc'],
  ['a letter in place of the CR', '3x\nabc'],
  ['a space in place of the CR', '3 \nabc'],
  ['a bare CR after the size', '3\rabc'],
  ['more data than announced', '3\r\nabcd\r\n'],
  ['a bare LF after the data', '3\r\nabc\n0\r\n\r\n'],
  ['a bare CR in a trailer', '0\r\nA: b\rC: d\r\n\r\n'],
  ['an end without LF', '0\r\n\rG'],
] as const) {
  void t.test(`refuses ${name}`, async (t) => {
    t.equal(follow(text).kind, 'violation');
  });
}

void t.test('packets make no difference', async (t) => {
  const chunk = fc.tuple(fc.string({ minLength: 1, maxLength: 40 }), fc.constantFrom('', ';a', ';a="b c"'));
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(chunk), fc.constantFrom('', 'T: x\r\n'), fc.array(fc.nat(2000)), (chunks, trailer, cuts) => {
        const body = Buffer.concat([
          ...chunks.map(([data, extension]) => {
            const bytes = Buffer.from(data);
            return Buffer.concat([
              Buffer.from(`${bytes.length.toString(16)}${extension}\r\n`),
              bytes,
              Buffer.from('\r\n'),
            ]);
          }),
          Buffer.from(`0\r\n${trailer}\r\n`),
        ]);
        const stream = Buffer.concat([body, Buffer.from('GET / HTTP/1.1\r\n')]);
        const framing = followChunks();
        let from = 0;
        for (const cut of [...cuts.map((n) => n % stream.length).toSorted((a, b) => a - b), stream.length]) {
          const step = framing.follow(stream.subarray(from, cut), 0);
          if (step.kind === 'violation') return false;
          if (step.kind === 'end') return from + step.at === body.length;
          from = cut;
        }
        return false;
      }),
    ),
  );
});

void t.test('a byte is a hexadecimal digit or none', async (t) => {
  for (let byte = 0; byte < 256; byte++) {
    const value = Number.parseInt(String.fromCharCode(byte), 16);
    t.equal(hexDigit(byte), Number.isNaN(value) ? -1 : value, String(byte));
  }
});
