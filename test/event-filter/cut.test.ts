import t from 'tap';
import { cutOut } from '../../src/event-filter/cut.ts';

const cut = (ranges: readonly number[]): string => cutOut(Buffer.from('0123456789'), ranges).toString();

void t.test('ranges go, the rest stays', async (t) => {
  t.equal(cut([]), '0123456789');
  t.equal(cut([0, 1]), '123456789');
  t.equal(cut([9, 10]), '012345678');
  t.equal(cut([2, 4, 6, 9]), '01459');
  t.equal(cut([2, 4, 4, 6]), '016789', 'ranges that touch');
  t.equal(cut([0, 10]), '');
});
