import * as fc from 'fast-check';
import t from 'tap';
import {
  characterAt,
  DROPPED,
  kindOf,
  LENGTH_BITS,
  LENGTH_MASK,
  plainText,
  VISIBLE,
  WHITE,
} from '../../src/event-filter/characters.ts';
import { IGNORED } from '../../src/lib/name-folding.ts';

/** The code points of what stands in the bytes. */
function pointsIn(bytes: Buffer): number[] {
  const points: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const character = characterAt(bytes, at);
    points.push(character >> LENGTH_BITS);
    at += character & LENGTH_MASK;
  }
  return points;
}

const pointsOf = (text: string): number[] => Array.from(text, (char) => char.codePointAt(0) as number);

const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

void t.test('reads what JSON.parse reads, whatever is escaped', async (t) => {
  const unit = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.constantFrom('\ud83d', '\ude00', '\0', '\n', '"', '\\', '/', '\b', '\f', '\r', '\t', 'é', '頁', '😀'),
  );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(fc.tuple(unit, fc.boolean())), (parts) => {
        const token = parts
          .map(([text, whole]) =>
            // A lone surrogate has no bytes of its own.
            whole || /\p{Cs}/u.test(text) ? text.replace(/[^]/g, escaped) : JSON.stringify(text).slice(1, -1),
          )
          .join('');
        const expected = pointsOf(JSON.parse(`"${token}"`) as string);
        return JSON.stringify(pointsIn(Buffer.from(token))) === JSON.stringify(expected);
      }),
      { numRuns: 1_000 },
    ),
  );
  t.same(pointsIn(Buffer.from('\\"\\\\\\/\\b\\f\\n\\r\\t')), pointsOf('"\\/\b\f\n\r\t'));
  // Half a pair, and behind it what reads like the other half but for one character.
  for (const token of [
    '\\ud83d\\nde00',
    '\\ud83dxude00',
    '\\ud83d\\ud7ff',
    '\\ud83d\\ue000',
    '\\ud7ff\\ude00',
    '\\udc00\\ude00',
  ])
    t.same(pointsIn(Buffer.from(token)), pointsOf(JSON.parse(`"${token}"`) as string), token);
});

void t.test('of bytes that are no UTF-8 it reads something, and gets on', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        for (const point of pointsIn(Buffer.from(bytes))) if (!(point >= 0 && point <= 0x10ffff)) return false;
        return true;
      }),
    ),
  );
  t.ok(pointsIn(Buffer.from([0xff, 0xff, 0xff, 0xff])).every((point) => point <= 0x10ffff));
});

void t.test('the kind of each character', async (t) => {
  const wrong: string[] = [];
  const ignored = new RegExp(IGNORED.source, 'u');
  for (let point = 0; point <= 0x10ffff; point++) {
    // Planes without characters are told by their first and last.
    if (point >= 0x40000 && point < 0xe0000 && (point & 0xffff) === 0x100) point += 0xfe00;
    const char = String.fromCodePoint(point);
    const kind = ignored.test(char) ? DROPPED : char.trim() === '' ? WHITE : VISIBLE;
    if (kindOf(point) !== kind) wrong.push(point.toString(16));
  }
  t.strictSame(wrong, []);
});

void t.test('text is plain if it is printable ASCII without an escape', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(3), (text, around) => {
        const bytes = Buffer.from(`${'\\'.repeat(around)}${text}${'\n'.repeat(around)}`);
        const plain = plainText(bytes, around, bytes.length - around);
        return plain === (/^[ -[\]-~]*$/.test(text) ? text : null);
      }),
    ),
  );
  t.equal(plainText(Buffer.from('"page_view"'), 1, 10), 'page_view');
  for (const odd of ['\\u0061', 'caf\u00e9', '\x7f', '\n', 'a\\', '\x1f'])
    t.equal(plainText(Buffer.from(odd), 0, Buffer.byteLength(odd)), null, JSON.stringify(odd));
});
