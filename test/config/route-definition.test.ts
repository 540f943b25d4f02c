import t from 'tap';
import { findRouteProblems, type RouteDefinition } from '../../src/config/route-definition.ts';

// What is wrong with each, in the words that the operator reads.
const PROBLEMS: readonly (readonly [definition: RouteDefinition, why: RegExp])[] = [
  [{ method: 'post', path: '/a' }, /method "post"/],
  [{ method: '', path: '/a' }, /method ""/],
  [{ method: '*', path: '/a' }, /method/],
  [{ method: 'POST', path: 'a' }, /path "a" does not start/],
  [{ method: 'POST', path: '/a/../b' }, /ambiguous/],
  [{ method: 'POST', path: '/a//b' }, /ambiguous/],
  [{ method: 'POST', path: '/a;b' }, /ambiguous/],
  [{ method: 'POST', path: '/a.' }, /ambiguous/],
  [{ method: 'POST', path: '/a%20b' }, /plain visible ASCII/],
  [{ method: 'POST', path: '/a b' }, /plain visible ASCII/],
  [{ method: 'POST', path: '/é' }, /plain visible ASCII/],
  [{ method: 'POST', path: '/a?b' }, /holds a query/],
  [{ method: 'POST', path: '/a#b' }, /ambiguous/],
  [{ method: 'POST', path: '/a/:' }, /malformed :parameter/],
  [{ method: 'POST', path: '/a/:b-c' }, /malformed :parameter/],
  [{ method: 'POST', path: '/a/:b/:b' }, /names a parameter twice/],
  [{ method: 'POST', path: '/a', events: 'a.b.c.d.e' }, /events "a\.b\.c\.d\.e"/],
  [{ method: 'GET', path: '/a', events: 'name' }, /GET request carries no events/],
  [{ method: 'POST', path: '/a', rewrite: 'b' }, /rewrite "b" does not start/],
  [{ method: 'POST', path: '/a', rewrite: '/b/../c' }, /rewrite .* ambiguous/],
  [{ method: 'POST', path: '/a/**/b' }, /holds \*\* in another place/],
  [{ method: 'POST', path: '/a/:b', rewrite: '/c/**' }, /rewrite .* ends in \*\*, which path does not/],
  [{ method: 'POST', path: '/a/:b', rewrite: '/c/:d' }, /uses :d, which path does not name/],
];
for (const [definition, why] of PROBLEMS)
  t.test(`${JSON.stringify(definition)} is refused`, (t) => {
    const good = { method: 'POST', path: '/good' };
    t.match(findRouteProblems([good, definition]), [{ index: 1, why }]);
    t.end();
  });

t.test('two routes for the same paths are a problem', (t) => {
  for (const [a, b] of [
    ['/a', '/A/'],
    ['/a/:x', '/a/:y'],
    ['/:x/b', '/:y/B'],
    ['/:x/**', '/:y/**/'],
  ] as const)
    t.match(
      findRouteProblems([
        { method: 'GET', path: a },
        { method: 'GET', path: b },
      ]),
      [{ index: 1, why: /same paths/ }],
      b,
    );
  t.strictSame(
    findRouteProblems([
      { method: 'GET', path: '/a' },
      { method: 'PUT', path: '/a' },
    ]),
    [],
  );
  t.end();
});

t.test('a rewrite may hold what the path holds, and less', async (t) => {
  for (const [path, rewrite] of [
    ['/a/**', '/b/**'],
    ['/a/:id/**', '/b/:id/**'],
    ['/a/:id/**', '/b'],
    ['/a/:id', '/b/:id/c'],
    ['/a', '/'],
  ] as const)
    t.same(findRouteProblems([{ method: 'POST', path, rewrite }]), [], `${path} to ${rewrite}`);
});
