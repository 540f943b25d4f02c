import * as fc from 'fast-check';
import t from 'tap';
import { createLruMap } from '../../src/lib/lru-map.ts';

t.test('what was used longest ago goes first', async (t) => {
  const map = createLruMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  t.equal(map.get('a'), 1);
  map.set('c', 3);
  t.equal(map.get('b'), undefined);
  t.equal(map.get('a'), 1);
  t.equal(map.get('c'), 3);
});

t.test('what is heavier than the bound is not kept, and neither is what it replaces', async (t) => {
  const map = createLruMap<string, number>(10);
  t.equal(map.set('all', 0, 10), true, 'what is as heavy as the bound is kept');
  t.equal(map.set('a', 1, 5), true);
  t.equal(map.set('a', 2, 11), false);
  t.equal(map.get('a'), undefined);
  t.equal(map.weight(), 0);
});

t.test('emptied, it has room for everything again', async (t) => {
  const map = createLruMap<string, number>(10);
  map.set('a', 1, 10);
  map.clear();
  t.same([map.size(), map.weight(), map.get('a')], [0, 0, undefined]);
  map.set('b', 2, 5);
  map.set('c', 3, 5);
  t.same([map.get('b'), map.get('c'), map.weight()], [2, 3, 10]);
});

t.test('it holds what a list of the latest uses would, and weighs what that weighs', async (t) => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('set'), key: fc.nat(5), weight: fc.nat(6) }),
    fc.record({ kind: fc.constantFrom('get', 'get', 'delete'), key: fc.nat(5), weight: fc.constant(0) }),
  );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const map = createLruMap<number, number>(10);
        let model: { key: number; weight: number }[] = [];
        for (const { kind, key, weight } of steps) {
          const held = model.find((item) => item.key === key);
          const others = model.filter((item) => item.key !== key);
          if (kind === 'get') {
            t.equal(map.get(key), held?.weight);
            if (held !== undefined) model = [...others, held];
          } else if (kind === 'delete') {
            map.delete(key);
            model = others;
          } else {
            map.set(key, weight, weight);
            model = weight > 10 ? others : [...others, { key, weight }];
            while (model.reduce((sum, item) => sum + item.weight, 0) > 10) model.shift();
          }
          if (map.weight() !== model.reduce((sum, item) => sum + item.weight, 0) || map.size() !== model.length)
            return false;
        }
        return true;
      }),
    ),
  );
});
