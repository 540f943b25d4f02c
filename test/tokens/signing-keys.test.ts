import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { privateKeysFrom, sharedSecrets } from '../../src/tokens/signing-keys.ts';

const SECRET = 'a secret of thirty-two bytes ...';
const OTHER = 'b secret of thirty-two bytes ...';
/** RFC 8037, appendix A. */
const KNOWN = {
  key: {
    kty: 'OKP',
    crv: 'Ed25519',
    d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  },
  thumbprint: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
};
const pem = (key: KeyObject): string => String(key.export({ type: 'pkcs8', format: 'pem' }));
const KNOWN_PEM = pem(createPrivateKey({ key: KNOWN.key, format: 'jwk' }));
const p256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const bindings = (...secrets: readonly (string | Buffer)[]): string[] =>
  sharedSecrets(secrets).keys.map(({ bindingKey }) => bindingKey.toString('hex'));

function fileWith(t: Test, text: string): string {
  const file = join(t.testdir(), 'key.pem');
  writeFileSync(file, text);
  return file;
}

t.test('of a shared secret nothing is published, and the first one signs', async (t) => {
  const { algorithm, keys, jwks } = sharedSecrets([SECRET, Buffer.from(OTHER)]);
  t.same([algorithm, jwks, keys.map(({ kid }) => kid)], ['HS256', null, [null, null]]);
  t.same(
    keys.map(({ sign }) => sign.export().toString()),
    [SECRET, OTHER],
  );
});

t.test('a secret is long enough by its bytes, not its characters, and none may fall short', async (t) => {
  t.doesNotThrow(() => sharedSecrets(['\u00e4'.repeat(16)]));
  for (const secrets of [[SECRET.slice(1)], [SECRET, 'short'], ['\u00e4'.repeat(15)], ['']]) {
    const { message } = t.throws(() => sharedSecrets(secrets)) as unknown as Error;
    t.match(message, /^a token secret has \d+ bytes: HS256 needs at least 32 /);
    t.notMatch(message, /secret of|short|\u00e4/);
  }
  t.throws(() => sharedSecrets([]), { message: 'no token secret is given' });
});

t.test('what ties tokens to secrets is the same after a restart, and differs by secret', async (t) => {
  const [one, two] = bindings(SECRET, OTHER);
  t.same(bindings(SECRET), [one]);
  const known = '3e920526379225e8692da548120c8d2def6e392af8cf232fa5133f6cddc3c7f9';
  t.same(bindings('k'.repeat(32)), [known], 'and with the next version: tokens outlive an upgrade');
  t.not(one, two);
  t.not(one, Buffer.from(SECRET).toString('hex'));
});

t.test('what ties tokens to a private key cannot be had from its public half', async (t) => {
  const bindingOf = (text: string) => privateKeysFrom(fileWith(t, text)).keys[0].bindingKey.toString('hex');
  const known = bindingOf(KNOWN_PEM);
  t.equal(bindingOf(KNOWN_PEM), known);
  t.not(bindingOf(pem(p256())), known);
  const publicHalf = Buffer.from(KNOWN.key.x, 'base64url');
  t.notOk([...bindings(publicHalf), publicHalf.toString('hex')].includes(known));
});

t.test('the key of RFC 8037 is published under the name that the RFC gives it, without its private half', async (t) => {
  const { algorithm, jwks, keys } = privateKeysFrom(fileWith(t, KNOWN_PEM));
  const { x } = KNOWN.key;
  t.equal(algorithm, 'EdDSA');
  t.strictSame(JSON.parse(jwks ?? ''), {
    keys: [{ crv: 'Ed25519', kty: 'OKP', x, kid: KNOWN.thumbprint, use: 'sig', alg: 'EdDSA' }],
  });
  t.equal(keys[0].kid, KNOWN.thumbprint);
});

t.test('several keys are published in the order of the file, each verifies what it signed, and no other', async (t) => {
  const file = fileWith(t, `Bag Attributes\r\n${pem(p256()).replaceAll('\n', '\r\n')}\r\n${pem(p256())}`);
  const { algorithm, keys, jwks } = privateKeysFrom(file);
  const published = (JSON.parse(jwks ?? '') as { keys: Record<string, string>[] }).keys;
  t.equal(algorithm, 'ES256');
  t.same(
    published.map(({ kid }) => kid),
    keys.map(({ kid }) => kid),
  );
  t.not(keys[0].kid, keys[1]?.kid);
  for (const [n, key] of keys.entries()) {
    const signature = sign('sha256', Buffer.from('text'), key.sign);
    t.equal(key.verify.type, 'public');
    const verifiers = [key.verify, createPublicKey({ key: published[n] ?? {}, format: 'jwk' }), keys[1 - n]?.verify];
    t.same(
      verifiers.map((verifier) => verify('sha256', Buffer.from('text'), verifier as KeyObject, signature)),
      [true, true, false],
    );
    t.same(Object.keys(published[n] ?? {}), ['crv', 'kty', 'x', 'y', 'kid', 'use', 'alg']);
  }
});

t.test('a key of another kind, even behind a good one, and a folder are refused by the name of the file', async (t) => {
  const others = {
    Ed448: generateKeyPairSync('ed448').privateKey,
    X25519: generateKeyPairSync('x25519').privateKey,
    secp256k1: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey,
    brainpoolP256r1: generateKeyPairSync('ec', { namedCurve: 'brainpoolP256r1' }).privateKey,
    RSA: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
    'rsa-pss': generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey,
  };
  for (const [name, key] of Object.entries(others)) {
    const file = fileWith(t, KNOWN_PEM + pem(key));
    const message = `${file}: a token key must be Ed25519 or P-256, not ${name}`;
    t.throws(() => privateKeysFrom(file), { message });
  }
  const folder = t.testdir();
  t.throws(() => privateKeysFrom(folder), { message: `${folder}: cannot be read (EISDIR)` });
});
