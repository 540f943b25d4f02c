/** Addresses that are pasted as one text become rows. */
import t from 'tap';
import { pastedRows, repeats, withPasted } from '../../src/admin/console/keys/pasted.ts';

const row = (address: string, description = '') => ({ address, description });

void t.test('lines, commas and descriptions', async (t) => {
  t.same(pastedRows('192.0.2.1\n192.0.2.0/24\r\n\r\n2001:db8::/32'), [
    row('192.0.2.1'),
    row('192.0.2.0/24'),
    row('2001:db8::/32'),
  ]);
  t.same(pastedRows('192.0.2.1, 192.0.2.2 192.0.2.3'), [row('192.0.2.1'), row('192.0.2.2'), row('192.0.2.3')]);
  t.same(pastedRows('192.0.2.1 # Office\n192.0.2.2\tHead quarters\n192.0.2.3,Lab, 2nd floor\n::1 - local'), [
    row('192.0.2.1', 'Office'),
    row('192.0.2.2', 'Head quarters'),
    row('192.0.2.3', 'Lab, 2nd floor'),
    row('::1', 'local'),
  ]);
  t.same(pastedRows('192.0.2.1\n192.0.2.1\nnonsense'), [row('192.0.2.1'), row('nonsense')], 'the server judges');
});

void t.test('one address stays for the field', async (t) => {
  for (const text of ['', ' ', '192.0.2.1', '192.0.2.1\n', '192.0.2.1 Office']) t.equal(pastedRows(text), null, text);
});

void t.test('pasted rows take the place of a blank one, and repeat none', async (t) => {
  const pasted = [row('a.1'), row('b.1')];
  t.same(withPasted([row('x.1'), row('')], 1, pasted), [row('x.1'), ...pasted]);
  t.same(withPasted([row('x.1'), row('y.1')], 0, pasted), [row('x.1'), ...pasted, row('y.1')]);
  t.same(withPasted([row('b.1', 'known'), row(' ')], 1, pasted), [row('b.1', 'known'), row('a.1')]);
});

void t.test('a row tells the earlier one of the same address', async (t) => {
  t.same(repeats([row('a.1'), row(''), row('b.1'), row(' A.1 '), row(''), row('a.1')]), [0, 0, 0, 1, 0, 1]);
});
