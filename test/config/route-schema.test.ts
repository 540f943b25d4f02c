import t from 'tap';
import { RoutesSchema } from '../../src/config/route-schema.ts';

const mistakes = (...routes: readonly object[]): string[] =>
  RoutesSchema.safeParse(routes).error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? [];

const DEFAULTS = {
  unnamed: 'disallow',
  gzip: false,
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
  const whole = {
    method: 'POST',
    path: '/a',
    events: 'a',
    query: ['_', 'v.1', '$x~y-z', 'c=gzip-js', 'c=base64'],
    forms: true,
  };
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
  for (const name of ['', 'a b', 'a[]', 'a&b', 'a%20', 'é', 'a=', '=a', 'a=b=c', 'a=b c', 1])
    t.match(query(name), [/^0\.query\.0 must be the name/]);
  for (const [one, other] of [
    ['ip', 'IP'],
    ['ip', 'IP=1'],
    ['ip=1', 'ip'],
    ['ip=1', 'ip=1'],
  ])
    t.match(query(one, other), [/^0\.query\.1 is listed twice/], `${one} ${other}`);
  for (const name of ['_method', '_METHOD', '.method', '_method=PUT'])
    t.match(query(name), [/^0\.query\.0 must not be _method/], name);
  t.match(mistakes({ method: 'POST', path: '/a', query: ['ip'] }), [/^0\.query means nothing without `events`/]);
});

t.test('a form, gzip and kinds, with what they need', async (t) => {
  const events = { method: 'POST', path: '/a', events: ['b[].a', 'a'] };
  t.same(mistakes({ ...events, form: 'data', gzip: true, when: { member: 'type', is: ['x'] } }), []);
  t.same(mistakes({ method: 'POST', path: '/a', form: 'data', gzip: true }), [], 'a credential may stand in them');
  for (const form of ['', 'a[]', 'a b', 1]) t.match(mistakes({ ...events, form }), [/^0\.form must be the name/]);
  t.match(mistakes({ ...events, gzip: 'yes' }), [/^0\.gzip must be true or false/]);
  t.match(mistakes({ method: 'POST', path: '/a', when: { member: 'type', is: ['x'] } }), [/^0\.when means nothing/]);
  for (const [when, where] of [
    [{ is: ['x'] }, /^0\.when\.member/],
    [{ member: 'type', is: [] }, /^0\.when\.is must hold at least one/],
    [{ member: 'type', is: 'x' }, /^0\.when\.is must be a list/],
    [{ member: 'type', is: ['x'], pass: [1] }, /^0\.when\.pass\.0/],
    [{ member: 'type', is: ['x'], passes: [] }, /^0\.when /],
    [{ member: 'a.b', is: ['x'] }, /^0 is not usable: when\.member "a\.b" is no name/],
    [{ member: 'A', is: ['x'] }, /^0 is not usable: when\.member "A" is what events looks for/],
    [{ member: 'type', is: ['x', 'y'], pass: ['y'] }, /^0 is not usable: when\.pass holds "y"/],
  ] as const)
    t.match(mistakes({ ...events, when }), [where]);
});

t.test('a list of selectors', async (t) => {
  const list = (...events: readonly unknown[]) => mistakes({ method: 'POST', path: '/a', events });
  t.same(list('a[].x', '[].x', 'x', 'b.c.x'), []);
  t.match(list(), [/^0\.events must hold at least one selector/]);
  t.match(list('a[].x', 1), [/^0\.events/]);
  t.match(list('a[].x', 'b.c.d.e.f'), [/^0 is not usable: events "b\.c\.d\.e\.f" is no selector/]);
  t.match(list('a[].x', 'A.y'), [/^0 is not usable: events "A\.y" begins like another selector/]);
  t.match(list('[].x', '[].y'), [/^0 is not usable: events "\[\]\.y" begins like/]);
  t.match(list('a', 'b', 'c', 'd', 'e'), [/^0 is not usable: events holds more than 4 selectors/]);
  t.match(mistakes({ method: 'POST', path: '/a', events: 1 }), [/^0\.events must be a selector/]);
});

t.test('what only a preset knows of its vendor cannot be written', async (t) => {
  t.match(mistakes({ method: 'POST', path: '/a', backend: { base64: true } }), [/backend/]);
});
