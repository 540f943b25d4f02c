import t from 'tap';
import { overridesMethod, withoutMethodCookies } from '../../src/lib/method-override.ts';

t.test('a method override in whatever spelling a backend takes', async (t) => {
  const overrides = [
    '_method=x',
    '_METHOD=x',
    '%5Fmethod=x',
    '_%6dethod=x',
    'a&_method',
    'a;_method=x',
    '_method[]=x',
    '_method%5b0%5d=x',
    '.method=x',
    '%20_method=x',
    '_method%00=x',
    '_metho%64',
  ];
  for (const query of overrides) t.equal(overridesMethod(`?${query}`), true, query);
  for (const query of ['', 'method=x', 'a=_method', 'my_method=x', '_methods=x', 'a=1%26_method', '__method=x', '%zz'])
    t.equal(overridesMethod(`?${query}`), false, query);
});

t.test('method overrides that only one kind of backend reads', async (t) => {
  for (const name of [
    '[_method]',
    '%255fmethod',
    '_method%20',
    '%u005fmethod',
    '%5B_method',
    '_MeThOd[x]',
    '?_method',
    '_m%ethod',
    '%EF%BC%BFmethod',
  ])
    t.equal(overridesMethod(`?${name}=DELETE`), true, name);
});

t.test('names that one framework alone looks for', async (t) => {
  for (const name of [
    'X-HTTP-Method-Override',
    'x-http-method-override',
    'X-HTTP-Method',
    'X-Method-Override',
    'X_HTTP_METHOD_OVERRIDE',
    'x_http_method',
    'x_method_override',
    'X-HTTP-Method-Override[]',
    'X-HTTP-Method%2DOverride',
    'X-HTTP%2dMethod',
    '%58-Method-Override',
    'X.HTTP.Method.Override',
    '_HttpMethod',
    'x-tunneled-method',
    '_httpmethod',
    '%5FHttpMethod',
  ])
    t.equal(overridesMethod(`?a=1&${name}=DELETE`), true, name);
  for (const name of [
    'http_method',
    'httpMethod',
    'x-http-methods',
    'payment_method',
    'x-http-method-override-by',
    '_http-method',
  ])
    t.equal(overridesMethod(`?${name}=DELETE`), false, name);
});

t.test('cookies that are called so stay behind, all others pass as they came', async (t) => {
  for (const pair of [
    '_method=DELETE',
    '_METHOD=x',
    '%5fmethod=x',
    ' .method=x',
    '_method[]=x',
    'x=1,_method=x',
    'X-HTTP-Method-Override=x',
  ])
    t.equal(withoutMethodCookies(`session=1;${pair}; theme=dark`), 'session=1; theme=dark', pair);
  t.equal(withoutMethodCookies('_method=DELETE'), '');
  t.equal(withoutMethodCookies('_method=DELETE; a=1'), 'a=1');
  for (const cookie of [
    '',
    'session=abc;  theme="a b"',
    'method=x; payment_method=card',
    'ph=%7B%22_method%22%3A1%7D',
    'a=_method=x',
  ])
    t.equal(withoutMethodCookies(cookie), cookie);
});
