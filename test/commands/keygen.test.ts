import t from 'tap';
import { runKeygen } from '../../src/commands/keygen.ts';
import { KEY_TYPES } from '../../src/keys/key.ts';
import { hashSecret } from '../../src/keys/secret-hash.ts';
import { verifySecretChecksum } from '../../src/keys/secret.ts';
import { capturedIo } from '../support/command-io.ts';

async function keygen(type: (typeof KEY_TYPES)[number]) {
  const { io, out, err } = capturedIo();
  const code = await runKeygen({ type }, io);
  const [, secret = '', hash = ''] = /^secret: (\S+)\nhash: (\S+)$/.exec(out.join('\n')) ?? [];
  return { code, secret, hash, err };
}

t.test('a whole secret and its hash', async (t) => {
  for (const type of KEY_TYPES) {
    const { code, secret, hash, err } = await keygen(type);
    t.same([code, err], [0, []]);
    t.equal(verifySecretChecksum(secret), 'valid');
    t.equal(hash, hashSecret(secret));
  }
});

t.test('another one each time', async (t) => {
  const secrets = await Promise.all(Array.from({ length: 50 }, () => keygen('metrics')));
  t.equal(new Set(secrets.map(({ secret }) => secret)).size, 50);
});
