import * as fc from 'fast-check';
import t from 'tap';
import { GatheredBytes } from '../../src/lib/gathered-bytes.ts';

t.test('all bytes in their order, at any time', async (t) => {
  const pieces = fc.array(
    fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
    { maxLength: 8 },
  );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(pieces, fc.nat(10_000), (added, expected) => {
        const gathered = new GatheredBytes(expected);
        for (const [i, piece] of added.entries()) {
          gathered.add(piece);
          const sofar = Buffer.concat(added.slice(0, i + 1));
          t.ok(gathered.bytes.equals(sofar));
          t.equal(gathered.size, sofar.length);
        }
      }),
    ),
  );
  t.equal(new GatheredBytes(10).bytes.length, 0);
});

t.test('a piece that comes alone is not copied', async (t) => {
  const gathered = new GatheredBytes(10);
  const piece = Buffer.from('abc');
  gathered.add(piece);
  t.equal(gathered.bytes, piece);
});

t.test('a second piece makes room for some more, and room doubles', async (t) => {
  const gathered = new GatheredBytes(1_000_000);
  const rooms = new Set<number>();
  gathered.add(Buffer.from('a'));
  for (let i = 0; i < 60_000; i++) {
    gathered.add(Buffer.from('a'));
    rooms.add(gathered.bytes.buffer.byteLength);
  }
  t.same([...rooms], [4096, 8194, 16_390, 32_782, 65_566]);
});

t.test('pieces of one byte share one buffer, not much larger than they are, nor than is expected', async (t) => {
  const gathered = new GatheredBytes(100_000);
  for (let i = 0; i < 60_000; i++) gathered.add(Buffer.from([i & 255]));
  t.equal(gathered.size, 60_000);
  t.ok(gathered.bytes.buffer.byteLength <= 100_000, 'no more than is expected');
  const more = new GatheredBytes(10);
  for (let i = 0; i < 20; i++) more.add(Buffer.from('a'));
  t.equal(more.bytes.toString(), 'a'.repeat(20), 'what was not expected is taken');
});
