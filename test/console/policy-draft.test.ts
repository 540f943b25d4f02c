import t from 'tap';
import type { KeyDefinition, Policy } from '../../src/admin/console/api/types.ts';
import {
  effectsOf,
  NEW_POLICY,
  offeredFields,
  policyDraftOf,
  policyOf,
} from '../../src/admin/console/policies/policy-draft.ts';
import { showDefinition } from '../../src/admin/definition-view.ts';
import { NO_RECORDS, type SharedRecords } from '../../src/keys/definition.ts';
import { readDefinition, readPolicy } from '../../src/keys/read-definition.ts';
import { hashSecret } from '../../src/keys/secret-hash.ts';
import { POLICIES, withRecord } from '../../src/keys/record-kind.ts';

const usedBy = { keys: [], policies: [], configuration: [], total: 0 };
const FIELDS = { type: 'read-only', allowFrom: [{ address: '192.0.2.1', description: '' }], mode: 'report' } as const;
const POLICY: Policy = { name: 'partners', ...FIELDS, allowFrom: [...FIELDS.allowFrom], usedBy };
const read = readPolicy(FIELDS);
if (!read.ok) throw new Error('the policy is valid');
const records: SharedRecords = withRecord(NO_RECORDS, POLICIES, 'partners', read.value);

function key(id: string, more: Record<string, unknown>): KeyDefinition {
  const definition = readDefinition({ id, policy: 'partners', secrets: [{ hash: hashSecret(id) }], ...more });
  if (!definition.ok) throw new Error(JSON.stringify(definition.findings));
  return JSON.parse(JSON.stringify(showDefinition(definition.value, records))) as KeyDefinition;
}

t.test('a form says what the policy says, and no more', async (t) => {
  const draft = policyDraftOf(POLICY);
  t.same(draft.said, ['allowFrom', 'mode']);
  t.same(policyOf(draft), FIELDS);
  t.same(policyOf({ ...draft, type: null, said: ['mode'] }), { mode: 'report' });
  t.same(policyOf(policyDraftOf(NEW_POLICY)), {});
});

t.test('what a change means is told for each key that does not say the field itself', async (t) => {
  const keys = [
    key('a', {}),
    key('b', { mode: 'enforce', type: 'read-write' }),
    key('c', { policy: null, type: 'read-only' }),
  ];
  const effects = (after: Parameters<typeof effectsOf>[1]) =>
    effectsOf(POLICY, after, keys).map(({ id, changes }) => [
      id,
      ...changes.map(({ title, before, after: then }) => `${title}: ${before} > ${then}`),
    ]);
  t.same(effects(policyOf(policyDraftOf(POLICY))), []);
  t.same(effects({ ...FIELDS, mode: 'enforce', allowFrom: [...FIELDS.allowFrom] }), [
    ['a', 'Mode: Report only > Refuse'],
  ]);
  t.same(effects({ type: 'read-write', mode: 'report' }), [
    ['a', 'Type: Read-only > Read & write', 'Access control: 192.0.2.1 > Anywhere'],
    ['b', 'Access control: 192.0.2.1 > Anywhere'],
  ]);
  t.same(effects({ mode: 'report', allowFrom: [...FIELDS.allowFrom] }), [
    ['a', 'Type: Read-only > None: it needs one'],
  ]);
  t.same(effects({ ...FIELDS, allowFrom: [...FIELDS.allowFrom], rateLimit: { requests: 5, windowSeconds: 1 } }), [
    ['a', 'Rate limit: No limit > 5 requests in 1 s'],
    ['b', 'Rate limit: No limit > 5 requests in 1 s'],
  ]);
});

t.test('a field that keys of a type do not have is not offered for it, and changes nothing for them', async (t) => {
  t.equal(offeredFields({ type: 'read-only', said: [] }).includes('cacheTtlMinutes'), false);
  t.equal(offeredFields({ type: 'read-only', said: ['cacheTtlMinutes'] }).includes('cacheTtlMinutes'), true);
  t.equal(offeredFields({ type: 'metrics', said: [] }).includes('cacheTtlMinutes'), true);
  t.equal(offeredFields({ type: null, said: [] }).includes('cacheTtlMinutes'), true);
  t.equal(offeredFields({ type: 'write-only', said: [] }).includes('mode'), true);
  const after = { ...FIELDS, allowFrom: [...FIELDS.allowFrom], cacheTtlMinutes: 9 };
  t.same(effectsOf(POLICY, after, [key('a', {})]), []);
});
