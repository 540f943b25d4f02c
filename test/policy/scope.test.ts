import t from 'tap';
import type { KeyType } from '../../src/keys/key.ts';
import type { RouteDefinition } from '../../src/config/route-definition.ts';
import { compileAllowedRoutes } from '../../src/keys/allowed-routes.ts';
import { compileRoutes, type RouteMatch } from '../../src/policy/route.ts';
import { checkListed, checkOverride, checkScope, isConfinedToMethods, type Asked } from '../../src/policy/scope.ts';
import { apiRules, factsOf, key } from '../support/passages.ts';

const check = (
  k: ReturnType<typeof key>,
  method: string,
  query = '',
  route: RouteMatch | null = null,
  fields: readonly string[] = [],
) => checkScope(k, askedFor(method, query, route, fields))?.code ?? null;

const askedFor = (
  method: string,
  query = '',
  route: RouteMatch | null = null,
  fields: readonly string[] = [],
  path = '/',
): Asked => ({ facts: factsOf({ method }, fields), path, query, route });

const limitedTo = (type: 'write-only' | 'read-write') => key('k', { type, allowedEvents: new Set(['a']) });
const routeOf = (path: string, definitions?: readonly RouteDefinition[], credentials: readonly string[] = []) =>
  (definitions === undefined ? apiRules().router : compileRoutes(definitions, credentials)).match('POST', path);

t.test('methods by type', async (t) => {
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'];
  const admitted = (type: KeyType) => methods.filter((method) => check(key('k', { type }), method) === null);
  t.same(admitted('write-only'), ['POST']);
  t.same(admitted('read-only'), ['GET', 'HEAD']);
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

t.test('a urlencoded form, where one of its fields is looked into', async (t) => {
  const definitions = [
    { method: 'POST', path: '/t', events: 'event', form: 'data' },
    { method: 'POST', path: '/free', form: 'data' },
    { method: 'POST', path: '/none' },
  ];
  for (const of of [limitedTo('write-only'), key('k')]) {
    for (const path of ['/t', '/free']) {
      t.equal(check(of, 'POST', '', routeOf(path, definitions), FORM), null, path);
      for (const type of ['multipart/form-data; boundary=x', 'application/x-www-form-urlencoded, x'])
        t.equal(
          check(of, 'POST', '', routeOf(path, definitions), ['Content-Type', type, ...FORM.slice(2)]),
          'unsupported_media_type',
          `${path} ${type}`,
        );
    }
    t.equal(check(of, 'POST', '', routeOf('/none', definitions), FORM), 'unsupported_media_type');
  }
});

const FORM = ['Content-Type', 'application/x-www-form-urlencoded', 'Content-Length', '2'];

t.test('a key that is limited to routes', async (t) => {
  const partner = key('partner', {
    type: 'read-write',
    allowedRoutes: compileAllowedRoutes(['GET /v1/orders/:id', 'POST /v1/notes']),
  });
  const at = (method: string, path: string, query = '', fields: readonly string[] = []) =>
    checkScope(partner, askedFor(method, query, null, fields, path));
  t.equal(at('GET', '/v1/orders/7'), null);
  t.equal(at('HEAD', '/V1/Orders/7/'), null);
  t.equal(at('POST', '/v1/notes'), null);
  for (const [method, path] of [
    ['DELETE', '/v1/orders/7'],
    ['GET', '/v1/orders'],
    ['GET', '/v1/orders/7%2F..'],
    ['POST', '/v1/note%C5%BF'],
  ] as const)
    t.strictSame(at(method, path), {
      code: 'route_not_allowed',
      reason: 'route_not_allowed',
      why: 'the method and path are not on the list',
      rule: 'allowedRoutes of key partner',
    });
  t.equal(at('TRACE', '/v1/orders/7')?.code, 'method_not_allowed', 'the type comes first');
  t.equal(at('POST', '/v1/notes', '?_method=DELETE')?.code, 'method_not_allowed');
  t.equal(at('POST', '/v1/notes', '', FORM)?.code, 'unsupported_media_type');
  const nothing = key('k', { allowedRoutes: compileAllowedRoutes([]) });
  t.equal(checkScope(nothing, askedFor('POST'))?.code, 'route_not_allowed');
});

t.test('who is confined: all but read-write keys without any limit', async (t) => {
  for (const type of ['write-only', 'read-only', 'metrics'] as const)
    t.ok(isConfinedToMethods(key('k', { type })), type);
  t.notOk(isConfinedToMethods(key('k', { type: 'read-write' })));
  t.ok(isConfinedToMethods(limitedTo('read-write')));
  t.ok(isConfinedToMethods(key('k', { type: 'read-write', allowedRoutes: compileAllowedRoutes(['* /**']) })));
});

t.test('pages may read with a write-only key what is for pages', async (t) => {
  const routes = compileRoutes([
    { method: 'GET', path: '/flags', pages: true },
    { method: 'GET', path: '/other' },
    ...['PUT', 'PATCH', 'DELETE'].map((method) => ({ method, path: '/any', pages: true })),
  ]);
  const read = (k: ReturnType<typeof key>, method: string, path: string) =>
    checkScope(k, askedFor(method, '', routes.match(method, path), [], path))?.code ?? null;
  for (const k of [key('k'), limitedTo('write-only')]) {
    t.equal(read(k, 'GET', '/flags'), null);
    t.equal(read(k, 'HEAD', '/FLAGS/'), null);
    t.equal(read(k, 'GET', '/other'), 'method_not_allowed');
    t.equal(read(k, 'GET', '/flag%C5%BF'), 'method_not_allowed', 'which some backends take for another path');
    t.equal(read(k, 'PUT', '/flags'), 'method_not_allowed');
    for (const method of ['PUT', 'PATCH', 'DELETE'])
      t.equal(read(k, method, '/any'), 'method_not_allowed', `${method}: to read is all that a page may`);
  }
  const sender = key('k', { allowedRoutes: compileAllowedRoutes(['POST /track']) });
  t.equal(read(sender, 'GET', '/flags'), 'route_not_allowed', 'if it is among its routes');
});

t.test('an API that serves listed routes alone', async (t) => {
  const router = compileRoutes([
    { method: 'GET', path: '/v1/orders/:id' },
    { method: 'POST', path: '/v1/track', events: 'event' },
    { method: 'POST', path: '/v1/form', forms: true },
  ]);
  const listed = (
    unlisted: 'allow' | 'refuse',
    method: string,
    path: string,
    query = '',
    fields: readonly string[] = [],
  ) => checkListed({ name: 'orders', unlisted }, askedFor(method, query, router.match(method, path), fields, path));
  for (const [method, path] of [
    ['GET', '/v1/orders/7'],
    ['HEAD', '/v1/orders/7'],
    ['POST', '/V1/Track/'],
    ['GET', '/v1/orders/%C3%A9'],
  ] as const)
    t.equal(listed('refuse', method, path), null, path);
  for (const [method, path] of [
    ['DELETE', '/v1/orders/7'],
    ['GET', '/v1/orders'],
    ['GET', '/v1/orders/7%2F8'],
    ['POST', '/v1/trac%E2%84%AA'],
    ['POST', '/v1/tr%C3%A4ck'],
  ] as const) {
    t.match(
      listed('refuse', method, path),
      { code: 'route_not_allowed', rule: 'unlisted: refuse of API orders' },
      path,
    );
    t.equal(listed('allow', method, path), null);
  }
  t.equal(listed('refuse', 'POST', '/v1/track', '?_method=DELETE')?.code, 'method_not_allowed');
  t.equal(listed('refuse', 'POST', '/v1/track', '', FORM)?.code, 'unsupported_media_type');
  t.equal(listed('refuse', 'POST', '/v1/form', '', FORM), null);
  t.equal(listed('allow', 'POST', '/v1/track', '?_method=DELETE', FORM), null);
});

t.test('another method than the own one', async (t) => {
  t.equal(checkOverride(askedFor('POST')), null);
  t.equal(checkOverride(askedFor('POST', '?a=b')), null);
  t.equal(checkOverride(askedFor('POST', '?_METHOD[]=x'))?.code, 'method_not_allowed');
  t.equal(checkOverride(askedFor('POST', '', null, FORM))?.code, 'unsupported_media_type');
});
