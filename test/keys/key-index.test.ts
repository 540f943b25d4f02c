import fc from 'fast-check';
import t from 'tap';
import { compileKeys } from '../../src/keys/compile.ts';
import { createKeyIndex, type KeyIndex } from '../../src/keys/key-index.ts';
import type { KeySnapshot } from '../../src/keys/key.ts';
import { readStoredDefinition } from '../../src/keys/read-definition.ts';
import { definitionOf, digest } from '../support/redis-keys.ts';

function change(index: KeyIndex, changes: Readonly<Record<string, string | null>>) {
  return index.apply(
    Object.entries(changes).flatMap(([id, json]) => {
      const prepared = json === null ? null : index.prepare(id, json);
      return prepared === undefined ? [] : [[id, prepared] as const];
    }),
  );
}

const idsOf = (index: KeyIndex): string[] => [...index.snapshot().byId.keys()].sort();

t.test('the same text is not read twice', (t) => {
  const index = createKeyIndex();
  change(index, { a: definitionOf('a') });
  t.equal(index.prepare('a', definitionOf('a')), undefined);
  t.ok(index.prepare('a', definitionOf('a', { description: 'changed' })));
  t.end();
});

t.test('a change touches its key alone', (t) => {
  const index = createKeyIndex();
  change(index, { a: definitionOf('a'), b: definitionOf('b') });
  const before = index.snapshot();
  const { version } = before;
  const b = before.byId.get('b');
  change(index, { a: definitionOf('a', { enabled: false }) });
  const after = index.snapshot();
  t.equal(after.byId.get('b'), b);
  t.equal(after.byId.get('a')?.enabled, false);
  t.ok(after.version > version);
  t.end();
});

t.test('a secret that moves within one change is never contested', (t) => {
  const index = createKeyIndex();
  change(index, { a: definitionOf('shared'), b: definitionOf('b') });
  t.same(change(index, { b: definitionOf('shared'), a: definitionOf('a') }), []);
  t.equal(index.snapshot().bySecret.get(digest('secret-of-shared'))?.key.id, 'b');
  t.same(idsOf(index), ['a', 'b']);
  t.notOk(index.snapshot().bySecret.has(digest('secret-of-b')), 'and the old one opens nothing');
  t.end();
});

t.test('definitions with one secret are all unused, and all used again when it is theirs alone', (t) => {
  const index = createKeyIndex();
  change(index, { a: definitionOf('shared') });
  const found = change(index, { b: definitionOf('shared'), c: definitionOf('shared') });
  t.same(found.map(({ id }) => id).sort(), ['a', 'b', 'c']);
  t.match(found[0]?.why, /shares a secret/);
  t.equal(index.invalidCount, 3);
  t.same(idsOf(index), []);
  t.equal(index.snapshot().bySecret.size, 0);
  change(index, { a: null });
  t.same(idsOf(index), [], 'two are left');
  change(index, { b: definitionOf('b') });
  t.same(idsOf(index), ['b', 'c']);
  t.equal(index.invalidCount, 0);
  t.end();
});

t.test('two metrics keys are both unused', (t) => {
  const index = createKeyIndex();
  const metrics = { type: 'metrics', apiKey: `sha256:${digest('api')}` };
  change(index, { m: definitionOf('m', metrics) });
  t.same(idsOf(index), ['m']);
  t.match(change(index, { n: definitionOf('n', metrics) }), [{ why: /one metrics key/ }, { why: /one metrics key/ }]);
  t.same(idsOf(index), []);
  change(index, { n: definitionOf('n') });
  t.same(idsOf(index), ['m', 'n']);
  t.end();
});

t.test('after any changes the index is what compiling the whole set gives', (t) => {
  const ids = ['a', 'b', 'c', 'd', 'NOT AN ID'];
  const json = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('x', 'y', 'z', 'w').map((secret) => definitionOf(secret)) },
    fc.constantFrom('x', 'y').map((secret) => definitionOf(secret, { type: 'metrics', apiKey: 'api' })),
    fc.constant('{'),
    fc.constant(null),
  );
  const batch = fc.array(fc.tuple(fc.constantFrom(...ids), json), { minLength: 1, maxLength: 4 });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 12, size: 'max' }), (batches) => {
        const index = createKeyIndex();
        const stored = new Map<string, string>();
        for (const changes of batches) {
          const last = Object.fromEntries(changes);
          change(index, last);
          for (const [id, text] of Object.entries(last)) if (text === null) stored.delete(id);
          for (const [id, text] of Object.entries(last)) if (text !== null) stored.set(id, text);
        }
        const whole = compileKeys(
          [...stored].map(([id, text]) => readStoredDefinition(id, text)),
          1,
        );
        const snapshot = index.snapshot();
        const owners = (keys: typeof whole): string =>
          JSON.stringify(Array.from(keys.bySecret, ([secret, { key }]) => [secret, key.id]).sort());
        return (
          idsOf(index).join() === [...whole.byId.keys()].sort().join() &&
          owners(snapshot) === owners(whole) &&
          snapshot.invalid
            .map(({ id }) => id)
            .sort()
            .join() ===
            whole.invalid
              .map(({ id }) => id)
              .sort()
              .join()
        );
      }),
      { numRuns: 500 },
    ),
  );
  t.end();
});

/** All that a snapshot says, in one order; keys by identity, since a key never changes. */
function copyOf(snapshot: KeySnapshot, numbers: Map<unknown, number>): string {
  const number = (one: unknown): number => numbers.get(one) ?? (numbers.set(one, numbers.size), numbers.size - 1);
  const { version, byId, bySecret, invalid } = snapshot;
  return JSON.stringify([
    version,
    Array.from(byId, ([id, key]) => [id, number(key)]).sort(),
    Array.from(bySecret, ([secret, owner]) => [secret, number(owner.key), number(owner.secret)]).sort(),
    invalid.map(({ id, why }) => [id, why]).sort(),
    byId.size,
    bySecret.size,
  ]);
}

t.test('a snapshot never changes, whatever is changed after it', async (t) => {
  const json = fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(fc.constantFrom('x', 'y', 'z'), fc.boolean())
        .map(([secret, enabled]) => definitionOf(secret, { enabled })),
    },
    fc.constantFrom('x', 'y').map((secret) => definitionOf(secret, { type: 'metrics', apiKey: 'api' })),
    fc.constant('{'),
    fc.constant(null),
  );
  const batch = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'NOT AN ID'), json, { maxKeys: 3 });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 20, size: 'max' }), (batches) => {
        const index = createKeyIndex();
        const numbers = new Map<unknown, number>();
        const taken = batches.map((changes) => {
          change(index, changes);
          const snapshot = index.snapshot();
          return { snapshot, copy: copyOf(snapshot, numbers) };
        });
        return taken.every(({ snapshot, copy }) => copyOf(snapshot, numbers) === copy);
      }),
      { numRuns: 500 },
    ),
  );
});

t.test('of 20,000 keys, a change touches one', async (t) => {
  const index = createKeyIndex();
  change(index, Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`key-${n}`, definitionOf(`${n}`)])));
  const before = index.snapshot();
  change(index, { 'key-7': definitionOf('7', { enabled: false }), 'key-8': null });
  const after = index.snapshot();
  t.equal(before.bySecret.get(digest('secret-of-7'))?.key.enabled, true);
  t.equal(after.bySecret.get(digest('secret-of-7'))?.key.enabled, false);
  t.same(
    [before.byId.size, after.byId.size, before.bySecret.size, after.bySecret.size],
    [20_000, 19_999, 20_000, 19_999],
  );
  const changed = Array.from(before.byId.keys()).filter((id) => before.byId.get(id) !== after.byId.get(id));
  t.same(changed.sort(), ['key-7', 'key-8']);
});
