import * as fc from 'fast-check';
import t from 'tap';
import { createVersionedMap } from '../../src/lib/versioned-map.ts';

type Move = readonly ['set', string, number] | readonly ['delete', string] | readonly ['keep'];

const key = fc.oneof(
  fc.constantFrom('', 'a', 'b', 'constructor', '__proto__'),
  fc.nat(60).map((n) => `key-${n}`),
  fc.string(),
);
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant('set' as const), key, fc.nat()) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('delete' as const), key) },
  fc.constant(['keep'] as const),
);

/** Everything that can be read of a kept state, in one order. */
function contentOf(state: ReadonlyMap<string, number>, asked: Iterable<string>): string {
  const byForEach: [string, number][] = [];
  state.forEach((value, name) => byForEach.push([name, value]));
  const looked = Array.from(new Set(asked), (name) => [name, state.has(name), state.get(name) ?? null]);
  return JSON.stringify([
    state.size,
    [...state].sort(),
    [...state.entries()].sort(),
    byForEach.sort(),
    [...state.keys()].sort(),
    [...state.values()].sort(),
    looked.sort(),
  ]);
}

t.test('each kept state is what a copy of a map would be, whatever changes later', async (t) => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 120, size: 'max' }), fc.constantFrom(undefined, 0, 2), (moves, told) => {
      const map = createVersionedMap<number>(told);
      const plain = new Map<string, number>();
      const names = moves.flatMap(([, name]) => (name === undefined ? [] : [name]));
      const states: { readonly kept: ReadonlyMap<string, number>; readonly copy: ReadonlyMap<string, number> }[] = [];
      for (const [what, name = '', value = 0] of moves) {
        if (what === 'keep') states.push({ kept: map.keep(), copy: new Map(plain) });
        else if (what === 'set') {
          map.set(name, value);
          plain.set(name, value);
        } else {
          map.delete(name);
          plain.delete(name);
        }
        if (name !== '' && map.get(name) !== plain.get(name)) return false;
      }
      states.push({ kept: map.keep(), copy: plain });
      return states.every(({ kept, copy }) => contentOf(kept, names) === contentOf(copy, names));
    }),
    { numRuns: 150 },
  );
  t.equal(createVersionedMap().keep().size, 0);
});

t.test('a state that nothing changed is the same one', async (t) => {
  const map = createVersionedMap<number>();
  map.set('a', 1);
  const state = map.keep();
  map.delete('b');
  t.equal(map.keep(), state);
  map.set('a', 2);
  t.not(map.keep(), state);
  t.equal(state.get('a'), 1);
});

t.test('a part is copied once after a state was kept, however often it is changed then', async (t) => {
  const map = createVersionedMap<number>(0);
  const { Map: Plain } = globalThis;
  let copies = 0;
  class Counted<K, V> extends Plain<K, V> {
    constructor(entries?: Iterable<readonly [K, V]> | null) {
      super(entries);
      copies++;
    }
  }
  Object.assign(globalThis, { Map: Counted });
  t.teardown(() => Object.assign(globalThis, { Map: Plain }));
  for (let n = 0; n < 100; n++) map.set(`key-${n}`, n);
  map.keep();
  for (let n = 0; n < 50; n++) map.delete(`key-${n}`);
  Object.assign(globalThis, { Map: Plain });
  t.equal(copies, 2);
  t.equal(map.keep().size, 50);
});

t.test('a change costs what it changes, and no copy of everything', async (t) => {
  const map = createVersionedMap<object>();
  const plain = new Map<string, object>();
  for (let n = 0; n < 50_000; n++) {
    map.set(`key-${n}`, {});
    plain.set(`key-${n}`, {});
  }
  const timeOf = (change: (name: string) => void): number => {
    const begun = performance.now();
    for (let n = 0; n < 50; n++) change(`key-${n * 31}`);
    return performance.now() - begun;
  };
  const before = map.keep();
  const states = new Set([before]);
  const changing = timeOf((name) => {
    map.set(name, {});
    states.add(map.keep());
  });
  const copying = timeOf((name) => void new Map(plain).set(name, {}));
  t.ok(changing < copying / 4, `${changing} ms, and copies ${copying} ms`);
  t.equal(states.size, 51);
  const after = map.keep();
  t.equal(Array.from(before.keys()).filter((name) => before.get(name) !== after.get(name)).length, 50);
});
