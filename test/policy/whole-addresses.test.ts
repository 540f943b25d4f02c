import t from 'tap';
import { compileAllowRule, compileDenyRule } from '../../src/keys/address-rule.ts';
import { parseAddress } from '../../src/lib/address.ts';
import { compileAddressSet, parseCidr, type Cidr } from '../../src/lib/cidr.ts';
import { checkApiAddress, checkDeniedAddress } from '../../src/policy/whole-addresses.ts';
import { apiRules, rulesOf } from '../support/passages.ts';

const from = (text: string) => ({
  address: parseAddress(text),
  text,
  fromTrustedProxy: false,
  chain: [],
  forwardedFor: text,
});
const { value: OFFICE } = parseCidr('203.0.113.0/28') as { value: Cidr };
const LISTS = new Map([['office', compileAddressSet([OFFICE])]]);

t.test('who is on listen.denyFrom is refused, and so is whoever cannot be told apart', async (t) => {
  const denyFrom = compileDenyRule([{ address: '192.0.2.0/24' }, { list: 'office' }]);
  const base = rulesOf([], { denyFrom });
  const rules = { ...base, keys: { ...base.keys, lists: LISTS } };
  const whyOf = (text: string) => checkDeniedAddress(rules, from(text))?.why ?? null;
  t.equal(whyOf('192.0.2.7'), '192.0.2.7 is on listen.denyFrom: 192.0.2.0/24');
  t.equal(whyOf('203.0.113.3'), '203.0.113.3 is on listen.denyFrom: 203.0.113.0/28 of the address list office');
  t.equal(whyOf('198.51.100.1'), null);
  t.equal(whyOf('unknown'), 'a caller whose address is not known may be on listen.denyFrom');
  t.equal(checkDeniedAddress(rules, from('192.0.2.7'))?.code, 'address_denied');
  t.equal(checkDeniedAddress(rulesOf([]), from('unknown')), null, 'where the list is empty');
});

t.test('of an API the denied are refused first, then all who are not admitted', async (t) => {
  const api = apiRules({
    name: 'orders',
    allowFrom: compileAllowRule([{ address: '203.0.113.0/24' }]),
    denyFrom: compileDenyRule([{ list: 'office' }]),
  });
  const told = (text: string) => checkApiAddress(api, from(text), LISTS)?.code ?? null;
  t.same(['203.0.113.3', '203.0.113.99', '198.51.100.1', 'unknown'].map(told), [
    'address_denied',
    null,
    'ip_not_allowed',
    'address_denied',
  ]);
  t.match(checkApiAddress(api, from('203.0.113.3'), LISTS), {
    why: '203.0.113.3 is on denyFrom of API orders: 203.0.113.0/28 of the address list office',
    rule: 'denyFrom of API orders: 203.0.113.0/28 of the address list office',
  });
  t.equal(checkApiAddress(api, from('198.51.100.1'), LISTS)?.rule, 'allowFrom of API orders');
  t.equal(checkApiAddress(api, from('198.51.100.1'), LISTS)?.why, '198.51.100.1 is not on allowFrom of API orders');
  t.equal(checkApiAddress(apiRules(), from('unknown'), LISTS), null, 'an API that says nothing is for all');
});
