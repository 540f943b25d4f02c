import t from 'tap';
import type { RouteDefinition } from '../../src/config/route-definition.ts';
import { compileRoutes, type RouteMatch } from '../../src/policy/route.ts';
import { checkScope } from '../../src/policy/scope.ts';
import { apiRules, factsOf, key } from '../support/passages.ts';

const check = (
  k: ReturnType<typeof key>,
  method: string,
  query = '',
  route: RouteMatch | null = null,
  fields: readonly string[] = [],
) => checkScope(k, { facts: factsOf({ method }, fields), query, route })?.code ?? null;

const limitedTo = (type: 'write-only' | 'read-write') => key('k', { type, allowedEvents: new Set(['a']) });
const routeOf = (path: string, definitions?: readonly RouteDefinition[], credentials: readonly string[] = []) =>
  (definitions === undefined ? apiRules().router : compileRoutes(definitions, credentials)).match('POST', path);

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
  t.equal(check(key('k', { type: 'metrics' }), 'POST', '?_method=PUT'), 'method_not_allowed');
  t.equal(
    check(limitedTo('read-write'), 'POST', '?_method=PUT', routeOf('/profile')),
    'method_not_allowed',
    'not listed',
  );
});

t.test('a key limited to specific events needs a listed route', async (t) => {
  const limited = key('k', { allowedEvents: new Set(['a']) });
  t.equal(check(limited, 'POST'), 'route_not_allowed');
  t.equal(check(limited, 'POST', '', apiRules().router.match('POST', '/event/ingest')), null);
  t.equal(check(key('k'), 'POST'), null);
});

t.test('forms of a key that may not use every method', async (t) => {
  const form = (type = 'application/x-www-form-urlencoded', length = '2') => [
    'Content-Type',
    type,
    'Content-Length',
    length,
  ];
  const forms = routeOf('/up', [{ method: 'POST', path: '/up', forms: true }]);
  const all = key('k');
  for (const route of [null, routeOf('/profile'), routeOf('/event/ingest')])
    for (const type of [
      undefined,
      'multipart/form-data; boundary=x',
      'application/X-WWW-form-urlencoded',
      'text/x, multipart/x',
    ])
      t.equal(check(all, 'POST', '', route, form(type)), 'unsupported_media_type', String(type));
  t.equal(check(key('k', { type: 'metrics' }), 'POST', '', null, form()), 'unsupported_media_type');
  t.equal(check(limitedTo('read-write'), 'POST', '', routeOf('/profile'), form()), 'unsupported_media_type');
  t.equal(
    check(limitedTo('write-only'), 'POST', '', null, form()),
    'route_not_allowed',
    'that it is not listed comes first',
  );
  t.equal(check(all, 'POST', '', forms, form()), null, 'the route says that it may be');
  t.equal(check(key('k', { type: 'read-write' }), 'POST', '', null, form()), null, 'has every method');
  t.equal(check(all, 'POST', '', null, form('application/octet-stream')), null);
  t.equal(check(all, 'POST', '', null, form(undefined, '0')), null, 'no body, no form');
});

t.test('the query of a key limited to specific events, beside events', async (t) => {
  const definitions = [
    { method: 'POST', path: '/track', events: 'event', query: ['ip', 'Ver'] },
    { method: 'POST', path: '/other' },
  ];
  const track = routeOf('/track', definitions, ['api_key']);
  for (const query of ['?ip=1&ver=2', '?api_key=x&ip', '?'])
    t.equal(check(limitedTo('write-only'), 'POST', query, track), null, query);
  for (const type of ['write-only', 'read-write'] as const)
    for (const query of ['?data=x', '?ip=1&ip=2', '?ip[]=1', '?ip=1;data=x'])
      t.equal(check(limitedTo(type), 'POST', query, track), 'query_not_allowed', query);
  t.equal(check(limitedTo('write-only'), 'POST', '?data=x', routeOf('/other', definitions)), null, 'no events there');
  t.equal(check(key('k'), 'POST', '?data=x', track), null, 'may send all events');
});

t.test('a route that is listed for its forms alone', async (t) => {
  const route = routeOf('/t', [{ method: 'POST', path: '/t', forms: true, backend: { unseen: true } }]);
  t.equal(check(limitedTo('write-only'), 'POST', '', route), 'route_not_allowed');
  t.equal(check(key('k'), 'POST', '', route), null);
});
