/** A mistake that was told stays at the row that it is about, and goes when that is changed or removed. */
import t from 'tap';
import { findingsAfter } from '../../src/admin/console/state/row-findings.ts';

const at = (index: number, part = '.address') => ({
  field: `allowFrom[${index}]${part}`,
  message: `allowFrom[${index}]${part} is wrong.`,
});
const whole = { field: 'allowFrom', message: 'allowFrom is wrong.' };
const other = { field: 'allowFromElsewhere[0]', message: 'wrong' };
const rows = (...names: readonly string[]) => names.map((address) => ({ address, description: '' }));
const after = (findings: readonly ReturnType<typeof at>[], before: unknown, now: unknown) =>
  findingsAfter(findings, 'allowFrom', { before, after: now });

void t.test('a row that is removed takes its mistake along, and later ones move up', async (t) => {
  const before = rows('a', 'b', 'c');
  t.same(after([at(0), at(1), at(2)], before, rows('a', 'c')), [at(0), at(1)]);
  t.same(after([at(2)], before, rows('b', 'c')), [at(1)]);
  t.same(after([at(0)], before, rows('b', 'c')), []);
  t.same(after([at(2, '')], before, rows('c')), [at(0, '')]);
});

void t.test('a row that is changed loses its mistake, and no other does', async (t) => {
  const before = rows('a', 'b');
  t.same(after([at(0), at(1)], before, rows('a', 'x')), [at(0)]);
  t.same(after([at(0), at(1)], before, before), [at(0), at(1)]);
  t.same(
    after([at(0), at(1)], before, rows('a', 'b', 'c')),
    [at(0), at(1)],
    'one that is added says nothing of others',
  );
});

void t.test('a mistake of the whole field goes with any change of it, and others stay', async (t) => {
  t.same(after([whole, other], rows('a'), rows('a', 'b')), [other]);
  t.same(after([whole, other], true, false), [other]);
  t.same(after([whole], true, true), [whole]);
});
