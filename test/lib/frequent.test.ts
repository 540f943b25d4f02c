import fc from 'fast-check';
import t from 'tap';
import { countValue, createFrequent, majorityOf, mergeFrequent, mostFrequent } from '../../src/lib/frequent.ts';
import { ownText } from '../../src/lib/own-text.ts';

const counted = (limit: number, values: readonly string[], about: (at: number) => string = () => '') => {
  const frequent = createFrequent(limit);
  values.forEach((value, at) => countValue(frequent, value, about(at), at));
  return frequent;
};

/** Few values often and many rarely, so that some stay and some go. */
const stream = fc.array(
  fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom('a', 'b', 'c') },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 500 }).map(String) },
  ),
  { maxLength: 600 },
);

const truth = (values: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
};

t.test('while there are few different values, every count is exact, with first and last time', async (t) => {
  const frequent = counted(8, ['a', 'b', 'a', 'c', 'a']);
  t.strictSame(mostFrequent(frequent, 2), [
    ['a', { count: 3, missed: 0, firstSeen: 0, lastSeen: 4, about: '', lead: 3 }],
    ['b', { count: 1, missed: 0, firstSeen: 1, lastSeen: 1, about: '', lead: 1 }],
  ]);
});

t.test('the rarer half goes, in whatever order they came', async (t) => {
  const frequent = createFrequent(2);
  for (const [value, times] of [
    ['a', 1],
    ['b', 5],
    ['c', 9],
    ['d', 1],
  ] as const)
    countValue(frequent, value, '', 0, times);
  t.same([[...frequent.values.keys()], frequent.missed], [['b', 'c'], 1]);
});

t.test('no count says too much, and together with what it missed none says too little', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(stream, stream, fc.integer({ min: 1, max: 20 }), (one, other, limit) => {
        const frequent = counted(limit, one);
        mergeFrequent(frequent, counted(limit, other));
        const all = truth([...one, ...other]);
        const bounded = frequent.values.size <= 2 * limit && frequent.missed <= (one.length + other.length) / limit;
        const right = [...all].every(([value, count]) => {
          const known = frequent.values.get(value);
          if (known === undefined) return count <= frequent.missed;
          return known.count <= count && count <= known.count + known.missed;
        });
        return bounded && right;
      }),
    ),
  );
});

t.test('a flood of values that come once grows nothing, and hides none that comes often', async (t) => {
  const frequent = createFrequent(64);
  let largest = 0;
  for (let n = 0; n < 100_000; n++) {
    countValue(frequent, `once-${n}`, '', n);
    if (n % 20 === 0) countValue(frequent, 'often', '', n);
    largest = Math.max(largest, frequent.values.size);
  }
  t.ok(largest < 128);
  t.ok(frequent.missed <= 105_000 / 64);
  const [[value, known] = []] = mostFrequent(frequent, 1);
  t.equal(value, 'often');
  t.equal((known?.count ?? 0) + (known?.missed ?? 0) >= 5000, true);
});

t.test('what is said about more than half is known, also of two counts together', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(fc.constantFrom('x', 'y', 'z')), fc.array(fc.constantFrom('x', 'y', 'z')), (one, other) => {
        const frequent = counted(
          4,
          one.map(() => 'v'),
          (at) => one[at] as string,
        );
        mergeFrequent(
          frequent,
          counted(
            4,
            other.map(() => 'v'),
            (at) => other[at] as string,
          ),
        );
        const [[, known] = []] = mostFrequent(frequent, 1);
        if (known === undefined) return one.length + other.length === 0;
        const named = majorityOf(known);
        const share = truth([...one, ...other]).get(named ?? '') ?? 0;
        return named === null || 2 * share > known.count;
      }),
    ),
  );
});

t.test('whatever always has the same reason has that as its majority', async (t) => {
  const frequent = counted(4, ['a', 'a', 'a'], () => 'unknown');
  t.equal(majorityOf(mostFrequent(frequent, 1)[0]![1]), 'unknown');
  countValue(frequent, 'a', 'no_route', 3, 3);
  t.equal(majorityOf(mostFrequent(frequent, 1)[0]![1]), null, 'half is no majority');
});

t.test('several at once count as so many', async (t) => {
  const frequent = createFrequent(4);
  countValue(frequent, 'a', '', 1, 5);
  countValue(frequent, 'a', '', 2, 2);
  t.equal(frequent.values.get('a')?.count, 7);
});

t.test('a text that UTF-8 cannot write is counted as what it is written as', async (t) => {
  const frequent = createFrequent(4, ownText);
  for (const value of ['\ud800', '\ud800', '\ufffd']) countValue(frequent, value, '', 0);
  t.equal(frequent.values.get('\ufffd')?.count, 3);
  t.equal(frequent.values.size, 1);
});

t.test('what is said about more than half is told only where that is sure', async (t) => {
  const about = (...said: readonly string[]) => {
    const frequent = counted(
      4,
      said.map(() => 'a'),
      (at) => said[at] as string,
    );
    return majorityOf(frequent.values.get('a') as never);
  };
  t.equal(about('x'), 'x');
  t.equal(about('x', 'y'), null);
  t.equal(about('x', 'x', 'y'), null, 'a lead of one in three');
  t.equal(about('x', 'x', 'x', 'y'), null, 'nor is half of them more than half');
  t.equal(about('x', 'x', 'x', 'x', 'y'), 'x');
  t.equal(about('x', 'y', 'y', 'y', 'y'), 'y');
});

t.test('the highest counts come first, equal ones in the order of their text', async (t) => {
  const frequent = counted(8, ['d', 'b', 'b', 'a', 'c', 'c', 'c', 'e']);
  t.same(
    mostFrequent(frequent, 5).map(([value]) => value),
    ['c', 'b', 'a', 'd', 'e'],
  );
  t.equal(mostFrequent(frequent, 2).length, 2);
});
