import * as fc from 'fast-check';
import t from 'tap';
import { decodeEscapes } from '../../src/lib/percent-decoding.ts';

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
