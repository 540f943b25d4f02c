import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { TokenConfig } from '../../src/config/apis-schema.ts';
import { ShownCredential } from '../../src/policy/shown-credential.ts';
import { createTokens, keySetOf } from '../../src/tokens/tokens.ts';
import { API_KEY, CLIENT_SECRET, identityOf, metricsKey, NOW, secretOf, snapshotOf } from '../support/metrics-keys.ts';
import { askToken } from '../support/token-asking.ts';

const CONFIG: TokenConfig = {
  path: '/metrics/auth/token',
  ttlSeconds: 900,
  secret: null,
  privateKeyFile: null,
  issuer: 'postern',
};

function setUp() {
  const warnings: string[] = [];
  return { tokens: createTokens({ now: () => NOW, warn: (warning) => warnings.push(warning) }), warnings };
}

const HEAD = {
  method: 'POST',
  contentType: 'application/json',
  contentEncoding: undefined,
  authorization: undefined,
  address: '192.0.2.1',
  requestId: 'r1',
  keys: snapshotOf(metricsKey()),
  now: NOW,
};

const bodyOf = (clientSecret: string) => Buffer.from(JSON.stringify({ clientSecret, environmentApiKey: API_KEY }));

t.test('failures count at every endpoint, also at one that was configured anew', async (t) => {
  const { tokens } = setUp();
  for (let n = 0; n < 10; n++) {
    const { endpoint } = tokens.configure(n % 2 === 0 ? 'metrics' : 'orders', { ...CONFIG, ttlSeconds: 60 + n });
    t.match(await askToken(endpoint, HEAD, bodyOf('wrong')), { refusal: { code: 'invalid_client' } });
  }
  for (const api of ['metrics', 'orders'])
    t.match(await askToken(tokens.configure(api, CONFIG).endpoint, HEAD, bodyOf(CLIENT_SECRET)), {
      refusal: { code: 'rate_limited' },
    });
});

t.test('a token of before is one after, as long as nothing was written down to sign with', async (t) => {
  const { tokens, warnings } = setUp();
  const key = metricsKey();
  const { accessToken } = await tokens.configure('metrics', CONFIG).service.issue(identityOf(key), NOW);
  const verdict = async (config: TokenConfig, api = 'metrics') => {
    const { service } = tokens.configure(api, config);
    return (await service.verify(new ShownCredential(accessToken), snapshotOf(key), NOW)).ok;
  };
  t.equal(await verdict(CONFIG), true);
  t.equal(await verdict({ ...CONFIG, ttlSeconds: 60 }), true);
  t.equal(await verdict({ ...CONFIG, secret: [randomBytes(32).toString('hex')] }), false);
  t.equal(await verdict(CONFIG), true, 'and again, when that is taken back');
  t.equal(warnings.length, 1, 'one warning, however often it is configured');
  t.match(warnings[0], /^apis\.metrics\.token /);
  t.equal(await verdict(CONFIG, 'orders'), false, 'not for another API, though the same secret signs');
  t.match(warnings[1], /^apis\.orders\.token /);
  const other = setUp().tokens.configure('metrics', CONFIG).service;
  t.match(await other.verify(new ShownCredential(accessToken), snapshotOf(key), NOW), { ok: false });
});

t.test('a key without an API key is known by its id, and no key has tokens where it may not', async (t) => {
  const { tokens } = setUp();
  const asked = async (change: Parameters<typeof metricsKey>[0], id = 'partner', api = 'orders') => {
    const key = metricsKey({
      id: 'partner',
      type: 'read-only',
      apis: null,
      apiKeyDigest: null,
      accessToken: 'allowed',
      ...change,
    });
    const body = Buffer.from(JSON.stringify({ clientSecret: CLIENT_SECRET, environmentApiKey: id }));
    const told = await askToken(
      tokens.configure(api, CONFIG).endpoint,
      { ...HEAD, keys: snapshotOf(key), address: id },
      body,
    );
    return told.kind === 'issued' ? 'issued' : told.refusal.code;
  };
  t.equal(await asked({}), 'issued');
  t.equal(await asked({ accessToken: 'required' }), 'issued');
  t.equal(await asked({ accessToken: 'never' }), 'invalid_client');
  t.equal(await asked({}, 'Partner'), 'invalid_client');
  t.equal(await asked({}, 'partner', 'metrics'), 'invalid_client', 'which it is not for');
  t.equal(await asked({ apis: new Set(['billing']) }), 'invalid_client');
  t.equal(await asked({ apiKeyDigest: secretOf('an-api-key').digest }), 'invalid_client', 'its id is not enough');
  t.equal(await asked({ apiKeyDigest: secretOf('an-api-key').digest }, 'an-api-key'), 'issued');
});

t.test('a token ends when its key may not have it any more', async (t) => {
  const { service } = setUp().tokens.configure('orders', CONFIG);
  const key = metricsKey({ type: 'read-only', apis: null, apiKeyDigest: null, accessToken: 'allowed' });
  const { accessToken } = await service.issue(identityOf(key), NOW);
  const shown = async (change: object) => {
    const decision = await service.verify(new ShownCredential(accessToken), snapshotOf({ ...key, ...change }), NOW);
    return decision.ok ? 'accepted' : decision.refusal.reason;
  };
  for (let round = 0; round < 2; round++) {
    t.equal(await shown({}), 'accepted');
    t.equal(await shown({ accessToken: 'never' }), 'unknown');
    t.equal(await shown({ apis: new Set(['billing']) }), 'unknown');
    t.equal(await shown({ apis: new Set(['orders']) }), 'accepted');
  }
});

t.test('the key set holds the keys of all APIs, each once', async (t) => {
  const { tokens } = setUp();
  const file = (name: string) => {
    const path = join(t.testdirName, name);
    writeFileSync(path, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
    return path;
  };
  t.testdir({});
  const [one, other] = [file('one.pem'), file('other.pem')];
  const services = [one, one, other, null].map(
    (privateKeyFile, n) => tokens.configure(`api-${n}`, { ...CONFIG, privateKeyFile }).service,
  );
  const { keys } = JSON.parse(keySetOf(services)) as { keys: { kid: string; d?: string }[] };
  t.equal(keys.length, 2);
  t.equal(new Set(keys.map(({ kid }) => kid)).size, 2);
  t.notOk(keys.some((key) => 'd' in key));
  t.equal(keySetOf([]), '{"keys":[]}');
});

t.test('a failure counts when it happens, however long ago its request arrived', async (t) => {
  let now = NOW;
  const tokens = createTokens({ now: () => now, warn: () => undefined });
  const { endpoint } = tokens.configure('metrics', CONFIG);
  const ask = async (secret: string, arrived: number) => {
    const told = await askToken(endpoint, { ...HEAD, now: arrived }, bodyOf(secret));
    return told.kind === 'issued' ? 'issued' : told.refusal.code;
  };
  for (let n = 0; n < 10; n++) t.equal(await ask('wrong', NOW - 60_000 - n), 'invalid_client');
  t.equal(await ask(CLIENT_SECRET, NOW - 120_000), 'rate_limited');
  t.equal(await ask(CLIENT_SECRET, NOW), 'rate_limited');
  now += 60_000;
  t.equal(await ask(CLIENT_SECRET, NOW), 'issued');
});
