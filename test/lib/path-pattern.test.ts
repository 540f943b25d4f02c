import * as fc from 'fast-check';
import t from 'tap';
import {
  compilePathTable,
  endsOpen,
  fitsClosely,
  isParameter,
  parameterNames,
  parsePattern,
  patternProblem,
  shapeOf,
} from '../../src/lib/path-pattern.ts';

t.test('a pattern is read', async (t) => {
  t.strictSame(parsePattern('/v1/:a/b'), { text: '/v1/:a/b', segments: ['v1', null, 'b'], rest: false });
  t.strictSame(parsePattern('/v1/:a/**/'), { text: '/v1/:a/**/', segments: ['v1', null], rest: true });
  t.strictSame(parsePattern('/'), { text: '/', segments: [], rest: false });
  t.strictSame(parameterNames('/:a/b/:c/**'), ['a', 'c']);
  t.ok(isParameter(':a'));
  t.notOk(isParameter('a:'));
  t.ok(endsOpen('/a/**'));
  t.notOk(endsOpen('/a**'));
});

const PROBLEMS: readonly (readonly [pattern: string, why: RegExp])[] = [
  ['a', /does not start with a slash/],
  ['', /does not start with a slash/],
  ['/a b', /plain visible ASCII/],
  ['/é', /plain visible ASCII/],
  ['/a%2F', /plain visible ASCII/],
  ['/:', /malformed :parameter/],
  ['/:a-b', /malformed :parameter/],
  ['/:1', /malformed :parameter/],
  ['/**/a', /holds \*\* in another place/],
  ['/**/**', /holds \*\* in another place/],
  ['/a**', /holds \*\* in another place/],
  ['/a/***', /holds \*\* in another place/],
  ['/a/../b', /ambiguous/],
  ['/a//b', /ambiguous/],
  ['/a;b', /ambiguous/],
  ['/a.', /ambiguous/],
  ['/a#b', /ambiguous/],
  ['/a?b', /holds a query/],
];
for (const [pattern, why] of PROBLEMS) t.match(patternProblem(pattern), why, pattern);
for (const pattern of ['/', '/a', '/a/', '/:a', '/:a/:b', '/**', '/a/**', '/a/:b/**/', '/*', "/a-_~!$&'()+,=:@"])
  t.equal(patternProblem(pattern), null, pattern);

t.test('two patterns have one shape when they fit the same paths', async (t) => {
  t.equal(shapeOf('/a/:b/C/'), shapeOf('/A/:other/c'));
  t.not(shapeOf('/a/:b'), shapeOf('/a/b'));
  t.not(shapeOf('/a/:b'), shapeOf('/a/**'));
});

const tableOf = (...patterns: string[]) =>
  compilePathTable(patterns.map((text) => ({ pattern: parsePattern(text), text })));

t.test('the most specific pattern is found', async (t) => {
  const table = tableOf('/**', '/:a/:b', '/:a/x', '/y/**', '/y/:b', '/y/x', '/y/:b/z', '/');
  for (const [path, pattern] of [
    ['/', '/'],
    ['/y', '/**'],
    ['/y/', '/**'],
    ['/y/x', '/y/x'],
    ['/y/w', '/y/:b'],
    ['/y/w/', '/y/:b'],
    ['/y/w/z', '/y/:b/z'],
    ['/y/w/v', '/y/**'],
    ['/q/x', '/:a/x'],
    ['/q/r', '/:a/:b'],
    ['/q/r/s', '/**'],
    ['/y/w/', '/y/:b'],
    ['/y//', undefined],
    ['/y//z', undefined],
    ['//', undefined],
    ['/y/w//', undefined],
  ] as const)
    t.equal(table.find(path)?.text, pattern, path);
});

t.test('another spelling is found only where no second pattern fits', async (t) => {
  const table = tableOf('/users/me', '/users/:id', '/Files/**', '/kit');
  t.equal(table.find('/users/me')?.text, '/users/me');
  t.equal(table.find('/users/ME'), null);
  t.equal(table.find('/USERS/7')?.text, '/users/:id');
  t.equal(table.find('/files/7')?.text, '/Files/**');
  t.equal(table.find('/\u212Ait')?.text, '/kit', 'folded as Unicode says');
  t.equal(table.find('/k\u00edt')?.text, '/kit', 'without accents');
});

t.test('closely fits what differs in the case of A to Z and in one trailing slash alone', async (t) => {
  const table = tableOf('/kit/:id', '/Files/**', '/');
  for (const path of ['/kit/7', '/KIT/7/', '/kit/é', '/files/a', '/FILES/a/b/', '/files/a.b', '/'])
    t.ok(table.holds(path), path);
  for (const path of ['/\u212Ait/7', '/k\u00edt/7', '/K\u0130T/7', '/kit', '/kit/', '/kit//', '/kit/7//', '/kit/7/8'])
    t.notOk(table.holds(path), path);
  for (const path of ['/files', '/files/', '/files//', '/files//a', '/files/a//b', '/files/a//', '//', '/x'])
    t.notOk(table.holds(path), path);
});

t.test('what fits one pattern closely is what a table of it holds', async (t) => {
  const segment = fc.constantFrom('a', 'A', 'b', 'k', '\u212A', 'é', '', ':x', '**', 'a\0b');
  const patterns = fc
    .array(fc.constantFrom('a', 'B', 'k', ':x'), { maxLength: 3 })
    .chain((segments) => fc.constantFrom<string>(`/${segments.join('/')}`, `/${[...segments, '**'].join('/')}`));
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.array(patterns, { minLength: 1, maxLength: 5 }),
        fc.array(segment, { maxLength: 4 }),
        (all, path) => {
          const reading = `/${path.join('/')}`;
          const table = tableOf(...all);
          const fitting = all.filter((text) => fitsClosely(parsePattern(text), reading));
          const byRule = all.filter((text) => ruleOf(text).test(reading));
          const found = table.find(reading);
          return (
            table.holds(reading) === fitting.length > 0 &&
            fitting.join() === byRule.join() &&
            // What is found fits at least loosely, and what fits one pattern alone, closely, is found.
            (new Set(fitting.map(shapeOf)).size !== 1 || found === null || all.includes(found.text))
          );
        },
      ),
      { numRuns: 2000 },
    ),
  );
});

/** The same by other means. Without the flag u, no letter beyond ASCII equals one of ASCII. */
function ruleOf(pattern: string): RegExp {
  if (pattern === '/') return /^\/?$/;
  const source = pattern
    .split('/')
    .slice(1)
    .map((segment) => (segment === '**' ? '[^/]+(?:/[^/]+)*' : segment.startsWith(':') ? '[^/]+' : segment))
    .join('/');
  return new RegExp(`^/${source}/?$`, 'i');
}

t.test('beside letters beyond ASCII, those of ASCII are folded all the same, each of them', async (t) => {
  const pattern = parsePattern('/abcxyz/:a');
  const table = compilePathTable([{ pattern }]);
  for (const path of ['/abcxyz/é', '/ABCXYZ/é', '/aBcXyZ/É'])
    t.same([fitsClosely(pattern, path), table.holds(path)], [true, true], path);
  for (const path of ['/ábcxyz/é', '/ÁBCXYZ/é'])
    t.same([fitsClosely(pattern, path), table.holds(path)], [false, false], path);
});
