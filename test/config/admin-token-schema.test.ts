import t from 'tap';
import { adminTokenDigest } from '../../src/config/admin-token-schema.ts';
import { ConfigSchema } from '../../src/config/schema.ts';
import { sha256Hex } from '../../src/lib/digest.ts';

const apis = { integration: { upstream: 'http://127.0.0.1:9' } };
/** What is wrong with these, by the fields that it is told at. */
const wrong = (admin: object): string[] => {
  const parsed = ConfigSchema.safeParse({ apis, admin });
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join('.'));
};
const anna = { id: 'anna', role: 'viewer', value: 'token-of-anna' };

t.test('one name is one token and one token one name, also beside admin.token', async (t) => {
  t.same(wrong({ token: 'x', tokens: [anna, { ...anna, id: 'bea', value: 'token-of-bea' }] }), []);
  t.same(wrong({ tokens: [{ ...anna, id: 'admin' }] }), [], 'the name is free without admin.token');
  t.same(wrong({ token: 'x', tokens: [{ ...anna, id: 'admin' }] }), ['admin.tokens.0.id']);
  t.same(wrong({ tokens: [anna, { ...anna, value: 'another' }] }), ['admin.tokens.1.id']);
  t.same(wrong({ token: 'token-of-anna', tokens: [anna] }), ['admin.tokens.0.value']);
  const hash = `sha256:${sha256Hex('token-of-anna').toUpperCase()}`;
  t.same(
    wrong({ tokens: [anna, { id: 'bea', role: 'editor', hash }] }),
    ['admin.tokens.1.hash'],
    'by whatever way it is told',
  );
});

t.test('a token has a name of its own, a role, and one way to tell it', async (t) => {
  for (const id of ['file', 'redis', 'Anna', '', 'a b', '-a'])
    t.same(wrong({ tokens: [{ ...anna, id }] }), ['admin.tokens.0.id'], id);
  t.same(wrong({ tokens: [{ ...anna, role: 'admin' }] }), ['admin.tokens.0.role']);
  const { value: _, ...bare } = anna;
  t.same(wrong({ tokens: [bare] }), ['admin.tokens.0']);
  t.same(wrong({ tokens: [{ ...anna, hash: `sha256:${'0'.repeat(64)}` }] }), ['admin.tokens.0']);
  t.same(wrong({ tokens: [{ ...anna, value: '' }] }), ['admin.tokens.0.value']);
  t.same(wrong({ tokens: [{ ...anna, more: 1 }] }), ['admin.tokens.0']);
});

t.test('a token and its hash have one digest, in lower case', async (t) => {
  const digest = sha256Hex('token-of-anna');
  t.equal(adminTokenDigest({ id: 'a', role: 'viewer', value: 'token-of-anna' }), digest);
  t.equal(adminTokenDigest({ id: 'a', role: 'viewer', hash: `sha256:${digest.toUpperCase()}` }), digest);
});
