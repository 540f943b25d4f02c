import * as fc from 'fast-check';
import t from 'tap';
import { decodeEscapes, isPercentEncoded } from '../../src/lib/percent-decoding.ts';

void t.test('decodes what decodeURIComponent decodes, and nothing else', async (t) => {
  const byte = fc.integer({ min: 0, max: 255 }).map((value) => `%${value.toString(16).padStart(2, '0')}`);
  const text = fc
    .string({ unit: 'binary', minLength: 1 })
    .map((value) =>
      Array.from(Buffer.from(value), (one) => `%${one.toString(16).padStart(2, '0').toUpperCase()}`).join(''),
    );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          fc.array(byte).map((bytes) => bytes.join('')),
        ),
        (escapes) => {
          let expected: string | null = null;
          try {
            expected = decodeURIComponent(escapes);
          } catch {}
          return decodeEscapes(escapes) === expected;
        },
      ),
    ),
  );
});

void t.test('every percent sign has to begin an escape, and the escapes are UTF-8', async (t) => {
  for (const text of ['', '/a', '%41', '%c3%a9', '%2F?', '%F0%9F%98%80']) t.equal(isPercentEncoded(text), true, text);
  for (const text of ['%', '%4', '%zz', 'a%', '%u0041', '%ff', '%c3', '%c0%af', '%ed%a0%80'])
    t.equal(isPercentEncoded(text), false, text);
});
