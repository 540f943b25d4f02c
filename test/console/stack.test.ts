/** The layers of the chart of refusals. */
import t from 'tap';
import { edges, MAX_LAYERS, REST, stackOf } from '../../src/admin/console/overview/stack.ts';

const none = { total: 0, byReason: {}, byKey: {} };
const minute = (at: number, byReason: Record<string, number>) => ({
  time: new Date(at * 60_000).toISOString(),
  enforce: { total: 0, byReason, byKey: { '': 1 } },
  report: none,
});

void t.test('the most frequent comes first, and each minute has its count', async (t) => {
  const stack = stackOf([minute(0, { a: 1 }), minute(1, { b: 5, a: 1 })], 'enforce', 'reason');
  t.same(stack, {
    times: [0, 60],
    layers: [
      { name: 'b', counts: [0, 5], total: 5 },
      { name: 'a', counts: [1, 1], total: 2 },
    ],
    total: 7,
  });
  t.same(edges(stack), [
    [1, 6],
    [0, 5],
  ]);
});

void t.test('by key, and for report mode apart', async (t) => {
  t.same(stackOf([minute(0, {})], 'enforce', 'key').layers, [{ name: '', counts: [1], total: 1 }]);
  t.same(stackOf([minute(0, { a: 1 })], 'report', 'reason').layers, []);
});

void t.test('what is rare is one layer together, and nothing is lost', async (t) => {
  const many = Object.fromEntries(Array.from({ length: MAX_LAYERS + 3 }, (_, i) => [`r${i}`, i + 1]));
  const { layers, total } = stackOf([minute(0, many)], 'enforce', 'reason');
  t.equal(layers.length, MAX_LAYERS);
  t.equal(layers.at(-1)?.name, REST);
  t.equal(layers.at(-1)?.total, 1 + 2 + 3 + 4);
  t.equal(total, 55);
});
