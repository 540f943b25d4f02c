import t from 'tap';
import { compileAuthorization, compileLocation } from '../../src/policy/compile-credential.ts';

const text = (value: string) => ({ kind: 'literal', value });
const STRIP = { kind: 'strip' };

t.test('a place as it is written', async (t) => {
  t.same(compileLocation('bearer'), { kind: 'bearer' });
  t.same(compileLocation('header:x-api-key'), { kind: 'header', name: 'x-api-key' });
  const inQuery = compileLocation('query:api_key');
  t.equal(inQuery.kind === 'query' && inQuery.isName('api%5Fkey'), true);
  const inBody = compileLocation('body:[]/properties/token');
  const found = inBody.kind === 'body' ? inBody.find(Buffer.from('[{"properties":{"token":"x"}}]')) : null;
  t.equal(found?.ok === true && found.value.length, 1);
});

t.test('one text for every place', async (t) => {
  for (const [written, handed] of [
    ['strip', STRIP],
    ['pass', { kind: 'pass' }],
    ['Bearer x', text('Bearer x')],
  ] as const)
    t.same(compileAuthorization(written, ['bearer', 'query:a']), {
      basic: handed,
      bearer: handed,
      places: [handed, handed],
    });
});

t.test('each place its own, and nothing in one that is not named', async (t) => {
  const places = ['bearer', 'basic-username', 'header:x-api-key', 'query:a', 'body:b'];
  t.same(
    compileAuthorization(
      { bearer: 'Bearer t', 'basic-username': 'pass', 'header:X-Api-Key': 'k', 'body:b': 'strip' },
      places,
    ),
    {
      basic: { kind: 'pass' },
      bearer: text('Bearer t'),
      places: [text('Bearer t'), { kind: 'pass' }, text('k'), STRIP, STRIP],
    },
  );
});

t.test('Authorization is one field: the text of one scheme stands for the other', async (t) => {
  const ofBasic = compileAuthorization({ 'basic-username': 'Basic eDo=' }, ['bearer', 'basic-username']);
  t.same([ofBasic.basic, ofBasic.bearer], [text('Basic eDo='), text('Basic eDo=')]);
  const ofBearer = compileAuthorization({ bearer: 'Bearer t' }, ['bearer']);
  t.same([ofBearer.basic, ofBearer.bearer], [text('Bearer t'), text('Bearer t')]);
  t.same(compileAuthorization({ 'query:a': 'q' }, ['query:a']), { basic: STRIP, bearer: STRIP, places: [text('q')] });
});
