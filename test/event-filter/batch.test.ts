import t, { type Test } from 'tap';
import { parseSelector, type EventSelector } from '../../src/config/selector.ts';
import { type Batch, clearBatch, compileBatchWalk, depthOfItems, newBatch } from '../../src/event-filter/batch.ts';
import { compileItem } from '../../src/event-filter/item.ts';
import { compileNames } from '../../src/event-filter/names.ts';
import { INVALID } from '../../src/event-filter/scan.ts';

interface Walked {
  readonly stop: number;
  readonly batch: Batch;
}

function walk(text: string, selector = '[].name', unnamed: 'allow' | 'disallow' = 'disallow'): Walked {
  const batch = newBatch();
  const { containers, way, member } = parseSelector(selector) as EventSelector;
  const isAllowed = compileNames(new Set(['a']));
  const depth = depthOfItems(containers);
  const item = compileItem({ way, member, isAllowed, unnamed, when: null, kindElsewhere: false, rivals: [], depth });
  const { newBody, skip } = compileBatchWalk({ containers, members: [member], rivals: ['_method'] }, item, batch);
  newBody();
  return { stop: skip(Buffer.from(text), 0), batch };
}

const cutsOf = (t: Test, text: string, selector?: string): string[] => {
  const { stop, batch } = walk(text, selector);
  t.equal(stop, text.length);
  const ranges: string[] = [];
  for (let i = 0; i < batch.cuts.length; i += 2) ranges.push(text.slice(batch.cuts[i], batch.cuts[i + 1]));
  return ranges;
};

const A = '{"name":"a"}';
const B = '{"name":"b"}';

void t.test('notes the segments to cut, each with one comma', async (t) => {
  t.strictSame(cutsOf(t, `[${A}]`), []);
  t.strictSame(cutsOf(t, `[${A}, ${B} ,${A}]`), [`, ${B} `]);
  t.strictSame(cutsOf(t, `[ ${B} , ${A}]`), [` ${B} ,`]);
  t.strictSame(cutsOf(t, `[${B},${B},${A},${B},${B}]`), [`${B},${B},`, `,${B},${B}`]);
  t.strictSame(cutsOf(t, `[ ${B}, ${B} ]`), [` ${B}, ${B} `], 'all of them go without a comma after');
});

void t.test('each array keeps its own commas', async (t) => {
  const body = `{"x":[{"y":[${B}]},{"y":[${B},${A}]},{"y":[]},{"y":[${A},${B}]}]}`;
  t.strictSame(cutsOf(t, body, 'x[].y[].name'), [B, `${B},`, `,${B}`]);
  t.match(walk(body, 'x[].y[].name').batch, { kept: 2, disallowed: 3, shapeless: false });
});

void t.test('counts and remembers', async (t) => {
  t.match(walk('[{"name":"a"},{"name":"b"},{"name":1},{}]').batch, { kept: 1, disallowed: 3 });
  t.match(walk('[{"name":"a"},{"name":1},{}]', '[].name', 'allow').batch, { kept: 2, disallowed: 1 });
  t.match(walk('[{},1]').batch, { shapeless: true, ambiguous: false });
  t.match(walk('{}').batch, { shapeless: true });
  t.match(walk('[{"name":"a","name":"a"}]').batch, { ambiguous: true });
});

void t.test('every level has to be there, once, and of its kind', async (t) => {
  const batchOf = (text: string): Batch => {
    const { stop, batch } = walk(text, 'p.x[].y[].name');
    t.equal(stop, text.length, text);
    return batch;
  };
  for (const text of ['[]', '{}', '{"p":[]}', '{"p":{}}', '{"p":{"x":{}}}', '{"p":{"x":[1]}}', '{"p":{"x":[{}]}}'])
    t.match(batchOf(text), { shapeless: true, ambiguous: false, rivalled: false }, text);
  for (const inner of ['{"y":{}}', '{"y":[1]}', '{"y":[[]]}', '{"y":[]},1'])
    t.match(batchOf(`{"p":{"x":[${inner}]}}`), { shapeless: true, ambiguous: false, rivalled: false }, inner);
  for (const text of [
    '{"p":{},"P":{}}',
    '{"p":{"x":[],"x":[]}}',
    '{"p":{"X":[]}}',
    '{"p":{"x":[{"y":[],"\\u0079":[]}]}}',
    '{"p":{"x":[{"y":[{"name":"a","NAME":1}]}]}}',
  ])
    t.match(batchOf(text), { ambiguous: true }, text);
  for (const text of [
    '{"p":{"x":[]},"name":1}',
    '{"p":{"x":[]},"_method":1}',
    '{"p":{"x":[],"name":1}}',
    '{"p":{"x":[{"y":[],"n\\u0061me":1}]}}',
  ])
    t.match(batchOf(text), { rivalled: true, ambiguous: false }, text);
  t.match(batchOf('{"p":{"x":[],"_method":1}}'), { rivalled: false }, 'a method stands at the top');
});

void t.test('what is no JSON is INVALID', async (t) => {
  for (const text of ['', '[', '[ ', '[{}', '[{},', '[{},]', '[{}}', '[,{}]', '[{} {}]', '[1', 'x', '[x]', '[{"a"}]']) {
    t.equal(walk(text).stop, INVALID, text);
    t.equal(walk(`{"x":${text}`, 'x[].name').stop, INVALID, text);
    t.equal(walk(`{"x":[{"y":${text}`, 'x[].y[].name').stop, INVALID, text);
    t.equal(walk(`{"x":${text}`, 'x[].y[].name').stop, INVALID, text);
  }
});

void t.test('clearing forgets everything', async (t) => {
  const { batch } = walk('[{"name":"a"},{"name":"b"},1,{"NAME":1}]');
  clearBatch(batch);
  t.strictSame(batch, newBatch());
});
