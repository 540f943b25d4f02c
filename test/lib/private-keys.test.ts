import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { privateKeysIn } from '../../src/lib/private-keys.ts';

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const first = ec.privateKey.export({ format: 'pem', type: 'sec1' }).toString();
const second = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';

t.test('every key, in order, and no other block', async (t) => {
  const keys = privateKeysIn(`${parameters}${first}some text\n${second}`);
  t.same(typeof keys === 'string' ? keys : keys.map(({ asymmetricKeyType }) => asymmetricKeyType), ['ec', 'ed25519']);
});

t.test('text without a key', async (t) => {
  t.same(privateKeysIn(''), []);
  t.same(privateKeysIn('-----BEGIN PRIVATE KEY----------END PRIVATE KEY-----'), [], 'nothing between the lines');
  t.same(privateKeysIn(ec.publicKey.export({ format: 'pem', type: 'spki' }).toString()), []);
});

t.test('one bad key spoils all', async (t) => {
  const sealed = ec.privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' });
  t.equal(privateKeysIn(second + sealed.toString()), 'encrypted');
  t.equal(privateKeysIn(first.replace(/\n.*\n/, '\nAAAA\n')), 'unreadable');
});
