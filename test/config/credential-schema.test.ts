import t from 'tap';
import { AuthorizationSchema, CredentialSchema, inOneCase, placesWithout } from '../../src/config/credential-schema.ts';

const isPlace = (place: string): boolean => CredentialSchema.safeParse([place]).success;
const isHanded = (written: unknown): boolean => AuthorizationSchema.safeParse(written).success;

t.test('a member of the body is named by the way to it', async (t) => {
  for (const way of ['token', 'properties/token', '[]/token', '[]/[]/a.b/$c~-_9', 'batch/[]/writeKey'])
    t.equal(isPlace(`body:${way}`), true, way);
  for (const way of ['', '/', '[]', 'a/', '/a', 'a//b', 'a[]', 'a[]/b', '[]a/b', 'a/[]', 'a b', 'a/b?', 'é'])
    t.equal(isPlace(`body:${way}`), false, way);
});

t.test('a place is written out whole', async (t) => {
  for (const place of ['bearer', 'basic-username', 'header:x', "header:!#$%&'+.^_`|~0-9", 'query:A.b_$~-9'])
    t.equal(isPlace(place), true, place);
  for (const place of ['bearer ', 'xbearer', 'basic', 'basic-usernam', 'header', 'header:x:y', 'header:a*', 'query:'])
    t.equal(isPlace(place), false, place);
  t.equal(CredentialSchema.safeParse([]).success, false);
  t.equal(CredentialSchema.safeParse('bearer').success, false);
});

t.test('a header is compared in lower case, and anything else as it is', async (t) => {
  t.same(['header:X-Key', 'query:X-Key', 'body:X', 'bearer'].map(inOneCase), [
    'header:x-key',
    'query:X-Key',
    'body:X',
    'bearer',
  ]);
});

t.test('the backend gets one text everywhere, or one for each place', async (t) => {
  const places = { bearer: 'Bearer of-the-backend', 'header:X-Key': 'strip', 'query:key': 'pass' };
  for (const written of ['strip', 'pass', 'Bearer x', places, {}])
    t.equal(isHanded(written), true, JSON.stringify(written));
  for (const written of [
    '',
    'strp',
    'PASS',
    { bearer: 'Strip' },
    { elsewhere: 'strip' },
    { 'header:host': 'x' },
    1,
    null,
  ])
    t.equal(isHanded(written), false, JSON.stringify(written));
  t.same(placesWithout('Bearer x', []), []);
  t.same(placesWithout(places, ['bearer', 'header:x-key']), ['query:key']);
  t.same(placesWithout(places, ['header:x-key', 'query:key', 'bearer']), []);
});
