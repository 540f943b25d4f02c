import t from 'tap';
import { overridesMethod, queryParameters } from '../../src/policy/query.ts';

t.test('names and values in order, with their places', async (t) => {
  const read = (query: string) =>
    queryParameters(query).map(({ name, value, start, end }) => [name, value, query.slice(start, end)]);
  t.same(read(''), []);
  t.same(read('?'), []);
  t.same(read('?a=b&c'), [
    ['a', 'b', 'a=b'],
    ['c', '', 'c'],
  ]);
  t.same(read('?a+b=c%20d+e&=x&&a=b=c'), [
    ['a b', 'c d e', 'a+b=c%20d+e'],
    ['', 'x', '=x'],
    ['', '', ''],
    ['a', 'b=c', 'a=b=c'],
  ]);
  t.same(read('?a=%zz&b=%ff'), [
    ['a', '%zz', 'a=%zz'],
    ['b', '\u00ff', 'b=%ff'],
  ]);
});

t.test('a method override in whatever spelling a backend takes', async (t) => {
  const overrides = [
    '_method=x',
    '_METHOD=x',
    '%5Fmethod=x',
    '_%6dethod=x',
    'a&_method',
    'a;_method=x',
    '_method[]=x',
    '_method%5b0%5d=x',
    '.method=x',
    '%20_method=x',
    '_method%00=x',
    '_metho%64',
  ];
  for (const query of overrides) t.equal(overridesMethod(`?${query}`), true, query);
  for (const query of ['', 'method=x', 'a=_method', 'my_method=x', '_methods=x', 'a=1%26_method', '__method=x', '%zz'])
    t.equal(overridesMethod(`?${query}`), false, query);
});
