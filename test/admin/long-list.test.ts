import { text } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import t from 'tap';
import { inParts, writeLongList } from '../../src/admin/long-list.ts';

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
const list = (count: number, rest: Record<string, unknown>) => ({
  field: 'all',
  items: numbers(count),
  show: (n: number) => ({ n, text: `"${n}\u00e4` }),
  rest,
});

t.test('the text is that of the whole object, however long the list is', async (t) => {
  for (const count of [0, 1, 2, 199, 200, 201, 400, 1001])
    for (const rest of [{}, { invalid: [] }, { a: 1, b: { c: null } }]) {
      const { items, show } = list(count, rest);
      const written = await text(Readable.from(writeLongList(list(count, rest))));
      t.equal(written, JSON.stringify({ all: items.map(show), ...rest }), `${count} items`);
    }
});

t.test('others have their turn between two parts, and no part holds very many items', async (t) => {
  let turns = 0;
  let waiting = setImmediate(function turn() {
    turns += 1;
    waiting = setImmediate(turn);
  });
  t.teardown(() => clearImmediate(waiting));
  let shown = 0;
  const show = (n: number) => {
    shown += 1;
    return n;
  };
  let before = 0;
  let parts = 0;
  for await (const part of writeLongList({ ...list(2000, {}), show })) {
    t.ok(part.length > 0);
    t.ok(shown - before <= 200, `${shown - before} in one part`);
    before = shown;
    parts += 1;
  }
  t.ok(parts >= 10, `${parts} parts`);
  t.ok(turns >= parts - 1, `${turns} turns of others`);
});

t.test('a part is as long as it may be, since each costs a turn', async (t) => {
  const sizesOf = async (count: number) => {
    const sizes: number[] = [];
    for await (const part of inParts(numbers(count))) sizes.push(part.length);
    return sizes;
  };
  t.same(
    [await sizesOf(0), await sizesOf(1), await sizesOf(200), await sizesOf(450)],
    [[], [1], [200], [200, 200, 50]],
  );
});
