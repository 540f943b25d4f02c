import t from 'tap';
import type { RouteDefinition } from '../../src/config/route-definition.ts';
import { parseSelector } from '../../src/config/selector.ts';
import { compileRoutes } from '../../src/policy/route.ts';

const ROUTES: readonly RouteDefinition[] = [
  { method: 'POST', path: '/v1/track', events: 'event' },
  {
    method: 'POST',
    path: '/v1/batch',
    events: 'batch[].event',
    unnamed: 'allow',
    query: ['IP'],
    rewrite: '/v1/import',
  },
  { method: 'GET', path: '/v1/users/:id' },
  { method: 'GET', path: '/v1/users/me' },
  { method: 'DELETE', path: '/v1/:type/:id', rewrite: '/items/:id/of/:type' },
  { method: 'POST', path: '/:collection', events: '[].name' },
  { method: 'POST', path: '/Health' },
  { method: 'GET', path: '/' },
];
const router = compileRoutes(ROUTES, ['API_KEY']);

const patternOf = (method: string, path: string): string | undefined => router.match(method, path)?.route.pattern;

t.test('a route is what its definition says', (t) => {
  t.strictSame(router.match('POST', '/v1/batch'), {
    route: {
      method: 'POST',
      pattern: '/v1/batch',
      isSure: true,
      events: { selectors: [parseSelector('batch[].event')], unnamed: 'allow', when: null },
      query: new Map([
        ['ip', null],
        ['api_key', null],
      ]),
      forms: false,
      envelope: { form: null, gzip: false },
      rewrite: '/v1/import',
      backend: {},
      isPublic: false,
      pages: false,
      cacheMs: null,
      maxBodyBytes: null,
      timeoutMs: null,
      idleTimeoutMs: null,
      upstream: null,
    },
    target: '/v1/import',
  });
  t.match(router.match('POST', '/v1/track')?.route, { events: { unnamed: 'disallow' }, rewrite: null });
  t.equal(router.match('GET', '/v1/users/7')?.route.events, null);
  const packed = compileRoutes([{ method: 'POST', path: '/', events: 'event', gzip: true }]);
  t.same(packed.match('POST', '/')?.route.envelope, { form: null, gzip: true });
  const unset = { cacheMinutes: null, timeoutSeconds: null, idleTimeoutSeconds: null };
  t.match(compileRoutes([{ method: 'GET', path: '/', ...unset }]).match('GET', '/')?.route, {
    cacheMs: null,
    timeoutMs: null,
    idleTimeoutMs: null,
  });
  t.equal(router.routes.length, ROUTES.length);
  t.end();
});

const MATCHES: readonly (readonly [method: string, path: string, pattern: string | undefined])[] = [
  ['POST', '/v1/track', '/v1/track'],
  ['POST', '/v1/track/', '/v1/track'],
  ['POST', '/V1/TRACK', '/v1/track'],
  ['POST', '/v1/trac%E2%84%AA', '/v1/track'],
  ['POST', '/v1/%EF%BD%94rack', '/v1/track'],
  ['POST', '/v1/track//', undefined],
  ['POST', '/v1/tracks', undefined],
  ['POST', '/v1', '/:collection'],
  ['POST', '/v1/', '/:collection'],
  ['POST', '/', undefined],
  ['PUT', '/v1/track', undefined],
  ['post', '/v1/track', undefined],
  ['GET', '/', '/'],
  ['GET', '/v1/users/7', '/v1/users/:id'],
  ['GET', '/v1/users/%C3%A9%20a', '/v1/users/:id'],
  ['GET', '/V1/Users/7', '/v1/users/:id'],
  ['GET', '/v1/users', undefined],
  ['GET', '/v1/users/', undefined],
  ['GET', '/v1/users/7/x', undefined],
  ['GET', '/v1/users/me', '/v1/users/me'],
  ['HEAD', '/v1/users/me', '/v1/users/me'],
  ['HEAD', '/v1/track', undefined],
  ['DELETE', '/v1/constructor/__proto__', '/v1/:type/:id'],
  ['POST', '/Health', '/Health'],
];
for (const [method, path, pattern] of MATCHES)
  t.equal(patternOf(method, path), pattern, `${method} ${path} is ${pattern ?? 'no route'}`);

t.test('a spelling that a strict backend takes for another route is none', (t) => {
  t.equal(patternOf('GET', '/v1/users/ME'), undefined);
  t.equal(patternOf('GET', '/v1/users/m%E2%80%8Be'), undefined);
  t.equal(patternOf('POST', '/health'), undefined);
  t.equal(patternOf('POST', '/HEALTH'), undefined);
  t.end();
});

t.test('a path with two readings is a route only if both are that route', (t) => {
  for (const path of ['/v1/users%2F7', '/v1//users/7', '/v1/users/7%2F8', '/v1/users%3F/7', '/v1/users/me;x'])
    t.equal(patternOf('GET', path), undefined, path);
  for (const path of ['/v1/users/7;x', '/v1/users/7%3Fx', '/v1/users/100%25'])
    t.equal(patternOf('GET', path), '/v1/users/:id', path);
  t.equal(patternOf('POST', '/v1/track;x'), undefined);
  t.equal(patternOf('POST', '/v1%2Ftrack'), undefined);
  t.end();
});

t.test('a rewrite takes the parameters in the spelling received', (t) => {
  const target = (path: string): string | undefined => router.match('DELETE', path)?.target;
  t.equal(target('/v1/Book/a%20B'), '/items/a%20B/of/Book');
  t.equal(target('/V1/b/7/'), '/items/7/of/b');
  t.equal(target('/v1/$&/$1'), '/items/$1/of/$&');
  t.equal(router.match('POST', '/V1/Batch/')?.target, '/v1/import');
  t.equal(
    router.match('GET', '/V1/users/7/')?.target,
    '/V1/users/7/',
    'without a rewrite the path is forwarded as it came',
  );
  t.end();
});

t.test('a last segment ** stands for one or more', (t) => {
  const open = compileRoutes([
    { method: 'GET', path: '/files/**', rewrite: '/store/x/**' },
    { method: 'GET', path: '/:tenant/docs/**', rewrite: '/docs/**' },
    { method: 'GET', path: '/files/:id' },
    { method: 'POST', path: '/**', rewrite: '/in' },
  ]);
  for (const [method, path, pattern, target] of [
    ['GET', '/files/a', '/files/:id', '/files/a'],
    ['GET', '/files/a/b%20c', '/files/**', '/store/x/a/b%20c'],
    ['GET', '/FILES/A/B/', '/files/**', '/store/x/A/B/'],
    ['GET', '/acme/docs/a/b', '/:tenant/docs/**', '/docs/a/b'],
    ['POST', '/a/b', '/**', '/in'],
    ['HEAD', '/files/a/b', '/files/**', '/store/x/a/b'],
  ] as const) {
    const match = open.match(method, path);
    t.equal(match?.route.pattern, pattern, path);
    t.equal(match?.target, target, path);
  }
  for (const path of ['/files', '/files/', '/files//a', '/acme/docs', '/acme/docs/', '/files/a//b', '/files%2Fa/b'])
    t.equal(open.match('GET', path), null, path);
  t.end();
});

t.test('a path in a spelling beyond letter case is granted nothing', (t) => {
  const grants: Omit<RouteDefinition, 'path'> = {
    method: 'POST',
    forms: true,
    public: true,
    pages: true,
    cacheMinutes: 5,
    maxBodyBytes: 7,
    timeoutSeconds: 0.5,
    idleTimeoutSeconds: 2,
    upstream: 'http://files:8080',
  };
  const open = compileRoutes([
    { ...grants, path: '/v1/track', events: 'event' },
    { ...grants, path: '/v1/users/:id' },
  ]);
  const granted = {
    isSure: true,
    forms: true,
    isPublic: true,
    pages: true,
    cacheMs: 300_000,
    maxBodyBytes: 7,
    timeoutMs: 500,
    idleTimeoutMs: 2000,
    upstream: 'http://files:8080',
  };
  for (const path of ['/v1/track', '/V1/TRACK/', '/v1/users/7', '/v1/users/%C3%A9', '/v1/users/%C5%BF;x'])
    t.match(open.match('POST', path)?.route, granted, path);
  const sure = open.match('POST', '/v1/track')?.route;
  for (const path of ['/v1/trac%E2%84%AA', '/v1/tr%C3%A1ck', '/v1/%EF%BD%94rack/'])
    t.strictSame(
      open.match('POST', path)?.route,
      {
        ...sure,
        isSure: false,
        forms: false,
        isPublic: false,
        pages: false,
        cacheMs: null,
        maxBodyBytes: null,
        timeoutMs: null,
        idleTimeoutMs: null,
        upstream: null,
      },
      path,
    );
  t.equal(open.match('POST', '/v1/u%C5%BFers/7')?.route.isSure, false);
  t.equal(open.match('POST', '/v1/users/7%3B%C5%BF')?.route.isSure, true, 'parameters may be spelled in any way');
  t.same(open.match('POST', '/v1/trac%E2%84%AA')?.route.events, open.match('POST', '/v1/track')?.route.events);
  t.end();
});

t.test('HEAD takes a GET route unless it lists its own', (t) => {
  const own = compileRoutes([
    { method: 'GET', path: '/a/:id' },
    { method: 'HEAD', path: '/A/:other' },
    { method: 'GET', path: '/b' },
  ]);
  t.equal(own.match('HEAD', '/A/1')?.route.pattern, '/A/:other');
  t.equal(own.match('HEAD', '/b')?.route.pattern, '/b');
  t.equal(own.match('GET', '/a/1')?.route.pattern, '/a/:id');
  t.end();
});

t.test('literal segments come before parameters, from the left', (t) => {
  const overlapping = compileRoutes([
    { method: 'GET', path: '/:a/:b' },
    { method: 'GET', path: '/:a/x' },
    { method: 'GET', path: '/y/:b' },
    { method: 'GET', path: '/y/x' },
  ]);
  for (const [path, pattern] of [
    ['/y/x', '/y/x'],
    ['/y/z', '/y/:b'],
    ['/z/x', '/:a/x'],
    ['/z/z', '/:a/:b'],
  ] as const)
    t.equal(overlapping.match('GET', path)?.route.pattern, pattern, path);
  t.end();
});
