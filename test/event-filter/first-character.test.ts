import * as fc from 'fast-check';
import t from 'tap';
import {
  ANY_INITIAL,
  type FirstBytes,
  firstBytesOf,
  initialOf,
  NO_INITIAL,
} from '../../src/event-filter/first-character.ts';
import { compileMember } from '../../src/event-filter/member.ts';

const first = firstBytesOf(['name', 'events']) as FirstBytes;

/** As an object's walk asks, of the name that `bytes` hold between quotes. */
function isRuledOut(bytes: Buffer): boolean {
  const initial = initialOf(bytes, 1, bytes.length - 1);
  return first[bytes[1] as number] === 0 || initial === NO_INITIAL || first[initial] === 0;
}
const isNone = (name: string): boolean => isRuledOut(Buffer.from(`"${name}"`));

void t.test('names that begin otherwise are none of those', async (t) => {
  for (const name of [
    'x',
    'X',
    'data',
    '1',
    '$name',
    'é',
    '頁',
    '',
    '\u{1f600}',
    '\u200b',
    '\u00ad x',
    '\\n\\u0000\u200bX',
    ' é',
    '\u00a0x',
  ])
    t.equal(isNone(name), true, name);
  for (const name of ['n', 'Name', 'EVENTS', '__proto__', ' name', '\\u006eame', '\u200bname', '\u00a0n', '\u017fx'])
    t.equal(isNone(name), false, name);
  t.equal(firstBytesOf(['name', 'straße']), null);
  t.equal(firstBytesOf(['イベント']), null);
});

void t.test('what shows nothing before the first visible character is passed over', async (t) => {
  const initial = (name: string): number => initialOf(Buffer.from(`"${name}"`), 1, Buffer.byteLength(name) + 1);
  for (const name of ['name', 'Name', '\u200bname', '\\u00ad\u00ad N', '\\u006e']) t.equal(initial(name), 0x6e, name);
  for (const name of ['', ' ', '\u00ad', '\\u0000', '\ufeff\u3000', 'é', '\u200bé'])
    t.equal(initial(name), NO_INITIAL, name);
  t.equal(initial('\u200b\u017fx'), ANY_INITIAL);
});

void t.test('every visible character of ASCII is itself, in lower case, also where it is escaped', async (t) => {
  for (let point = 0x21; point < 0x7f; point++) {
    const char = String.fromCharCode(point);
    const lower = char.toLowerCase().charCodeAt(0);
    const spelt = [`\\u${point.toString(16).padStart(4, '0')}x`, ...('"\\'.includes(char) ? [] : [`${char}x`])];
    for (const name of spelt) {
      const bytes = Buffer.from(`"${name}"`);
      t.equal(initialOf(bytes, 1, bytes.length - 1), lower, name);
    }
    t.equal(firstBytesOf([`${char.toLowerCase()}x`])?.[point], 1, char);
  }
});

void t.test('whatever is ruled out is no match', async (t) => {
  const member = compileMember('name');
  let ruledOut = 0;
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom(...Array.from('namNAMEe\u00e9\u017f\u200b\u0307\u0130_\u00df \u0000')),
        maxLength: 6,
      }),
      (name) => {
        const bytes = Buffer.from(JSON.stringify(name));
        if (!isRuledOut(bytes)) return true;
        ruledOut++;
        return member.matchOdd(bytes, 1, bytes.length - 1) === 'none';
      },
    ),
    { numRuns: 3000 },
  );
  t.ok(ruledOut > 100);
});
