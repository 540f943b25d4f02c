import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  certificatesMistake,
  lastExpiry,
  ownExpiry,
  ownStart,
  pairMistake,
  privateKeyMistake,
} from '../../src/lib/certificate.ts';

const fixture = (name: string): string => readFileSync(`test/fixtures/tls/${name}.pem`, 'utf8');
const [cert, key, renewed, renewedKey, expired] = [
  fixture('cert'),
  fixture('key'),
  fixture('renewed'),
  fixture('renewed-key'),
  fixture('expired'),
];

t.test('every beginning of a file that is still being written is noticed', async (t) => {
  for (const [whole, mistakeOf] of [
    [cert, certificatesMistake],
    [key, privateKeyMistake],
  ] as const) {
    t.equal(mistakeOf(whole), null);
    t.equal(mistakeOf(whole.trimEnd()), null, 'a last line break means nothing');
    for (let length = 0; length < whole.trimEnd().length; length++)
      if (mistakeOf(whole.slice(0, length)) === null) t.fail(`${length} of ${whole.length} characters are taken`);
  }
  const chain = renewed + cert;
  // After the first certificate the file looks whole: nothing tells that another was to come.
  for (let length = renewed.length + 2; length < chain.trimEnd().length; length++)
    if (certificatesMistake(chain.slice(0, length)) === null) t.fail(`${length} characters of a chain are taken`);
});

t.test('what stands between blocks does not matter, nor blocks of another kind', async (t) => {
  t.equal(certificatesMistake(`subject=CN = a\n===\n${cert}\n# the second\n${renewed}\ntail\n`), null);
  t.equal(certificatesMistake(key + cert), null);
  t.equal(privateKeyMistake(key + cert), null);
  const bag = '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n';
  t.equal(certificatesMistake(bag + cert), null);
  t.match(certificatesMistake(bag), /holds no certificate/);
  t.match(certificatesMistake(key), /holds no certificate/);
  t.match(privateKeyMistake(cert), /no unencrypted private key/);
});

t.test('one broken certificate among good ones makes a file unusable', async (t) => {
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  t.match(certificatesMistake(cert + broken), /a certificate that cannot be read/);
  t.match(certificatesMistake(`-----BEGIN -----\nAAAA\n-----END -----\n${cert}`), /cut short/);
  t.match(certificatesMistake(cert.replace('-----END CERTIFICATE-----', '-----END CERT-----')), /cut short/);
});

t.test('a key belongs to the first certificate alone', async (t) => {
  t.equal(pairMistake(cert, key), null);
  t.equal(pairMistake(renewed + cert, renewedKey), null);
  t.match(pairMistake(cert + renewed, renewedKey), /is not the private key/);
  t.match(pairMistake(cert, renewedKey), /is not the private key/);
  t.match(pairMistake('', key), /is not the private key/);
  t.match(pairMistake(cert, ''), /is not the private key/);
});

t.test('an encrypted key is none', async (t) => {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  t.match(privateKeyMistake(privateKey), /no unencrypted private key/);
});

t.test('the own certificate ends first, authorities with the last of them', async (t) => {
  const [past, later] = [Date.parse('2021-01-01T00:00:00Z'), Date.parse('2125-01-01T00:00:00Z')];
  t.same([ownExpiry(expired), ownExpiry(renewed)], [past, later]);
  t.same(
    [ownExpiry(expired + renewed), lastExpiry(expired + renewed), lastExpiry(renewed + expired)],
    [past, later, later],
  );
  t.same([ownStart(expired + cert), ownStart(cert)], [Date.parse('2020-01-01'), Date.parse('2026-11-24T04:00:52Z')]);
});
