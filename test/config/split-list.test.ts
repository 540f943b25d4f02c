import t from 'tap';
import { splitList } from '../../src/config/split-list.ts';

function split(text: string) {
  const found = splitList(text, 'keys');
  if (found === null) return null;
  const { before, after, fieldLine, restLine, length, textOf, lineOf } = found;
  const items = Array.from({ length }, (_, index) => [lineOf(index), textOf(index)]);
  return { before, after, fieldLine, restLine, items };
}

t.test('the items are cut out, with what stands behind each', async (t) => {
  t.same(
    split('# all\na: 1\nkeys: # of ours\n\n  - id: a\n    x: 1\n# said of b\n\n  -\n    id: b\n  - - c\nz:\n  - d\n'),
    {
      before: '# all\na: 1\nkeys: # of ours\n\n',
      after: 'z:\n  - d\n',
      fieldLine: 3,
      restLine: 12,
      items: [
        [5, '  - id: a\n    x: 1\n# said of b\n\n'],
        [9, '  -\n    id: b\n'],
        [11, '  - - c\n'],
      ],
    },
  );
  t.same(split('keys:\n- a\n- b'), {
    before: 'keys:\n',
    after: '',
    fieldLine: 1,
    restLine: 4,
    items: [
      [2, '- a\n'],
      [3, '- b'],
    ],
  });
});

t.test('several items are had as one text', async (t) => {
  t.equal(splitList('keys:\n- a\n- b\n- c\n', 'keys')?.textOf(1, 3), '- b\n- c\n');
});

t.test('nothing is cut where the lines leave a doubt', async (t) => {
  for (const text of [
    '',
    'keys: []\n',
    'keys:\n',
    'keys:\n  a: 1\n',
    'keys:\n\t- a\n',
    ' keys:\n  - a\n',
    'keys:\n  - a\n - b\n',
    'keys:\n  - a\n  b: 1\n',
    'keys:\n  - a\nkeys:\n  - b\n',
    '%YAML 1.1\n---\nkeys:\n  - a\n',
    'keys: &a\n  - a\n',
    'keys:\n  -a\n',
    'keys:\n  ? a\n',
    'keys:\n  - a\n  ? b\n',
    'other:\n  - a\n',
  ])
    t.equal(split(text), null, JSON.stringify(text));
});

t.test('a blank last line ends nothing, whether or not a line break ends it', async (t) => {
  for (const last of [' ', '\n', ' \n', '   ', '\r\n', '#', ' # x'])
    t.same(split(`keys:\n  - a\n${last}`)?.items, [[2, `  - a\n${last}`]], JSON.stringify(last));
  t.same(split('keys:\n \n  - a')?.items, [[3, '  - a']], 'nor does one above the first item');
  t.equal(split('keys:\n '), null, 'alone it is no item');
});
