import fc from 'fast-check';
import t from 'tap';
import { allowedRouteProblem, compileAllowedRoutes } from '../../src/keys/allowed-routes.ts';
import { normalizeTarget } from '../../src/lib/path-normalization.ts';
import { patternOf, readRouteValue, routeValue } from '../../src/observe/route-value.ts';

t.test('what looks like an identifier is written as :id', (t) => {
  for (const [path, pattern] of [
    ['/', '/'],
    ['/v1/users', '/v1/users'],
    ['/v1/users/', '/v1/users'],
    ['/v1/users/42', '/v1/users/:id'],
    ['/v1/users/42/orders/7', '/v1/users/:id/orders/:id'],
    ['/a/3f2504e0-4f89-11d3-9a0c-0305e82c3301', '/a/:id'],
    ['/a/3F2504E0-4F89-11D3-9A0C-0305E82C3301', '/a/:id'],
    ['/a/0123456789abcdef', '/a/:id'],
    ['/a/0123456789abcde', '/a/0123456789abcde'],
    ['/a/abcdefghij0123456789', '/a/:id'],
    ['/a/abcdefghij0123456789,b', '/a/abcdefghij0123456789,b'],
    ['/a/b,abcdefghij0123456789', '/a/b,abcdefghij0123456789'],
    ['/a/abcdefghij012345678', '/a/abcdefghij012345678'],
    ['/a/AbC-d_e.f~g=h+0123456', '/a/:id'],
    ['/A/b', '/A/b'],
    ['/a/v2', '/a/v2'],
  ])
    t.equal(patternOf(path as string), pattern as string, path as string);
  t.end();
});

t.test('so is what a list of routes could not hold', (t) => {
  for (const [path, pattern] of [
    ['/files/a%20b.txt', '/files/:id'],
    ['/files/%C3%A4', '/files/:id'],
    ['/v1/:id', '/v1/:id'],
    ['/v1/*', '/v1/:id'],
    ['/v1/**', '/v1/:id'],
    ['/v1/{id}', '/v1/:id'],
  ])
    t.equal(patternOf(path as string), pattern as string, path as string);
  t.end();
});

t.test('a path that no pattern fits in every reading has none', (t) => {
  for (const path of ['/a//b', '/a/b%2Fc', '/a;x/b', '/a\\b', '/a./b', '/a/../b']) t.equal(patternOf(path), null, path);
  t.end();
});

t.test('a pattern is fit for a list, and admits the path that it was made of', (t) => {
  const segment = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9._~!$&'()+,=:@*{}|^`"-]{1,24}$/),
    fc.constantFrom('%20', '%C3%A4', '%2F', '%25', ';a', ':id', '**', '', '42'),
  );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 5 }), fc.boolean(), (segments, slash) => {
        const written = `/${segments.join('/')}${slash ? '/' : ''}`;
        const target = normalizeTarget(
          written,
          new Set(['encoded-slash', 'encoded-percent', 'double-slash', 'semicolon'] as const),
        );
        if (!target.ok) return true;
        const { path } = target.value;
        const pattern = patternOf(path);
        if (pattern === null) return true;
        const line = `GET ${pattern}`;
        return allowedRouteProblem(line) === null && compileAllowedRoutes([line]).admits('GET', path);
      }),
      { numRuns: 500 },
    ),
  );
  t.end();
});

t.test('a route is one text, and is read back from it', (t) => {
  const route = { api: 'orders', method: 'GET', path: '/v1/users/:id', listed: true };
  t.same(readRouteValue(routeValue(route)), route);
  t.same(readRouteValue(routeValue({ ...route, listed: false })), { ...route, listed: false });
  for (const text of [
    '',
    'orders',
    'orders listed GET',
    'orders maybe GET /a',
    'orders listed GET a',
    'orders listed GET /a b',
    'orders listed  /a',
    ' listed GET /a',
  ])
    t.equal(readRouteValue(text), null, text);
  t.end();
});
