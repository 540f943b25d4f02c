import t from 'tap';
import { ApisSchema } from '../../src/config/apis-schema.ts';

const upstream = 'http://127.0.0.1:9000';

/** What is wrong, each as its place and its sentence. `written`: what is said of each API, besides its upstream. */
function wrong(written: Record<string, object>): string[] {
  const apis = Object.fromEntries(Object.entries(written).map(([name, api]) => [name, { upstream, ...api }]));
  const { error } = ApisSchema.safeParse(apis);
  return (error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}

t.test('any number of APIs, under names of one form', async (t) => {
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`api-${n}`, { paths: [`/v${n}`] }]));
  t.same(wrong(many), []);
  for (const name of ['a', 'a-', 'a0', 'constructor', 'a'.repeat(32)]) t.same(wrong({ [name]: {} }), [], name);
  for (const name of ['', 'A', '0a', '-a', 'a_b', 'a.b', 'a b', 'ä', 'a'.repeat(33)])
    t.equal(wrong({ [name]: {} }).length, 1, name);
  t.match(wrong({}), [/^: must name at least one API/]);
});

t.test('two APIs never claim one path for one Host', async (t) => {
  t.match(wrong({ integration: {}, orders: {} }), [
    /^orders: claims \/, as `apis\.integration` does for the same Host/,
  ]);
  t.match(wrong({ a: { paths: ['/v1', '/V2/'] }, b: { paths: ['/v3', '/v2'] } }), [
    /^b\.paths\.1: claims \/v2, as `apis\.a`/,
  ]);
  t.match(wrong({ a: { hosts: ['a.test', 'b.test'] }, b: { hosts: ['c.test', 'b.test'] } }), [/^b: claims/]);
  t.match(wrong({ a: { paths: ['/v1', '/V1/'] } }), [/^a\.paths\.1: says \/V1\/ twice/]);
  for (const good of [
    { integration: {}, metrics: {} },
    { a: {}, b: { hosts: ['b.test'] } },
    { a: { hosts: ['a.test'] }, b: { hosts: ['b.test'] } },
    { a: { paths: ['/v1'] }, b: { paths: ['/v1/x', '/v10'] } },
  ])
    t.same(wrong(good), [], JSON.stringify(good));
});

t.test('a token endpoint is a path that reaches its own API', async (t) => {
  const orders = { paths: ['/orders'], token: { path: '/orders/auth/token' } };
  t.same(wrong({ orders, integration: {}, metrics: {} }), []);
  t.match(wrong({ orders: { ...orders, token: { path: '/token' } } }), [
    /^orders\.token\.path: must lie under the `paths`/,
  ]);
  t.match(wrong({ orders: { ...orders, token: { path: '/ordersx/token' } } }), [/must lie under the `paths`/]);
  t.match(wrong({ metrics: { paths: ['/stats'] } }), [
    /^metrics\.token: must lie under the `paths`.*\/metrics\/auth\/token/,
  ]);
  t.match(wrong({ orders, auth: { paths: ['/Orders/auth/'] } }), [/^orders\.token\.path: belongs to `apis\.auth`/]);
  t.same(wrong({ orders, auth: { paths: ['/orders/auth'], hosts: ['auth.test'] } }), [], 'not for every Host');
  const narrow = { ...orders, hosts: ['a.test'] };
  t.match(wrong({ orders: narrow, auth: { paths: ['/orders/auth'], hosts: ['a.test', 'b.test'] } }), [/belongs to/]);
  t.same(wrong({ orders: narrow, auth: { paths: ['/orders/auth'], hosts: ['b.test'] } }), []);
  t.match(wrong({ a: { token: { path: '/.well-known/JWKS.json' } } }), [
    /^a\.token\.path: must not be the path of the key set/,
  ]);
});
