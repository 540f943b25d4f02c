import fc from 'fast-check';
import t from 'tap';
import { compileKeys } from '../../src/keys/compile.ts';
import { createKeyIndex, type KeyIndex } from '../../src/keys/key-index.ts';
import type { KeySnapshot } from '../../src/keys/key.ts';
import { readStoredDefinition } from '../../src/keys/read-definition.ts';
import { readStoredList, readStoredPolicy } from '../../src/keys/stored-records.ts';
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

t.test('a policy or list that changes touches every key that names it, and no other', async (t) => {
  const index = createKeyIndex();
  const policies = (json: string) => ({
    policies: new Map([['p', readStoredPolicy('p', json)]]),
    lists: new Map([['l', readStoredList('l', '["192.0.2.1"]')]]),
  });
  const first = policies('{"mode":"report"}');
  t.same(index.useRecords(first, new Set(['policy:p', 'list:l'])), []);
  index.commitRecords();
  const stored = {
    a: definitionOf('a', { policy: 'p' }),
    b: definitionOf('b', { policy: 'p', denyFrom: [{ list: 'l' }] }),
    c: definitionOf('c'),
  };
  change(index, stored);
  t.same([...index.useRecords(first, new Set(['list:l']))], ['b']);
  t.ok(index.prepare('b', stored.b), 'it has to be read anew');
  change(index, { b: stored.b });
  t.equal(index.prepare('b', stored.b), undefined);

  const second = policies('{"mode":"enforce","enabled":false}');
  const { version } = index.snapshot();
  const stale = index.useRecords(second, new Set(['policy:p']));
  t.same([...stale].sort(), ['a', 'b']);
  t.equal(index.snapshot().records, first, 'not before the keys are completed with them');
  index.apply(stale.map((id) => [id, index.prepareAgain(id) ?? null] as const));
  index.commitRecords();
  const after = index.snapshot();
  t.equal(after.records, second);
  t.ok(after.version > version);
  t.same(
    ['a', 'b', 'c'].map((id) => after.byId.get(id)?.enabled),
    [false, false, true],
  );
  t.equal(index.prepareAgain('c'), undefined, 'it names nothing');

  change(index, { a: definitionOf('a'), b: null });
  t.same(index.useRecords(first, new Set(['policy:p'])), [], 'who names it no more');
  t.equal(index.prepareAgain('b'), undefined);
  index.commitRecords();
  const { version: committed } = index.snapshot();
  index.commitRecords();
  t.equal(index.snapshot().version, committed, 'nothing new');
});

t.test(
  'a definition that cannot be used is told when it becomes so or for another reason, and not again',
  async (t) => {
    const index = createKeyIndex();
    t.match(change(index, { a: '{' }), [{ id: 'a', why: 'it is not JSON' }]);
    t.same(change(index, { a: '{{' }), [], 'for the same reason');
    t.match(change(index, { a: '[]' }), [{ id: 'a', why: 'it is not a JSON object' }]);
    t.match(index.snapshot().invalid, [{ id: 'a', why: 'it is not a JSON object' }]);
    const { invalid } = index.snapshot();
    change(index, { b: definitionOf('b') });
    t.equal(index.snapshot().invalid, invalid, 'the same list while nothing of it changes');
    change(index, { a: definitionOf('a') });
    t.same(
      [index.snapshot().invalid, index.invalidCount, index.size, index.has('a'), index.has('z')],
      [[], 0, 2, true, false],
    );
    t.same([...index.ids()].sort(), ['a', 'b']);
    const { version } = index.snapshot();
    t.same(change(index, {}), []);
    t.equal(index.snapshot().version, version, 'nothing changed');
  },
);

t.test('of two that share a secret each names the other', async (t) => {
  const index = createKeyIndex();
  const found = change(index, { a: definitionOf('shared'), b: definitionOf('shared') });
  t.same(Object.fromEntries(found.map(({ id, why }) => [id, why])), {
    a: 'it shares a secret with b',
    b: 'it shares a secret with a',
  });
});
