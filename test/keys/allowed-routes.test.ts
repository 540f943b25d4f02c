import * as fc from 'fast-check';
import t from 'tap';
import { allowedRouteProblem, compileAllowedRoutes } from '../../src/keys/allowed-routes.ts';
import { normalizeTarget, PATH_QUIRKS } from '../../src/lib/path-normalization.ts';
import { readPath } from '../../src/lib/path-reading.ts';

const PROBLEMS: readonly (readonly [line: string, why: RegExp])[] = [
  ['', /must begin with a method/],
  ['/v1/a', /must begin with a method/],
  ['OPTIONS /a', /must begin with a method/],
  ['** /a', /must begin with a method/],
  [' GET /a', /must begin with a method/],
  ['get /a', /in upper-case letters: GET/],
  ['GET', /must be a method and a path/],
  ['GET ', /must be a method and a path/],
  ['GET /a /b', /must be a method and a path/],
  ['GET a', /path "a" does not start with a slash/],
  ['GET /a%2Fb', /plain visible ASCII/],
  ['GET /a\t/b', /plain visible ASCII/],
  ['GET /a//b', /ambiguous/],
  ['GET /**/a', /\*\* in another place/],
  ['GET /a/*', /write :name for one segment/],
  ['GET /a/{id}', /write :name for one segment/],
  ['GET /a?b=c', /holds a query/],
];
for (const [line, why] of PROBLEMS) t.match(allowedRouteProblem(line), why, line);
for (const line of ['GET /', '* /**', 'DELETE /a/:b/', 'PATCH  /a', 'HEAD /a/**/', 'PUT /a', 'POST /A.b'])
  t.equal(allowedRouteProblem(line), null, line);

t.test('a method and a path have to be on the list', async (t) => {
  const list = compileAllowedRoutes([
    'GET /v1/users/:id',
    'POST /v1/track',
    '* /v1/any',
    'DELETE /v1/any/:id',
    'HEAD /v1/head',
    'GET /static/**',
  ]);
  for (const [method, path] of [
    ['GET', '/v1/users/7'],
    ['GET', '/V1/Users/7/'],
    ['GET', '/v1/users/%C3%A9'],
    ['GET', '/v1/users/100%25'],
    ['GET', '/v1/users/7;x'],
    ['HEAD', '/v1/users/7'],
    ['POST', '/v1/track'],
    ['POST', '/v1/TRACK'],
    ['PURGE', '/v1/any'],
    ['DELETE', '/v1/any'],
    ['DELETE', '/v1/any/7'],
    ['HEAD', '/v1/any'],
    ['HEAD', '/v1/head'],
    ['GET', '/static/a/b/c.js'],
  ] as const)
    t.ok(list.admits(method, path), `${method} ${path}`);
  for (const [method, path] of [
    ['POST', '/v1/users/7'],
    ['get', '/v1/users/7'],
    ['GET', '/v1/users'],
    ['GET', '/v1/users/'],
    ['GET', '/v1/users/7/x'],
    ['GET', '/v1/users//7'],
    ['GET', '/v1/users%2F7'],
    ['GET', '/v1/users/7%2F8'],
    ['GET', '/v1/users/7%3Bx%2F8'],
    ['GET', '/v1/users%3F/7'],
    ['HEAD', '/v1/track'],
    ['GET', '/v1/track'],
    ['POST', '/v1/track;x'],
    ['POST', '/v1/trac%E2%84%AA'],
    ['POST', '/v1/%EF%BD%94rack'],
    ['POST', '/v1/tr%C3%A4ck'],
    ['POST', '/v1/tr%25C3%25A4ck'],
    ['GET', '/v1/head'],
    ['PURGE', '/v1/any/7'],
    ['GET', '/static'],
    ['GET', '/static//a'],
    ['GET', '/static%2Fa'],
    ['GET', '/static/%3F'],
    ['GET', '/'],
  ] as const)
    t.notOk(list.admits(method, path), `${method} ${path}`);
});

t.test('an empty list admits none', async (t) => {
  const list = compileAllowedRoutes([]);
  for (const method of ['GET', 'HEAD', 'POST', '*']) t.notOk(list.admits(method, '/'));
});

t.test('no spelling is admitted that is off the list in one of its readings', async (t) => {
  const lines = ['GET /a/:id', 'GET /a/b/c', 'GET /files/**', 'GET /A/b', 'GET /k'];
  const rules = [/^\/a\/[^/]+\/?$/i, /^\/a\/b\/c\/?$/i, /^\/files(?:\/[^/]+)+\/?$/i, /^\/k\/?$/i];
  const list = compileAllowedRoutes(lines);
  const quirks = new Set(PATH_QUIRKS);
  const piece = fc.constantFrom(
    ...'/ /a /A /b /c /files /k a . .. ; ;x // \\ %2F %2f %252F %3F %23 %3B %25'.split(' '),
    ...'%2e %5C %61 %4B %E2%84%AA %C3%A1 %EF%BC%8F %C2%AD %20 %00 %FF'.split(' '),
  );
  let admitted = 0;
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), (pieces) => {
        const target = normalizeTarget(`/a${pieces.join('')}`, quirks);
        const other = normalizeTarget(pieces.join(''), quirks);
        for (const { ok, ...rest } of [target, other]) {
          if (!ok || !('value' in rest)) continue;
          const { path } = rest.value;
          const isOnList = readPath(path).every((reading) => rules.some((rule) => rule.test(reading)));
          if (list.admits('GET', path) !== isOnList) return false;
          if (isOnList) admitted += 1;
        }
        return true;
      }),
      { numRuns: 5000 },
    ),
  );
  t.ok(admitted > 100, 'enough of them are on the list');
});

t.test('two stars stand at the end of a path, and nowhere else', async (t) => {
  for (const line of ['GET /a/**', 'GET /a/**/', 'GET /**']) t.equal(allowedRouteProblem(line), null, line);
  for (const line of ['GET /a/**/b', 'GET /**/a', 'GET /a/**/**', 'GET /a**', 'GET /a/*', 'GET /a/{b}'])
    t.type(allowedRouteProblem(line), 'string', line);
});

t.test('HEAD may be used where GET may, whatever else is listed, and no more than that', async (t) => {
  for (const [written, admitted] of [
    [['GET /a'], ['GET', 'HEAD']],
    [['HEAD /a'], ['HEAD']],
    [['* /a'], ['GET', 'HEAD', 'POST']],
    [['POST /a'], ['POST']],
    [['GET /b', 'HEAD /a'], ['HEAD']],
  ] as const) {
    const list = compileAllowedRoutes(written);
    t.same(
      ['GET', 'HEAD', 'POST'].filter((method) => list.admits(method, '/a')),
      admitted,
      written.join(),
    );
  }
});
