import t from 'tap';
import { ruleOfApi, ruleOfKey } from '../../src/policy/rule.ts';
import { key } from '../support/outcomes.ts';

t.test('what decided, by name', async (t) => {
  const partner = key('partner');
  t.equal(ruleOfKey(partner, 'allowedRoutes'), 'allowedRoutes of key partner');
  t.equal(
    ruleOfKey(partner, 'denyFrom', { list: null, range: '192.0.2.0/24' }),
    'denyFrom of key partner: 192.0.2.0/24',
  );
  t.equal(
    ruleOfKey(partner, 'allowFrom', { list: 'office', range: '192.0.2.1/32' }),
    'allowFrom of key partner: 192.0.2.1/32 of the address list office',
  );
  const sharing = key('acme', { policy: 'partners', policyFields: new Set(['allowFrom']) });
  t.equal(ruleOfKey(sharing, 'allowFrom'), 'allowFrom of key acme (policy partners)');
  t.equal(
    ruleOfKey(sharing, 'allowFrom', { list: null, range: '192.0.2.0/24' }),
    'allowFrom of key acme (policy partners): 192.0.2.0/24',
  );
  t.equal(ruleOfKey(sharing, 'denyFrom'), 'denyFrom of key acme', 'its own');
  t.equal(ruleOfApi('orders', 'unlisted: refuse'), 'unlisted: refuse of API orders');
});
