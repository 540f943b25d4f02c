import t from 'tap';
import { OWN_COOKIE, withoutOwnCookie } from '../../src/upstream/own-cookie.ts';

const cases: readonly (readonly [cookie: string, kept: string])[] = [
  ['a=1; b=2', 'a=1; b=2'],
  [`${OWN_COOKIE}=x`, ''],
  [`${OWN_COOKIE}=x; a=1`, 'a=1'],
  [`a=1; ${OWN_COOKIE}=x; b=2`, 'a=1; b=2'],
  [`a=1;${OWN_COOKIE}=x`, 'a=1'],
  [`a=1; ${OWN_COOKIE}=x; ${OWN_COOKIE}=y`, 'a=1'],
  [`not_${OWN_COOKIE}=x; a=${OWN_COOKIE}`, `not_${OWN_COOKIE}=x; a=${OWN_COOKIE}`],
];

for (const [cookie, kept] of cases)
  t.test(`what the backend gets of ${cookie}`, async (t) => {
    t.equal(withoutOwnCookie(cookie), kept);
  });
