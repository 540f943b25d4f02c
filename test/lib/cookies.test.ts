import t from 'tap';
import { withoutCookies } from '../../src/lib/cookies.ts';

const isSecret = (name: string): boolean => name === 'secret';
const left = (cookie: string): string => withoutCookies(cookie, isSecret);

t.test('pairs of that name go, every other byte stays', async (t) => {
  t.equal(left('a=1;  b = "2";secret=x;c'), 'a=1;  b = "2";c');
  t.equal(left('secret=x; a=1; secret'), 'a=1');
  t.equal(left(' secret =x'), '');
  t.equal(left('a=1, secret=2; b=3'), ' b=3'.trim());
  for (const cookie of ['', ' a=1', 'secrets=1; my-secret=2; a=secret', '$Version=1']) t.equal(left(cookie), cookie);
});

t.test('two hundred cookies are looked at, and no more', async (t) => {
  const many = (count: number): string => Array.from({ length: count }, (_, i) => `a${i}=1`).join('; ');
  t.equal(left(many(200)), many(200));
  t.equal(left(many(201)), '');
});
