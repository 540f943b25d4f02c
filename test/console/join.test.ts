/** Two people's changes of one form: what either added is there, what either removed is not, and of all else mine stays. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { joined, joinedRows } from '../../src/admin/console/state/join.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
const rows = fc.uniqueArray(fc.constantFrom(...NAMES));

void t.test('rows: the sums of both changes, for every two changes', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(rows, rows, rows, (base, mine, theirs) => {
        const result = new Set(joinedRows(mine, base, theirs));
        for (const row of NAMES) {
          const [was, has, have] = [base.includes(row), mine.includes(row), theirs.includes(row)];
          assert.equal(result.has(row), was ? has && have : has || have, row);
        }
        assert.equal(result.size, joinedRows(mine, base, theirs).length, 'none is there twice');
        assert.deepEqual(joinedRows(base, base, theirs), theirs, 'who changed nothing gets theirs');
      }),
    ),
  );
});

void t.test('rows with a description go by their address, and lists by their name', async (t) => {
  const row = (address: string, description = '') => ({ address, description });
  const office = { address: 'list office', description: '', list: 'office' };
  const base = [row('192.0.2.1', 'old'), row('192.0.2.2')];
  t.same(joinedRows([row('192.0.2.1', 'mine'), row('192.0.2.2')], base, [...base, office]), [
    row('192.0.2.1', 'mine'),
    row('192.0.2.2'),
    office,
  ]);
  t.same(joinedRows(base, base, [row('192.0.2.1', 'theirs')]), [row('192.0.2.1', 'theirs')]);
  t.same(joinedRows([...base, row(' 192.0.2.3 ')], base, [...base, row('192.0.2.3', 'theirs')]), [
    ...base,
    row(' 192.0.2.3 '),
  ]);
});

void t.test('members that belong together are taken together, unless they hold rows', async (t) => {
  interface Form {
    readonly on: boolean;
    readonly text: string;
    readonly any: boolean;
    readonly rows: readonly string[];
  }
  const base: Form = { on: false, text: 'a', any: true, rows: [] };
  const join = (typed: Form, now: Form) =>
    joined<Form>(
      [
        ['on', 'text'],
        ['any', 'rows'],
      ],
      { typed, base, now },
    );
  t.same(join({ ...base, text: 'mine' }, { ...base, any: false }), { on: false, text: 'mine', any: false, rows: [] });
  t.same(join({ ...base, on: true }, { ...base, text: 'theirs' }), { ...base, on: true, text: 'theirs' });
  t.same(join({ ...base, on: true, text: 'mine' }, { ...base, text: 'theirs' }), { ...base, on: true, text: 'mine' });
  t.same(join({ ...base, any: false, rows: ['mine'] }, { ...base, any: false, rows: ['theirs'] }), {
    ...base,
    any: false,
    rows: ['theirs', 'mine'],
  });
  t.same(join(base, { ...base, text: 'theirs' }), { ...base, text: 'theirs' });
});
