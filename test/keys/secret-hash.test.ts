import t from 'tap';
import { hashSecret } from '../../src/keys/secret-hash.ts';

t.test('a secret is kept as the SHA-256 of its bytes', async (t) => {
  t.equal(hashSecret('abc'), 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  t.equal(hashSecret('ä'), hashSecret(Buffer.from([0xc3, 0xa4]).toString()));
});
