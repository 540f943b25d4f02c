import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkNamedFiles } from '../../src/config/named-files.ts';
import { ConfigSchema } from '../../src/config/schema.ts';

const upstream = 'https://a';
const CERT = 'test/fixtures/tls/cert.pem';
const KEY = 'test/fixtures/tls/key.pem';

const pem = (pair: { privateKey: { export(options: { format: 'pem'; type: 'pkcs8' }): string | Buffer } }): string =>
  pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();

const KEYS = {
  ed25519: pem(generateKeyPairSync('ed25519')),
  p256: pem(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
  p384: pem(generateKeyPairSync('ec', { namedCurve: 'P-384' })),
  rsa: pem(generateKeyPairSync('rsa', { modulusLength: 2048 })),
};

/** When the certificates of the fixtures are valid. */
const VALID_AT = Date.UTC(2026, 10, 25);

function check(written: object, now = VALID_AT) {
  const found = checkNamedFiles(ConfigSchema.parse({ apis: { integration: { upstream } }, ...written }), now);
  return { findings: [...found.findings, ...found.tlsFindings], files: found.files, warnings: found.tlsWarnings };
}
const listen = (certFile: string, keyFile: string) => check({ listen: { tls: { certFile, keyFile } } });

t.same(check({}), { findings: [], files: [], warnings: [] });
t.same(listen(CERT, KEY), { findings: [], files: [CERT, KEY], warnings: [] });
t.match(listen('none', KEY).findings, [{ path: ['listen', 'tls', 'certFile'], message: /cannot be read: "none"/ }]);
t.match(listen(KEY, KEY).findings, [{ message: /holds no certificate/ }]);
t.match(listen(CERT, CERT).findings, [{ message: /no unencrypted private key/ }]);

t.test('keys', async (t) => {
  const directory = t.testdir(KEYS);
  t.match(listen(CERT, join(directory, 'rsa')).findings, [
    { path: ['listen', 'tls', 'keyFile'], message: /not the private key of the certificate/ },
  ]);
  const token = (name: string) =>
    check({ apis: { metrics: { upstream, token: { privateKeyFile: join(directory, name) } } } }).findings;
  t.same(token('ed25519'), []);
  t.same(token('p256'), []);
  for (const name of ['p384', 'rsa']) t.match(token(name), [{ message: /neither Ed25519 nor P-256/ }], name);
  writeFileSync(
    join(directory, 'two'),
    KEYS.p256 + generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'sec1' }),
  );
  writeFileSync(join(directory, 'mixed'), KEYS.ed25519 + KEYS.p256);
  writeFileSync(join(directory, 'second-is-rsa'), KEYS.ed25519 + KEYS.rsa);
  writeFileSync(join(directory, 'no-key'), readFileSync(CERT));
  t.same(token('two'), []);
  t.match(token('mixed'), [{ message: /one algorithm is accepted/ }]);
  t.match(token('second-is-rsa'), [{ message: /neither Ed25519 nor P-256/ }]);
  t.match(token('no-key'), [{ message: /no unencrypted private key/ }]);
  t.match(token('none'), [{ message: /cannot be read/ }]);
});

t.test('authorities', async (t) => {
  const apis = { integration: { upstream, tls: { caFile: KEY } }, metrics: { upstream, tls: { caFile: CERT } } };
  const { findings, files } = check({ apis, redis: { tls: { caFile: 'none' } } });
  t.match(findings, [
    { path: ['redis', 'tls', 'caFile'], message: /cannot be read/ },
    { path: ['apis', 'integration', 'tls', 'caFile'], message: /holds no certificate/ },
  ]);
  t.same(files, [KEY, CERT, 'none'], 'all are watched, also those that are missing');
});

t.test('certificates that Postern shows to backends', (t) => {
  const pair = (certFile: string, keyFile: string) =>
    check({ apis: { integration: { upstream, tls: { certFile, keyFile } } } });
  const at = ['apis', 'integration', 'tls', 'keyFile'];
  t.same(pair(CERT, KEY), { findings: [], files: [CERT, KEY], warnings: [] });
  t.match(pair('test/fixtures/upstream-tls/client.pem', KEY).findings, [
    { path: at, message: /is not the private key/ },
  ]);
  t.match(pair(CERT, CERT).findings, [{ path: at, message: /no unencrypted private key/ }]);
  t.end();
});

t.test('sockets: a path must fit, and need not be there', (t) => {
  const at = (path: string) => check({ apis: { integration: { upstream: `unix:${path}` } } });
  t.same(at('/run/none.sock'), { findings: [], files: [], warnings: [] });
  const path = ['apis', 'integration', 'upstream'];
  t.match(at(`/run/${'a'.repeat(120)}`).findings, [
    { path, message: /is too long for the path of a Unix socket: 125 bytes/ },
  ]);
  t.end();
});

t.test('certificates of both ports: what they hold, and when they end', (t) => {
  const END = Date.parse('2126-10-31T04:00:52Z');
  const pair = { certFile: CERT, keyFile: KEY };
  const written = { listen: { tls: { ...pair, clientCaFile: CERT } }, admin: { tls: pair } };
  const { findings, files } = check(written);
  t.same([findings, files], [[], [CERT, CERT, KEY, CERT, KEY]]);
  t.same(check(written, END - 31 * 86_400_000).warnings, []);
  const soon = /expires on 2126-10-31T04:00:52\.000Z, which is within 30 days; renew it$/;
  t.match(check(written, END - 30 * 86_400_000).warnings, [
    { path: ['listen', 'tls', 'clientCaFile'], message: soon },
    { path: ['listen', 'tls', 'certFile'], message: soon },
    { path: ['admin', 'tls', 'certFile'], message: soon },
  ]);
  t.match(check({ admin: { tls: pair } }, END).warnings, [
    { path: ['admin', 'tls', 'certFile'], message: /expired on 2126/ },
  ]);
  t.same(check({ admin: { tls: { ...pair, certFile: KEY } } }, END).warnings, [], 'what holds none cannot end');
  t.match(check({ listen: { tls: { ...pair, clientCaFile: KEY } } }).findings, [
    { path: ['listen', 'tls', 'clientCaFile'], message: /holds no certificate/ },
  ]);
  t.end();
});
