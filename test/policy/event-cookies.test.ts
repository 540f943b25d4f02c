import t from 'tap';
import { withoutEventCookies } from '../../src/policy/event-cookies.ts';
import { compileRoutes, type CompiledRoute } from '../../src/policy/route.ts';

const [route] = compileRoutes([
  {
    method: 'POST',
    path: '/a',
    events: ['list[].payload.title', 'kind'],
    form: 'body',
    backend: { containers: ['more'] },
  },
]).routes;
const left = (cookie: string): string => withoutEventCookies(cookie, route as CompiledRoute);

t.test('cookies that are called like the places of events stay behind', async (t) => {
  for (const name of ['list', 'payload', 'title', 'kind', 'body', 'more', 'data', 'event', 'events', 'batch'])
    t.equal(left(`session=1; ${name}=x; theme=dark`), 'session=1; theme=dark', name);
  for (const pair of ['TITLE=x', 'data[]=x', 'data[event]=x', '%64ata=x', 'data', ' data =x', 'x=1, data=2', '.data=1'])
    t.equal(left(`a=1;${pair};b=2`), pair === '.data=1' ? 'a=1;.data=1;b=2' : 'a=1;b=2', pair);
  t.equal(left('data=1'), '');
  t.equal(left('data=1; a=2'), 'a=2');
});

t.test('all others pass as they came', async (t) => {
  for (const cookie of [
    'session=abc; theme="a b"',
    'ph_x_posthog=%7B%22data%22%3A1%7D',
    'datax=1;  x=data=1',
    '$Version=1',
  ])
    t.equal(left(cookie), cookie);
  t.equal(left('a=1;'.repeat(300)), '', 'no browser sends so many');
});

t.test('two hundred cookies are looked at, and no more', async (t) => {
  const many = (count: number): string => Array.from({ length: count }, (_, i) => `a${i}=1`).join('; ');
  t.equal(left(many(200)), many(200));
  t.equal(left(many(201)), '');
});
