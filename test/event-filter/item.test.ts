import t, { type Test } from 'tap';
import { compileItem, type ItemRule, type ItemVerdict } from '../../src/event-filter/item.ts';
import { compileNames } from '../../src/event-filter/names.ts';
import { INVALID } from '../../src/event-filter/scan.ts';

const isAllowed = compileNames(new Set(['a']));
const RULE: ItemRule = {
  way: [],
  member: 'name',
  isAllowed,
  unnamed: 'disallow',
  when: null,
  kindElsewhere: false,
  rivals: [],
  depth: 0,
};
const KINDS = { member: 'type', is: ['track'], pass: ['page'] };

function judge(t: Test, text: string, rule: Partial<ItemRule> = {}): ItemVerdict {
  const item = compileItem({ ...RULE, ...rule });
  const bytes = Buffer.from(text);
  item.newBody();
  t.equal(item.skip(bytes, 0), bytes.length, text);
  return item.verdict(bytes);
}

void t.test('an item that has its name itself', async (t) => {
  t.equal(judge(t, '{"name":"a"}'), 'allowed');
  for (const text of ['{}', '{"name":"b"}', '{"name":1}', '{"name":["a"]}', '{"name":{"name":"a"}}'])
    t.equal(judge(t, text), 'disallowed', text);
  for (const text of ['{"name":"a","name":"a"}', '{"name":"a","NAME":1}', '{"n\\u0061me":"a","name":"b"}'])
    t.equal(judge(t, text), 'ambiguous', text);
  t.equal(judge(t, '{"name":"a","data":1}', { rivals: ['data'] }), 'rivalled');
  t.equal(judge(t, '{"name":"a"}', { rivals: ['name'] }), 'allowed', 'it is its own name');
});

void t.test('one without a name, where that is allowed', async (t) => {
  const unnamed = { unnamed: 'allow' } as const;
  t.equal(judge(t, '{}', unnamed), 'allowed');
  t.equal(judge(t, '{"name":null}', unnamed), 'disallowed');
  t.equal(judge(t, '{"__proto__":{"name":"b"}}', unnamed), 'ambiguous', 'a copy of it may have a name');
  t.equal(judge(t, '{"__proto__":{},"name":"a"}', unnamed), 'allowed');
  t.equal(judge(t, '{"__proto__":{}}'), 'disallowed');
  t.equal(judge(t, '{"x":{}}', { ...unnamed, way: ['x', 'y'] }), 'allowed', 'nor the object that would have it');
  t.equal(judge(t, '{"x":{"__proto__":{"y":{"name":"b"}}}}', { ...unnamed, way: ['x', 'y'] }), 'ambiguous');
});

void t.test('one that has its name deeper', async (t) => {
  const deep = (text: string) => judge(t, text, { way: ['x', 'y'] });
  t.equal(deep('{"x":{"y":{"name":"a"}}}'), 'allowed');
  t.equal(deep('{"x":{"y":{"name":"b"}}}'), 'disallowed');
  t.equal(deep('{"x":{"y":{}}}'), 'disallowed');
  for (const text of ['{}', '{"x":{}}', '{"x":1}', '{"x":[]}', '{"x":null}', '{"x":{"y":"a"}}', '{"x":[{"y":{}}]}'])
    t.equal(deep(text), 'shapeless', text);
  for (const text of [
    '{"x":{"y":{"name":"a"}},"X":1}',
    '{"x":{"y":{"name":"a"}},"x":{"y":{"name":"a"}}}',
    '{"x":{"y":{"name":"a"},"\\u0079":1}}',
    '{"x":{"y":{"name":"a","name":"a"}}}',
  ])
    t.equal(deep(text), 'ambiguous', text);
  for (const text of [
    '{"x":{"y":{"name":"a"}},"x.y":{}}',
    '{"x":{"y":{"name":"a"}},"x.y.name":"b"}',
    '{"x":{"y":{"name":"a"},"Y.n\\u0061me":"b"}}',
    '{"x.y.name":"a"}',
  ])
    t.equal(deep(text), 'ambiguous', `${text}: a name of its own, or the way that it says`);
  t.equal(judge(t, '{"x.name":"b"}', { way: ['x'], unnamed: 'allow' }), 'ambiguous', 'nor is it unnamed');
  for (const name of ['y.name', 'x.name', 'x.y.name.z', 'name.x', 'x.y.']) {
    t.equal(deep(`{"x":{"y":{"name":"a"}},"${name}":"b"}`), 'allowed', name);
    t.equal(judge(t, `{"name":"a","${name}":"b"}`), 'allowed', name);
  }
  for (const text of ['{"x":{"y":{"name":"a"}},"name":1}', '{"x":{"NAME":1,"y":{"name":"a"}}}'])
    t.equal(deep(text), 'rivalled', text);
  const item = compileItem({ ...RULE, way: ['x'] });
  const [first, second] = ['{"x":{"name":"a"}}', '{"x":{}}'].map((text) => Buffer.from(text)) as [Buffer, Buffer];
  item.skip(first, 0);
  t.equal(item.verdict(first), 'allowed');
  item.skip(second, 0);
  t.equal(item.verdict(second), 'disallowed', 'of the last one alone');
});

void t.test('kinds of items', async (t) => {
  const kind = (text: string, rule: Partial<ItemRule> = {}) => judge(t, text, { when: KINDS, ...rule });
  t.equal(kind('{"type":"track","name":"a"}'), 'allowed');
  t.equal(kind('{"type":"track","name":"b"}'), 'disallowed');
  t.equal(kind('{"type":"page","name":"b"}'), 'allowed', 'carries no event');
  t.equal(kind('{"type":"p\\u0061ge"}'), 'allowed');
  for (const text of ['{"name":"a"}', '{"type":"Track","name":"a"}', '{"type":["page"]}', '{"type":null,"name":"a"}'])
    t.equal(kind(text), 'disallowed', text);
  for (const text of [
    '{"type":"page","type":"track"}',
    '{"type":"page","TYPE":"track"}',
    '{"type":"page","name":"a","Name":"b"}',
    '{"Type":"page"}',
  ])
    t.equal(kind(text), 'ambiguous', text);
  t.equal(kind('{"type":"track"}', { unnamed: 'allow' }), 'allowed');
  t.equal(kind('{"type":"other"}', { unnamed: 'allow' }), 'disallowed');
  t.equal(kind('{"type":"page","batch":[]}', { rivals: ['batch'] }), 'rivalled', 'another body for the backend');
  t.equal(kind('{"type":"other","x":1}', { way: ['x'] }), 'disallowed', 'whatever it is');
  t.equal(kind('{"type":"page"}', { way: ['x'] }), 'allowed');
  t.equal(kind('{"type":"track"}', { way: ['x'] }), 'shapeless');
  const elsewhere = (text: string) => kind(text, { kindElsewhere: true, rivals: ['batch'] });
  for (const text of ['{}', '{"x":{"name":"b","type":"track"}}']) t.equal(elsewhere(text), 'allowed', text);
  for (const text of [
    '{"name":"b"}',
    '{"name":"a"}',
    '{"name":null}',
    '{"type":null}',
    '{"type":"track"}',
    '{"type":1}',
  ])
    t.equal(elsewhere(text), 'disallowed', `${text}: says something of itself`);
  for (const text of ['{"Name":"b"}', '{"Type":"track"}']) t.equal(elsewhere(text), 'ambiguous', text);
  t.equal(elsewhere('{"__proto__":{"name":"b"}}'), 'disallowed', 'a copy of it may have a name');
  t.equal(elsewhere('{"batch":[]}'), 'rivalled');
});

void t.test('what is no object is INVALID', async (t) => {
  for (const text of ['{', '{"x"', '{"x":{"name":', '{"x":{]}']) {
    const item = compileItem({ ...RULE, way: ['x'], when: KINDS });
    t.equal(item.skip(Buffer.from(text), 0), INVALID, text);
  }
});
