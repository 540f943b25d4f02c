import t from 'tap';
import { RoutesSchema } from '../../src/config/route-schema.ts';

const mistakes = (...routes: readonly object[]): string[] =>
  RoutesSchema.safeParse(routes).error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? [];

t.test('a route has no query and no forms unless it says so', async (t) => {
  t.same(RoutesSchema.parse([{ method: 'POST', path: '/a' }]), [
    { method: 'POST', path: '/a', unnamed: 'disallow', query: [], forms: false },
  ]);
  const whole = { method: 'POST', path: '/a', events: 'a', query: ['_', 'v.1', '$x~y-z'], forms: true };
  t.same(RoutesSchema.parse([whole]), [{ ...whole, unnamed: 'disallow' }]);
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
