import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import t, { type Test } from 'tap';
import { createKeyIndex } from '../../src/keys/key-index.ts';
import type { Key, KeySnapshot } from '../../src/keys/key.ts';
import { ShownCredential } from '../../src/policy/shown-credential.ts';
import { createTokenService, type TokenService, type TokenSettings } from '../../src/tokens/token.ts';
import {
  API_KEY,
  CLIENT_SECRET,
  identityOf,
  metricsKey,
  NOW,
  secretOf,
  sha256,
  snapshotOf,
} from '../support/metrics-keys.ts';

const SECRET = 'a-token-secret-of-more-than-32-bytes';
const OTHER_SECRET = 'another-token-secret-of-over-32-bytes';
const settings = (changes: Partial<TokenSettings> = {}): TokenSettings => ({
  ttlSeconds: 900,
  secret: [SECRET],
  privateKeyFile: null,
  issuer: 'postern',
  ...changes,
});
const serviceWith = (changes: Partial<TokenSettings> = {}) =>
  createTokenService('metrics', settings(changes), randomBytes(32));
const issue = async (service: TokenService, key = metricsKey(), now = NOW) =>
  (await service.issue(identityOf(key), now)).accessToken;

async function reasonOf(t: Test, service: TokenService, token: string, keys: KeySnapshot, now = NOW): Promise<string> {
  const decision = await service.verify(new ShownCredential(token), keys, now);
  if (decision.ok) return 'accepted';
  t.equal(decision.refusal.code, 'invalid_credential');
  t.notMatch(decision.refusal.why, token);
  return decision.refusal.reason;
}

t.test('an issued token says what RFC 9068 asks for and nothing of the secret', async (t) => {
  const service = serviceWith();
  const key = metricsKey();
  const { accessToken, expiresIn } = await service.issue(identityOf(key), NOW);
  t.equal(expiresIn, 900);
  t.same(decodeProtectedHeader(accessToken), { alg: 'HS256', typ: 'at+jwt' });
  const { jti, pst, ...claims } = decodeJwt(accessToken);
  t.same(claims, { iss: 'postern', aud: 'metrics', sub: 'metrics', iat: NOW / 1000, exp: NOW / 1000 + 900 });
  t.match(jti, /^[0-9a-f-]{36}$/);
  const payload = Buffer.from(accessToken.split('.')[1] as string, 'base64url').toString();
  for (const hidden of [
    CLIENT_SECRET,
    API_KEY,
    sha256(CLIENT_SECRET),
    sha256(API_KEY),
    sha256(CLIENT_SECRET).slice(0, 12),
  ])
    t.notMatch(payload, hidden);
  const again = decodeJwt(await issue(service, key));
  t.not(again.jti, jti);
  t.equal(again['pst'], pst);
});

t.test('a token is its key and the secret that it came from', async (t) => {
  const service = serviceWith();
  const key = metricsKey({ secrets: [secretOf('newer'), secretOf(CLIENT_SECRET)] });
  const { accessToken } = await service.issue(identityOf(key, key.secrets[1]), NOW);
  const decision = await service.verify(new ShownCredential(accessToken), snapshotOf(key), NOW);
  t.ok(decision.ok && decision.value.key === key);
  t.ok(decision.ok && decision.value.secret === key.secrets[1]);
});

t.test('a token that was verified before is answered at once', async (t) => {
  const service = serviceWith();
  const keys = snapshotOf(metricsKey());
  const token = await issue(service);
  t.ok(service.verify(new ShownCredential(token), keys, NOW) instanceof Promise);
  await service.verify(new ShownCredential(token), keys, NOW);
  const again = service.verify(new ShownCredential(token), keys, NOW);
  t.notOk(again instanceof Promise);
  t.match(again, { ok: true });
  t.ok(service.verify(new ShownCredential(`${token}A`), keys, NOW) instanceof Promise, 'by the whole token');
});

t.test('a token ends with the second it names, remembered or not', async (t) => {
  const service = serviceWith();
  const keys = snapshotOf(metricsKey());
  const [remembered, fresh] = [await issue(service), await issue(service)];
  const end = NOW + 900_000;
  t.equal(await reasonOf(t, service, remembered, keys, end - 1), 'accepted');
  t.equal(await reasonOf(t, service, remembered, keys, end), 'expired');
  t.equal(await reasonOf(t, service, fresh, keys, end), 'expired');
});

t.test('a token lives no longer than its key or its secret', async (t) => {
  const service = serviceWith();
  const soon = NOW + 60_000;
  for (const key of [metricsKey({ expiresAt: soon }), metricsKey({ secrets: [secretOf(CLIENT_SECRET, soon)] })])
    t.equal((await service.issue(identityOf(key), NOW)).expiresIn, 60);
  for (const [endMs, seconds] of [
    [1, 1],
    [1000, 1],
    [1001, 2],
  ] as const)
    t.equal(
      (await service.issue(identityOf(metricsKey({ expiresAt: NOW + endMs })), NOW)).expiresIn,
      seconds,
      'in whole seconds, and never none',
    );
});

const OUTLIVED: readonly (readonly [name: string, after: readonly Key[], reason: string])[] = [
  ['the key is gone', [], 'unknown'],
  ['the key is disabled', [metricsKey({ enabled: false })], 'disabled'],
  ['the key has expired', [metricsKey({ expiresAt: NOW })], 'expired'],
  ['the secret has expired', [metricsKey({ secrets: [secretOf(CLIENT_SECRET, NOW)] })], 'expired'],
  ['the secret was rotated out', [metricsKey({ secrets: [secretOf('another')] })], 'unknown'],
  ['the API key was changed', [metricsKey({ apiKeyDigest: sha256('another') })], 'unknown'],
  [
    'the secret went to another key',
    [metricsKey({ id: 'other' }), metricsKey({ secrets: [secretOf('x')] })],
    'unknown',
  ],
  ['the key is no metrics key any more', [metricsKey({ type: 'read-write', apis: null })], 'unknown'],
  ['the key has another type now', [metricsKey({ type: 'read-write', apis: null, apiKeyDigest: null })], 'unknown'],
];

for (const [name, after, reason] of OUTLIVED)
  t.test(`a token stops at once when ${name}`, async (t) => {
    const service = serviceWith();
    const replica = serviceWith();
    const token = await issue(service);
    t.equal(await reasonOf(t, service, token, snapshotOf(metricsKey())), 'accepted');
    t.equal(await reasonOf(t, service, token, snapshotOf(...after)), reason, 'where it was remembered');
    t.equal(await reasonOf(t, replica, token, snapshotOf(...after)), reason, 'where it was never seen');
    t.equal(
      await reasonOf(t, service, token, snapshotOf(metricsKey())),
      'accepted',
      'and works again when that is undone',
    );
  });

t.test('secrets rotate: the first signs, all verify', async (t) => {
  const keys = snapshotOf(metricsKey());
  const before = serviceWith();
  const during = serviceWith({ secret: [OTHER_SECRET, SECRET] });
  const after = serviceWith({ secret: [OTHER_SECRET] });
  const [old, recent] = [await issue(before), await issue(during)];
  t.equal(await reasonOf(t, during, old, keys), 'accepted');
  t.equal(await reasonOf(t, after, recent, keys), 'accepted');
  t.equal(await reasonOf(t, after, old, keys), 'unknown');
});

t.test('without a configured key the secret of the process signs, and the operator is warned', async (t) => {
  const ephemeral = randomBytes(32);
  const service = createTokenService('metrics', settings({ secret: null }), ephemeral);
  const keys = snapshotOf(metricsKey());
  t.match(service.warning, /single instance/);
  t.equal(serviceWith().warning, null);
  const token = await issue(service);
  t.equal(
    await reasonOf(t, createTokenService('metrics', settings({ secret: null }), ephemeral), token, keys),
    'accepted',
    'after a reload',
  );
  t.equal(
    await reasonOf(t, createTokenService('metrics', settings({ secret: null }), randomBytes(32)), token, keys),
    'unknown',
  );
  t.throws(() => serviceWith({ secret: ['short'] }), /32/);
});

/** A token like ours but for what is changed, signed with `secret`. */
async function forge(
  genuine: string,
  { claims = {}, header = {}, secret = SECRET }: { claims?: object; header?: object; secret?: string },
): Promise<string> {
  return await new SignJWT({ ...decodeJwt(genuine), ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', ...header })
    .sign(Buffer.from(secret));
}
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

t.test('a token of the same make is accepted: the next tests change one thing each', async (t) => {
  const service = serviceWith();
  t.equal(await reasonOf(t, service, await forge(await issue(service), {}), snapshotOf(metricsKey())), 'accepted');
  const longest = await forge(await issue(service), { claims: { note: 'x'.repeat(1100) } });
  t.equal(await reasonOf(t, service, longest, snapshotOf(metricsKey())), 'accepted', `${longest.length} characters`);
});

const FORGED: Readonly<Record<string, (genuine: string) => string | Promise<string>>> = {
  'no signature': (genuine) => `${genuine.split('.').slice(0, 2).join('.')}.`,
  'alg none': (genuine) => `${encode({ alg: 'none', typ: 'at+jwt' })}.${genuine.split('.')[1]}.`,
  'alg nOnE': (genuine) => `${encode({ alg: 'nOnE', typ: 'at+jwt' })}.${genuine.split('.')[1]}.`,
  'another secret': (genuine) => forge(genuine, { secret: OTHER_SECRET }),
  'HS384 with the right secret': (genuine) => forge(genuine, { header: { alg: 'HS384' } }),
  'a kid': (genuine) => forge(genuine, { header: { kid: '../../dev/null' } }),
  'a jku': (genuine) => forge(genuine, { header: { jku: 'http://127.0.0.1/jwks.json' } }),
  'a jwk': (genuine) => forge(genuine, { header: { jwk: { kty: 'oct', k: 'AAAA' } } }),
  'an x5c': (genuine) => forge(genuine, { header: { x5c: ['AAAA'] } }),
  'no typ': (genuine) => forge(genuine, { header: { typ: undefined } }),
  'typ JWT': (genuine) => forge(genuine, { header: { typ: 'JWT' } }),
  'typ application/at+jwt': (genuine) => forge(genuine, { header: { typ: 'application/at+jwt' } }),
  'another audience': (genuine) => forge(genuine, { claims: { aud: 'integration' } }),
  'two audiences': (genuine) => forge(genuine, { claims: { aud: ['metrics', 'integration'] } }),
  'no audience': (genuine) => forge(genuine, { claims: { aud: undefined } }),
  'another issuer': (genuine) => forge(genuine, { claims: { iss: 'postern2' } }),
  'another subject': (genuine) => forge(genuine, { claims: { sub: 'other' } }),
  'a subject of Object': (genuine) => forge(genuine, { claims: { sub: 'constructor' } }),
  'no subject': (genuine) => forge(genuine, { claims: { sub: undefined } }),
  'no expiry': (genuine) => forge(genuine, { claims: { exp: undefined } }),
  'an expiry in text': (genuine) => forge(genuine, { claims: { exp: '9999999999' } }),
  'an expiry in years': (genuine) => forge(genuine, { claims: { exp: NOW / 1000 + 1e8 } }),
  'no time of issue': (genuine) => forge(genuine, { claims: { iat: undefined } }),
  'a future issue': (genuine) => forge(genuine, { claims: { iat: NOW / 1000 + 61, exp: NOW / 1000 + 900 } }),
  'a future nbf': (genuine) => forge(genuine, { claims: { nbf: NOW / 1000 + 30 } }),
  'no binding': (genuine) => forge(genuine, { claims: { pst: undefined } }),
  'an empty binding': (genuine) => forge(genuine, { claims: { pst: '' } }),
  'another binding': (genuine) => forge(genuine, { claims: { pst: 'AAAAAAAAAAAAAAAAAAAAAA' } }),
  'a changed payload': (genuine) => {
    const [header, , signature] = genuine.split('.');
    return `${header}.${encode({ ...decodeJwt(genuine), exp: NOW / 1000 + 3000 })}.${signature}`;
  },
  'a last character that changes no byte': (genuine) => {
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    return genuine.slice(0, -1) + last[last.indexOf(genuine.at(-1) as string) + 1];
  },
  padding: (genuine) => `${genuine}=`,
  'a fourth part': (genuine) => `${genuine}.AAAA`,
  'a space': (genuine) => `${genuine} `,
  'the client secret': () => CLIENT_SECRET,
  'the API key': () => API_KEY,
  'an endless token': (genuine) => `${genuine}${'A'.repeat(5000)}`,
  'a token of more than 2048 characters': (genuine) => forge(genuine, { claims: { note: 'x'.repeat(1600) } }),
  'a header that is no JSON': (genuine) => `AAAA.${genuine.split('.').slice(1).join('.')}`,
};

for (const [name, make] of Object.entries(FORGED))
  t.test(`forged: ${name}`, async (t) => {
    const service = serviceWith();
    const keys = snapshotOf(metricsKey());
    const forged = await make(await issue(service));
    t.equal(await reasonOf(t, service, forged, keys), 'unknown');
    t.equal(await reasonOf(t, service, forged, keys), 'unknown', 'and is not remembered as good');
  });

t.test('forged: a critical extension (RFC 7515 4.1.11)', async (t) => {
  const service = serviceWith();
  const [, payload] = (await issue(service)).split('.');
  const { createHmac } = await import('node:crypto');
  const input = `${encode({ alg: 'HS256', typ: 'at+jwt', crit: ['exp'], exp: 1 })}.${payload}`;
  const forged = `${input}.${createHmac('sha256', SECRET).update(input).digest('base64url')}`;
  t.equal(await reasonOf(t, service, forged, snapshotOf(metricsKey())), 'unknown');
});

t.test('replicas whose clocks differ by seconds accept the tokens of one another', async (t) => {
  const token = await issue(serviceWith());
  t.equal(await reasonOf(t, serviceWith(), token, snapshotOf(metricsKey()), NOW - 60_000), 'accepted');
  t.equal(await reasonOf(t, serviceWith(), token, snapshotOf(metricsKey()), NOW - 61_000), 'unknown');
  const decision = await serviceWith().verify(new ShownCredential(token), snapshotOf(metricsKey()), NOW - 61_000);
  t.match(decision, { refusal: { code: 'invalid_credential', why: /clock/ } }, 'the log says that the clocks differ');
});

const PAIRS = {
  EdDSA: generateKeyPairSync('ed25519'),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};
const pemFile = (dir: string, name: string, ...pems: readonly (string | Buffer)[]): string => {
  const file = join(dir, name);
  writeFileSync(file, pems.join(''));
  return file;
};
const pkcs8 = { type: 'pkcs8', format: 'pem' } as const;

for (const [algorithm, { privateKey, publicKey }] of Object.entries(PAIRS))
  t.test(`${algorithm}: anybody can verify with the published keys, and nobody can sign with them`, async (t) => {
    const dir = t.testdir();
    const service = serviceWith({ secret: null, privateKeyFile: pemFile(dir, 'key.pem', privateKey.export(pkcs8)) });
    const keys = snapshotOf(metricsKey());
    const token = await issue(service);
    t.equal(service.warning, null);
    t.equal(await reasonOf(t, service, token, keys), 'accepted');
    const jwks = JSON.parse(service.jwks ?? '') as { keys: Record<string, string>[] };
    t.equal(jwks.keys.length, 1);
    t.match(jwks.keys[0], { alg: algorithm, use: 'sig' });
    t.notOk(jwks.keys[0]?.['d'], 'the private half stays here');
    const { calculateJwkThumbprint } = await import('jose');
    t.equal(
      jwks.keys[0]?.['kid'],
      await calculateJwkThumbprint(publicKey.export({ format: 'jwk' }) as Record<string, string>),
    );
    const { protectedHeader } = await jwtVerify(token, createLocalJWKSet(jwks), {
      audience: 'metrics',
      currentDate: new Date(NOW),
    });
    t.same(protectedHeader, { alg: algorithm, typ: 'at+jwt', kid: jwks.keys[0]?.['kid'] });

    const forge = async (secret: Buffer, alg: string) =>
      await new SignJWT(decodeJwt(token)).setProtectedHeader({ ...protectedHeader, alg }).sign(secret);
    const pem = Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }));
    const der = publicKey.export({ type: 'spki', format: 'der' });
    const x = Buffer.from(jwks.keys[0]?.['x'] ?? '', 'base64url');
    for (const secret of [pem, der, x])
      t.equal(await reasonOf(t, service, await forge(secret, 'HS256'), keys), 'unknown');
    const stranger =
      algorithm === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const foreign = await new SignJWT(decodeJwt(token))
      .setProtectedHeader(protectedHeader as { alg: string })
      .sign(stranger.privateKey);
    t.equal(await reasonOf(t, service, foreign, keys), 'unknown');
    const withoutKid = await new SignJWT(decodeJwt(token))
      .setProtectedHeader({ alg: algorithm, typ: 'at+jwt' })
      .sign(privateKey);
    t.equal(await reasonOf(t, service, withoutKid, keys), 'unknown');
  });

t.test('EdDSA and shared secrets do not accept the tokens of one another', async (t) => {
  const dir = t.testdir();
  const signed = serviceWith({
    secret: null,
    privateKeyFile: pemFile(dir, 'key.pem', PAIRS.EdDSA.privateKey.export(pkcs8)),
  });
  const keys = snapshotOf(metricsKey());
  t.equal(await reasonOf(t, serviceWith(), await issue(signed), keys), 'unknown');
  t.equal(await reasonOf(t, signed, await issue(serviceWith()), keys), 'unknown');
});

t.test('a PEM file with two keys rotates', async (t) => {
  const dir = t.testdir();
  const [older, newer] = [PAIRS.ES256.privateKey, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey];
  const before = serviceWith({ secret: null, privateKeyFile: pemFile(dir, 'a.pem', older.export(pkcs8)) });
  const both = pemFile(dir, 'b.pem', newer.export({ type: 'sec1', format: 'pem' }), older.export(pkcs8));
  const during = serviceWith({ secret: null, privateKeyFile: both });
  const keys = snapshotOf(metricsKey());
  t.equal(await reasonOf(t, during, await issue(before), keys), 'accepted');
  t.equal(await reasonOf(t, before, await issue(during), keys), 'unknown');
  t.equal(JSON.parse(during.jwks ?? '').keys.length, 2);
});

t.test('a key file that cannot sign is one sentence that names the file and shows nothing of it', async (t) => {
  const dir = t.testdir();
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(pkcs8);
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export(pkcs8);
  const locked = PAIRS.EdDSA.privateKey.export({ ...pkcs8, cipher: 'aes-256-cbc', passphrase: 'x' });
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['rsa.pem', String(rsa), /must be Ed25519 or P-256/],
    ['p384.pem', String(p384), /must be Ed25519 or P-256, not P-384/],
    ['locked.pem', String(locked), /encrypted/],
    ['public.pem', String(PAIRS.EdDSA.publicKey.export({ type: 'spki', format: 'pem' })), /no private key/],
    ['broken.pem', '-----BEGIN PRIVATE KEY-----\nTOPSECRET\n-----END PRIVATE KEY-----\n', /cannot be read as PEM/],
    ['empty.pem', '', /no private key/],
    [
      'mixed.pem',
      String(PAIRS.EdDSA.privateKey.export(pkcs8)) + String(PAIRS.ES256.privateKey.export(pkcs8)),
      /exactly one algorithm/,
    ],
  ];
  for (const [name, text, message] of cases) {
    const file = pemFile(dir, name, text);
    const error = t.throws(() => serviceWith({ secret: null, privateKeyFile: file })) as unknown as Error;
    t.match(error.message, message, name);
    t.match(error.message, file);
    t.notMatch(error.message, /TOPSECRET/);
  }
  t.throws(
    () => serviceWith({ secret: null, privateKeyFile: join(dir, 'absent.pem') }),
    /absent\.pem: cannot be read \(ENOENT\)/,
  );
});

t.test('a verification under way goes by the keys that it was given, whatever changes meanwhile', async (t) => {
  const service = serviceWith();
  const index = createKeyIndex();
  const store = (more: Record<string, unknown> = {}): void => {
    const definition = {
      type: 'metrics',
      apiKey: `sha256:${sha256(API_KEY)}`,
      secrets: [{ hash: `sha256:${sha256(CLIENT_SECRET)}` }],
      ...more,
    };
    index.apply([['metrics', index.prepare('metrics', JSON.stringify(definition)) ?? null]]);
  };
  store();
  const token = await issue(service);
  const [before, verifying] = [index.snapshot(), reasonOf(t, service, token, index.snapshot())];
  store({ enabled: false });
  t.equal(await verifying, 'accepted');
  t.equal(await reasonOf(t, service, token, before), 'accepted');
  t.equal(await reasonOf(t, service, token, index.snapshot()), 'disabled');
});
