import { createHash, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import t from 'tap';
import { KEY_TYPES } from '../../src/keys/key.ts';
import { makeSecret, SECRET_PATTERN, verifySecretChecksum } from '../../src/keys/secret.ts';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const filled = (byte: number) => (bytes: number) => new Uint8Array(bytes).fill(byte);

t.equal(makeSecret('write-only', filled(0)).slice(0, 51), `pstn_wo_${'0'.repeat(43)}`);
t.equal(makeSecret('read-write', filled(0)).slice(0, 8), 'pstn_rw_');
t.equal(makeSecret('metrics', filled(255)).slice(0, 8), 'pstn_mt_');

t.test('a secret is made of 32 random bytes, each of which counts', async (t) => {
  const asked: number[] = [];
  const random = (bytes: number) => (asked.push(bytes), randomBytes(bytes));
  for (const type of KEY_TYPES) makeSecret(type, random);
  t.same(
    asked,
    KEY_TYPES.map(() => 32),
  );
  const bytes = randomBytes(32);
  const seen = new Set([makeSecret('write-only', () => bytes)]);
  for (let place = 0; place < 32; place++) {
    const other = Buffer.from(bytes);
    other[place] = (other[place] as number) ^ 1;
    seen.add(makeSecret('write-only', () => other));
  }
  t.equal(seen.size, 33);
});

t.test('no two numbers share a secret', async (t) => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const decode = (secret: string): bigint =>
    Array.from(secret.slice(8, 51)).reduce((number, digit) => number * 62n + BigInt(DIGITS.indexOf(digit)), 0n);
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(bytes, (random) => {
        const secret = makeSecret('write-only', () => random);
        return decode(secret) === BigInt(`0x${Buffer.from(random).toString('hex')}`) && SECRET_PATTERN.test(secret);
      }),
    ),
  );
});

t.test('the checksum tells one wrong, left out or swapped character', async (t) => {
  for (const type of KEY_TYPES) {
    const secret = makeSecret(type, randomBytes);
    t.equal(verifySecretChecksum(secret), 'valid');
    for (let place = 5; place < secret.length; place++) {
      const wrong = secret[place] === 'x' ? 'y' : 'x';
      const mistyped = [
        secret.slice(0, place) + wrong + secret.slice(place + 1),
        secret.slice(0, place) + secret.slice(place + 1),
        secret.slice(0, place) + wrong + secret.slice(place),
      ];
      for (const text of mistyped) if (verifySecretChecksum(text) !== 'mistyped') t.fail(`${place}: ${text}`);
    }
  }
});

t.test('other secrets have no checksum', async (t) => {
  for (const text of ['', 'x', 'sk_live_abc', createHash('sha256').digest('hex')])
    t.equal(verifySecretChecksum(text), 'foreign');
  t.equal(verifySecretChecksum('pstn_'), 'mistyped');
});

t.test('what is longer or shorter than a secret is none', async (t) => {
  const secret = makeSecret('read-only', randomBytes);
  t.match(secret, SECRET_PATTERN);
  for (const other of [`${secret}0`, `${secret}\n`, `x${secret}`, secret.slice(0, -1), secret.slice(1)])
    t.notMatch(other, SECRET_PATTERN, JSON.stringify(other));
});
