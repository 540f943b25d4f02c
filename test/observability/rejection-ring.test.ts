import t from 'tap';
import type { Rejection } from '../../src/observability/outcome.ts';
import { createRing } from '../../src/observability/rejection-ring.ts';

const entry = (at: number) => ({ at, rejection: {} as Rejection });

const filled = (capacity: number, count: number) => {
  const ring = createRing(capacity);
  const grew = Array.from({ length: count }, (_, at) => ring.add(entry(at)));
  return { ring, grew, kept: () => ring.entries.map(({ at }) => at).toSorted((a, b) => a - b) };
};

t.test('the oldest goes when it is full', async (t) => {
  const { ring, grew, kept } = filled(3, 5);
  t.same(grew, [true, true, true, false, false]);
  t.same(kept(), [2, 3, 4]);
  t.equal(ring.lastAt(), 4);
  t.equal(createRing(3).lastAt(), -1);
});

t.test('trimmed, it keeps the newest and grows again', async (t) => {
  for (const [count, length, wanted] of [
    [5, 2, [3, 4]],
    [5, 3, [2, 3, 4]],
    [2, 3, [0, 1]],
    [4, 0, []],
  ] as const) {
    const { ring, kept } = filled(3, count);
    t.equal(ring.trim(length), Math.min(3, count) - wanted.length);
    t.same(kept(), wanted);
    for (let at = 10; at < 20; at++) ring.add(entry(at));
    t.same(kept(), [17, 18, 19]);
  }
});
