import t from 'tap';
import { planRecords } from '../../src/commands/push-records.ts';
import type { SharedRecords } from '../../src/keys/definition.ts';
import { readStoredList, readStoredPolicy } from '../../src/keys/stored-records.ts';

/** Policies and lists as a key file holds them, from the JSON of each. */
function file(policies: Readonly<Record<string, string>>, lists: Readonly<Record<string, string>> = {}): SharedRecords {
  return {
    policies: new Map(Object.entries(policies).map(([id, json]) => [id, readStoredPolicy(id, json)])),
    lists: new Map(Object.entries(lists).map(([id, json]) => [id, readStoredList(id, json)])),
  };
}
const stored = (policies: Readonly<Record<string, string>>, lists: Readonly<Record<string, string>> = {}) => ({
  policies: new Map(Object.entries(policies)),
  lists: new Map(Object.entries(lists)),
});

const REPORT = '{"mode":"report"}';
const OFFICE = '["192.0.2.1"]';

t.test('what is new or other is written, what is the same is not, and what Redis has besides stays', async (t) => {
  const own = file({ a: REPORT, b: '{"enabled":false}', c: REPORT }, { office: OFFICE, lab: OFFICE });
  const there = stored(
    { b: '{"enabled":true}', c: '{ "mode" : "report" }', z: REPORT, y: '{' },
    { office: OFFICE, old: OFFICE },
  );
  const plan = planRecords(own, there, false);
  t.same(plan.changes, [
    { kind: 'add', id: 'policy:a' },
    { kind: 'change', id: 'policy:b', fields: [] },
    { kind: 'add', id: 'list:lab' },
  ]);
  t.same(
    [...plan.policies.set],
    [
      ['a', REPORT],
      ['b', '{"enabled":false}'],
    ],
  );
  t.same([...plan.lists.set], [['lab', OFFICE]]);
  t.same([plan.policies.remove, plan.lists.remove, plan.unchanged, plan.others], [[], [], 2, 3]);
  t.same([...plan.after.policies.keys()].toSorted(), ['a', 'b', 'c', 'y', 'z']);
  t.match(plan.after.policies.get('y'), { id: 'y', invalid: /JSON/ });
  t.same(plan.after.policies.get('b'), { id: 'b', definition: { enabled: false } }, 'that of the file holds');
  t.same([...plan.after.lists.keys()].toSorted(), ['lab', 'office', 'old']);
});

t.test('to prune is to remove what the file does not hold, in order of name', async (t) => {
  const plan = planRecords(file({ a: REPORT }), stored({ z: '{', a: REPORT, b: REPORT }, { old: OFFICE }), true);
  t.same(plan.changes, [
    { kind: 'remove', id: 'policy:b' },
    { kind: 'remove', id: 'policy:z' },
    { kind: 'remove', id: 'list:old' },
  ]);
  t.same([plan.policies.remove, plan.lists.remove], [['b', 'z'], ['old']]);
  t.same([plan.unchanged, plan.others], [1, 0]);
  t.same([[...plan.after.policies.keys()], [...plan.after.lists.keys()]], [['a'], []]);
});

t.test('what cannot be read in Redis is changed, and what cannot be read in the file is not written', async (t) => {
  const torn = planRecords(file({ a: REPORT }, { office: OFFICE }), stored({ a: '{' }, { office: '7' }), false);
  t.same(torn.changes, [
    { kind: 'change', id: 'policy:a', fields: [] },
    { kind: 'change', id: 'list:office', fields: [] },
  ]);
  const broken = planRecords(file({ a: '{' }), stored({}), false);
  t.same([broken.changes, broken.policies.set.size], [[], 0]);
});

t.test('a list in a file cannot be in Redis', async (t) => {
  const cdn = { id: 'cdn', definition: { kind: 'file', file: 'cdn.txt' } } as const;
  const lists = new Map([...file({}, { office: OFFICE, torn: '7' }).lists, ['cdn', cdn] as const]);
  const { conflicts } = planRecords({ policies: new Map(), lists }, stored({}), false);
  t.same(conflicts, ['the address list cdn is in a file, and Redis holds only literal ones and URLs']);
});
