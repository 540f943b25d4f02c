import * as fc from 'fast-check';
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

void t.test('broken escapes are read as they always were', async () => {
  const withExceptions = (text: string): string => {
    const spaced = text.replaceAll('+', ' ');
    try {
      return decodeURIComponent(spaced);
    } catch {
      return spaced.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    }
  };
  const part = fc.constantFrom('a', '+', '%', '%4', '%zz', '%41', '%c3', '%A9', '%c3%a9', '%ff', '%00', '%F0%9F%98%80');
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const text = parts.join('');
      return (queryParameters(`?${text}`)[0]?.name ?? '') === withExceptions(text);
    }),
    { numRuns: 2_000 },
  );
});
