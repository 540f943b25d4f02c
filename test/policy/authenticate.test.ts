import t from 'tap';
import { compileNameReader } from '../../src/lib/query.ts';
import { authenticateBySecret } from '../../src/policy/authenticate.ts';
import { apiRules, bearer, factsOf, key, passageOf, rulesOf } from '../support/passages.ts';

const KEYS = [
  key('k'),
  key('m', { type: 'metrics', apis: new Set(['metrics']) }),
  key('orders', { apis: new Set(['orders']) }),
  key('off', { enabled: false }),
];
const ask = (fields: readonly string[], query = '', api = apiRules()) => {
  const passage = Object.assign(passageOf(factsOf({}, fields), rulesOf(KEYS)), { query, api });
  const decision = authenticateBySecret(passage);
  return decision.ok ? decision.value.key.id : `${decision.refusal.code} ${decision.refusal.reason}`;
};

t.test('the key whose secret came with the request', async (t) => {
  t.equal(ask(bearer('k')), 'k');
  t.equal(ask([]), 'missing_credential missing_credential');
  t.equal(ask(bearer('x')), 'invalid_credential unknown');
  t.equal(ask(bearer('off')), 'invalid_credential disabled');
  t.equal(ask(['X-Key', 'secret-of-k'], '', apiRules({ credential: [{ kind: 'header', name: 'x-key' }] })), 'k');
  t.equal(
    ask(
      [],
      '?key=secret-of-k',
      apiRules({ credential: [{ kind: 'query', name: 'key', isName: compileNameReader('key') }] }),
    ),
    'k',
  );
});

t.test('a credential of a key that is for other APIs is unknown here', async (t) => {
  t.equal(ask(bearer('m')), 'invalid_credential unknown');
  t.equal(ask(bearer('orders')), 'invalid_credential unknown');
  t.equal(ask(bearer('orders'), '', apiRules({ name: 'orders' as 'metrics' })), 'orders');
});
