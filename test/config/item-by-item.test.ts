import t from 'tap';
import { readYamlText } from '../../src/config/document.ts';
import { ItemByItem } from '../../src/config/item-by-item.ts';
import { splitList, textAround, type SplitList } from '../../src/config/split-list.ts';
import { wholeList } from '../../src/config/whole-list.ts';

function open(text: string) {
  const options = { file: 'keys.yaml', env: {}, schema: {} };
  const split = splitList(text, 'keys') as SplitList;
  let wholes = 0;
  const whole = () => {
    wholes += 1;
    return wholeList(readYamlText(text, options), 'keys');
  };
  const rest = readYamlText(textAround(split), options);
  return { file: new ItemByItem({ options, list: 'keys', split, rest, whole }), wholes: () => wholes };
}

t.test('what is not resolved is told at its item', async (t) => {
  const { file } = open('a: ${A}\nkeys:\n  - 1\n  - b: ${B}\nc: ${C}\n');
  t.equal(
    file.eachItem(() => undefined),
    true,
  );
  t.same(
    file.problems.map(({ line, column, field, message }) => [line, column, field, message.slice(0, field.length + 1)]),
    [
      [1, 4, 'a', 'a '],
      [5, 4, 'c', 'c '],
      [4, 8, 'keys[1].b', 'keys[1].b '],
    ],
  );
  t.same([...file.unresolved], ['a', 'c', 'keys[1].b']);
});

const LONG = `  - ${'a'.repeat(99)}\n`.repeat(11_000);

t.test('a mistake in a very long file is told without reading all of it', async (t) => {
  const { file, wholes } = open(`keys:\n${LONG}  - a: 1\n    a: 2\n${LONG}`);
  t.equal(
    file.eachItem(() => undefined),
    false,
  );
  const whole = file.whole();
  t.match(whole.problems, [{ line: 11_003, column: 5, message: /given twice/ }]);
  t.same([whole.file, whole.content, whole.files], ['keys.yaml', null, ['keys.yaml']]);
  t.equal(wholes(), 0);
});

t.test('what an item needs from elsewhere has the whole file read, however long it is', async (t) => {
  const { file, wholes } = open(`x: &x 1\nkeys:\n${LONG}  - *x\n`);
  t.equal(
    file.eachItem(() => undefined),
    false,
  );
  t.equal(file.whole().item(11_000), 1);
  t.equal(wholes(), 1);
});
