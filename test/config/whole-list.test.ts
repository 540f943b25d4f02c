import t from 'tap';
import { readYamlText } from '../../src/config/document.ts';
import { fieldOf, itemsIn, wholeList } from '../../src/config/whole-list.ts';

const read = (text: string) => readYamlText(text, { file: 'x.yaml', env: {}, schema: {} });

t.test('the items of a file that was read', async (t) => {
  const file = read('keys: [a, { b: 1 }]\n');
  const list = wholeList(file, 'keys');
  const given: unknown[] = [];
  t.equal(
    list.eachItem((item, index) => given.push([index, item])),
    true,
  );
  t.same(given, [
    [0, 'a'],
    [1, { b: 1 }],
  ]);
  t.same(list.item(1), { b: 1 });
  t.equal(list.whole(), list);
  t.same(list.locate(['keys', 1, 'b']), file.locate(['keys', 1, 'b']));
});

t.test('no list, no items', async (t) => {
  for (const text of ['keys: a\n', 'keys: {}\n', 'a: []\n', '[keys]\n', ''])
    t.same(itemsIn(read(text), 'keys'), [], text);
  t.equal(fieldOf({}, 'constructor'), undefined);
  t.equal(fieldOf(['a'], '0'), undefined);
});
