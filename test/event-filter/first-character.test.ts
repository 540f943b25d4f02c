import * as fc from 'fast-check';
import t from 'tap';
import { beginsAsNone, type FirstBytes, firstBytesOf } from '../../src/event-filter/first-character.ts';
import { compileMember } from '../../src/event-filter/member.ts';

const first = firstBytesOf(['name', 'events']) as FirstBytes;
const isNone = (name: string): boolean => beginsAsNone(Buffer.from(`${name}"`), 0, first);

void t.test('names that begin otherwise are none of those', async (t) => {
  for (const name of ['x', 'X', 'data', '1', '$name', 'é', '頁', '', '\u{1f600}']) t.equal(isNone(name), true, name);
  for (const name of ['n', 'Name', 'EVENTS', '__proto__', ' name', '\\u006eame', '\u200bname', '\u00a0x', '\u017fx'])
    t.equal(isNone(name), false, name);
  t.equal(firstBytesOf(['name', 'straße']), null);
  t.equal(firstBytesOf(['イベント']), null);
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
        if (!beginsAsNone(bytes, 1, first)) return true;
        ruledOut++;
        return member.matchOdd(bytes, 1, bytes.length - 1) === 'none';
      },
    ),
    { numRuns: 3000 },
  );
  t.ok(ruledOut > 100);
});
