import t from 'tap';
import { createAdminTokens } from '../../src/admin/admin-tokens.ts';
import { ConfigSchema, type Config } from '../../src/config/schema.ts';
import { sha256Hex } from '../../src/lib/digest.ts';

const adminOf = (admin: object): Config['admin'] =>
  ConfigSchema.parse({ admin, apis: { integration: { upstream: 'http://127.0.0.1:9' } } }).admin;

const anna = { id: 'anna', value: 'the-token-of-anna', role: 'viewer' };
const bert = { id: 'bert', hash: `sha256:${sha256Hex('the-token-of-bert').toUpperCase()}`, role: 'editor' };

t.test('a token is found by its text, given as itself or as its hash, and a hash opens nothing', async (t) => {
  const { find, any } = createAdminTokens(adminOf({ token: 'the-first', tokens: [anna, bert] }));
  t.equal(any(), true);
  const found = (text: string) => {
    const token = find(text);
    return token && `${token.id} ${token.role}`;
  };
  t.equal(found('the-first'), 'admin editor');
  t.equal(found('the-token-of-anna'), 'anna viewer');
  t.equal(found('the-token-of-bert'), 'bert editor');
  for (const text of ['', 'anna', bert.hash, sha256Hex('the-token-of-bert'), 'the-token-of-annA', 'the-token-of-anna '])
    t.equal(found(text), null, text);
});

t.test('there may be none, and whoever follows is told of each replacement', async (t) => {
  const tokens = createAdminTokens(adminOf({}));
  let told = 0;
  tokens.follow(() => (told += 1));
  t.same([tokens.any(), tokens.find('')], [false, null]);
  tokens.replace(adminOf({ tokens: [anna] }));
  const token = tokens.find('the-token-of-anna');
  t.ok(token !== null && tokens.holds({ ...token }));
  for (const other of [{ id: 'bea' }, { role: 'editor' as const }, { digest: '0'.repeat(64) }])
    t.notOk(token !== null && tokens.holds({ ...token, ...other }), Object.keys(other).join());
  tokens.replace(adminOf({}));
  t.same([tokens.any(), told, token !== null && tokens.holds(token)], [false, 2, false]);
});
