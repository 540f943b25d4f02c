import t from 'tap';
import { RoutesSchema } from '../../src/config/route-schema.ts';

const mistakes = (...routes: readonly object[]): string[] =>
  RoutesSchema.safeParse(routes).error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? [];

const DEFAULTS = {
  unnamed: 'disallow',
  query: [],
  forms: false,
  public: false,
  pages: false,
  cacheMinutes: null,
  maxBodyBytes: null,
  timeoutSeconds: null,
  idleTimeoutSeconds: null,
  upstream: null,
};

t.test('a route has nothing of its own unless it says so', async (t) => {
  t.same(RoutesSchema.parse([{ method: 'POST', path: '/a' }]), [{ ...DEFAULTS, method: 'POST', path: '/a' }]);
  const whole = { method: 'POST', path: '/a', events: 'a', query: ['_', 'v.1', '$x~y-z'], forms: true };
  t.same(RoutesSchema.parse([whole]), [{ ...DEFAULTS, ...whole }]);
  const get = {
    method: 'GET',
    path: '/a/**',
    pages: true,
    cacheMinutes: 5,
    timeoutSeconds: 0.5,
    idleTimeoutSeconds: 7,
  };
  t.same(RoutesSchema.parse([{ ...get, upstream: 'http://Files:8080/' }]), [
    { ...DEFAULTS, ...get, upstream: 'http://files:8080' },
  ]);
  const post = { method: 'POST', path: '/a', public: true, maxBodyBytes: 50_000_000 };
  t.same(RoutesSchema.parse([post]), [{ ...DEFAULTS, ...post }]);
});

t.test('what a query cannot list', async (t) => {
  const query = (...names: readonly unknown[]) => mistakes({ method: 'POST', path: '/a', events: 'a', query: names });
  for (const name of ['', 'a b', 'a[]', 'a&b', 'a%20', 'é', 1]) t.match(query(name), [/^0\.query\.0 must be the name/]);
  t.match(query('ip', 'IP'), [/^0\.query\.1 is listed twice/]);
  for (const name of ['_method', '_METHOD', '.method'])
    t.match(query(name), [/^0\.query\.0 must not be _method/], name);
  t.match(mistakes({ method: 'POST', path: '/a', query: ['ip'] }), [/^0\.query means nothing without `events`/]);
});

t.test('what only a preset knows of its vendor cannot be written', async (t) => {
  t.match(mistakes({ method: 'POST', path: '/a', backend: { base64: true } }), [/backend/]);
});
