import t from 'tap';
import { INVALID } from '../../src/event-filter/scan.ts';
import { isWhole } from '../../src/event-filter/whole.ts';

void t.test('one value in UTF-8, with white space around it', async (t) => {
  t.equal(isWhole(Buffer.from('{} \r\n\t'), 2), true);
  t.equal(isWhole(Buffer.from('"\u20ac"'), 5), true);
  t.equal(isWhole(Buffer.from('{}'), INVALID), false);
  t.equal(isWhole(Buffer.from('{}{}'), 2), false);
  t.equal(isWhole(Buffer.from('{}\u00a0'), 2), false, 'a space that JSON does not know');
  t.equal(isWhole(Buffer.from([0x22, 0xc3, 0x22]), 3), false);
});
