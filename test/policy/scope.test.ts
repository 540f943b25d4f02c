import t from 'tap';
import { checkScope } from '../../src/policy/scope.ts';
import type { RouteMatch } from '../../src/policy/route.ts';
import { apiRules, factsOf, key } from '../support/passages.ts';

const check = (
  k: ReturnType<typeof key>,
  method: string,
  query = '',
  route: RouteMatch | null = null,
  fields: readonly string[] = [],
) => checkScope(k, { facts: factsOf({ method }, fields), query, route })?.code ?? null;

t.test('methods by type', async (t) => {
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'];
  const admitted = (type: 'write-only' | 'read-write' | 'metrics') =>
    methods.filter((method) => check(key('k', { type }), method) === null);
  t.same(admitted('write-only'), ['POST']);
  t.same(admitted('read-write'), ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);
  t.same(admitted('metrics'), ['GET', 'HEAD', 'POST']);
});

t.test('a method override in the query of a write-only key', async (t) => {
  t.equal(check(key('k'), 'POST', '?_method=PUT'), 'method_not_allowed');
  t.equal(check(key('k'), 'POST', '?method=PUT'), null);
  t.equal(check(key('k', { type: 'read-write' }), 'POST', '?_method=PUT'), null);
});

t.test('a key limited to specific events needs a listed route', async (t) => {
  const limited = key('k', { allowedEvents: new Set(['a']) });
  t.equal(check(limited, 'POST'), 'route_not_allowed');
  t.equal(check(limited, 'POST', '', apiRules().router.match('POST', '/event/ingest')), null);
  t.equal(check(key('k'), 'POST'), null);
});
