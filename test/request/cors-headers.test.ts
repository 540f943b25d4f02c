import t from 'tap';
import { corsHeadersFor } from '../../src/request/cors-headers.ts';
import { factsOf, key, passageOf, rulesOf } from '../support/passages.ts';

const ORIGIN = 'https://a.example';
const named = key('named', { allowedOrigins: new Set([ORIGIN]) });

function allowed(fields: readonly string[], identified: ReturnType<typeof key> | null = null, keys = [named]) {
  const passage = passageOf(factsOf({}, fields), rulesOf(keys));
  if (identified !== null)
    passage.identity = { key: identified, secret: identified.secrets[0] as (typeof identified.secrets)[0] };
  return corsHeadersFor(passage)[1] ?? null;
}

t.test('before the key is known: any origin that some key admits', async (t) => {
  t.equal(allowed(['Origin', ORIGIN]), ORIGIN);
  t.equal(allowed(['Origin', 'https://b.example']), null);
  t.equal(allowed(['Origin', 'https://b.example'], null, [named, key('all')]), 'https://b.example');
  t.equal(allowed([]), null);
  t.equal(allowed(['Origin', ORIGIN, 'Origin', ORIGIN]), null);
});

t.test('then: the origins of the key itself', async (t) => {
  t.equal(allowed(['Origin', ORIGIN], named), ORIGIN);
  t.equal(allowed(['Origin', ORIGIN], key('other', { allowedOrigins: new Set() })), null);
  t.equal(allowed(['Origin', ORIGIN], key('reads', { type: 'read-write', allowBrowsers: true })), ORIGIN);
  t.equal(allowed(['Origin', ORIGIN], key('server', { type: 'read-write' })), null);
});
