import t from 'tap';
import { type Batch, clearBatch, compileBatchWalk, newBatch } from '../../src/event-filter/batch.ts';
import { compileNames } from '../../src/event-filter/names.ts';
import { INVALID } from '../../src/event-filter/scan.ts';

function walk(text: string, unnamed: 'allow' | 'disallow' = 'disallow'): { stop: number; batch: Batch } {
  const batch = newBatch();
  const isAllowed = compileNames(new Set(['a']));
  const stop = compileBatchWalk({ member: 'name', isAllowed, unnamed, depth: 0 }, batch)(Buffer.from(text), 0);
  return { stop, batch };
}

void t.test('notes the segments to cut, each with one comma', async (t) => {
  const A = '{"name":"a"}';
  const B = '{"name":"b"}';
  const cuts = (text: string): string[] => {
    const { stop, batch } = walk(text);
    t.equal(stop, text.length);
    const ranges: string[] = [];
    for (let i = 0; i < batch.cuts.length; i += 2) ranges.push(text.slice(batch.cuts[i], batch.cuts[i + 1]));
    return ranges;
  };
  t.strictSame(cuts(`[${A}]`), []);
  t.strictSame(cuts(`[${A}, ${B} ,${A}]`), [`, ${B} `]);
  t.strictSame(cuts(`[ ${B} , ${A}]`), [` ${B} ,`]);
  t.strictSame(cuts(`[${B},${B},${A},${B},${B}]`), [`${B},${B},`, `,${B},${B}`]);
});

void t.test('counts and remembers', async (t) => {
  t.match(walk('[{"name":"a"},{"name":"b"},{"name":1},{}]').batch, { kept: 1, disallowed: 3 });
  t.match(walk('[{"name":"a"},{"name":1},{}]', 'allow').batch, { kept: 2, disallowed: 1 });
  t.match(walk('[{},1]').batch, { shapeless: true, ambiguous: false });
  t.match(walk('{}').batch, { shapeless: true });
  t.match(walk('[{"name":"a","name":"a"}]').batch, { ambiguous: true });
  t.match(walk('[{"__proto__":{"name":"b"}}]', 'allow').batch, { ambiguous: true }, 'a copy of it may have a name');
  t.match(walk('[{"__proto__":{},"name":"a"}]', 'allow').batch, { kept: 1, ambiguous: false });
  t.match(walk('[{"__proto__":{}}]').batch, { disallowed: 1, ambiguous: false });
});

void t.test('what is no JSON is INVALID', async (t) => {
  for (const text of ['', '[', '[ ', '[{}', '[{},', '[{},]', '[{}}', '[,{}]', '[{} {}]', '[1', 'x', '[x]', '[{"a"}]'])
    t.equal(walk(text).stop, INVALID, text);
});

void t.test('clearing forgets everything', async (t) => {
  const { batch } = walk('[{"name":"a"},{"name":"b"},1,{"NAME":1}]');
  clearBatch(batch);
  t.strictSame(batch, newBatch());
});
