import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startBackend } from '../support/backend.ts';
import { codeOf, SERVER_KEY, SERVER_SECRET, WEB_KEY, written } from '../support/flow.ts';
import { startPostern } from '../support/postern.ts';
import { sendRaw } from '../support/raw-http.ts';

const PREFLIGHT = ['Origin: https://a.test', 'Access-Control-Request-Method: POST'];
const KEY_SET = '/.well-known/jwks.json';

t.test('addresses are refused or admitted as a whole, before any credential is looked at', async (t) => {
  const backend = await startBackend(t);
  const keyFile = join(t.testdir({ 'token.pem': '' }), 'token.pem');
  writeFileSync(keyFile, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const orders = {
    upstream: backend.url,
    paths: ['/orders'],
    allowFrom: ['203.0.113.0/24', { address: '198.51.100.7', description: 'Office' }],
    denyFrom: ['203.0.113.66'],
    token: { path: '/orders/token', privateKeyFile: keyFile },
  };
  const config = (change: object = {}, denyFrom: string[] = ['192.0.2.0/24']) => ({
    listen: { trustedProxies: ['127.0.0.1'], denyFrom },
    apis: { integration: { upstream: backend.url }, orders: { ...orders, ...change } },
  });
  const postern = await startPostern(t, { config: config(), keys: [SERVER_KEY, WEB_KEY] });
  const ask = async (
    target: string,
    address: string,
    { method = 'GET', secret = SERVER_SECRET as string | null, fields = [] as string[] } = {},
  ) => {
    const answer = await sendRaw(
      postern.port,
      written({ method, target, secret, fields: [`X-Forwarded-For: ${address}`, ...fields] }),
    );
    return codeOf(answer) || String(answer.status);
  };
  const [denied, elsewhere, inside] = ['192.0.2.9', '198.51.100.8', '203.0.113.5'];
  for (const target of ['/orders/1', '/profile/1', KEY_SET, '/orders/token'])
    t.equal(await ask(target, denied, { secret: null }), 'address_denied', target);
  t.equal(await ask('/profile', denied, { method: 'OPTIONS', fields: PREFLIGHT }), 'address_denied', 'a preflight');
  t.equal(await ask('/orders/1', elsewhere, { secret: 'wrong' }), 'ip_not_allowed', 'whatever the credential');
  t.equal(await ask('/orders/token', elsewhere, { method: 'POST', secret: null }), 'ip_not_allowed');
  t.equal(await ask('/orders', elsewhere, { method: 'OPTIONS', fields: PREFLIGHT }), 'ip_not_allowed');
  t.equal(await ask('/orders/1', '203.0.113.66'), 'address_denied', 'stronger than allowFrom');
  t.equal(await ask('/orders/1', 'unknown'), 'address_denied', 'who cannot be told apart from the denied');
  t.same(
    [await ask('/orders/1', inside), await ask('/orders/1', '198.51.100.7'), await ask('/profile/1', elsewhere)],
    ['204', '204', '204'],
  );
  t.equal(await ask(KEY_SET, elsewhere, { secret: null }), '200', 'the key set is no API\u2019s alone');
  t.equal(
    await postern.metric('postern_rejections_total{api="orders",key="",reason="address_denied",mode="enforce"}'),
    5,
  );
  t.equal(backend.requests.length, 3);

  postern.writeConfig(config({ enforcement: 'report' }));
  await postern.sidecar.reload();
  t.same([await ask('/orders/1', elsewhere), await ask('/orders/1', '203.0.113.66')], ['204', '204']);
  t.equal(await ask('/orders/1', denied), 'address_denied', 'in no mode');
  t.equal(
    await postern.metric('postern_rejections_total{api="orders",key="",reason="ip_not_allowed",mode="report"}'),
    1,
  );
  postern.writeConfig(config({}, ['203.0.113.5']));
  await postern.sidecar.reload();
  t.same([await ask('/orders/1', inside), await ask('/profile/1', denied)], ['address_denied', '204'], 'at a reload');
  t.notMatch(postern.logText(), /config_needs_restart/);
});

t.test('an API may name address lists, whose changes hold at once', async (t) => {
  const backend = await startBackend(t);
  const postern = await startPostern(t, {
    config: {
      listen: { trustedProxies: ['127.0.0.1'], denyFrom: [{ list: 'bad' }] },
      apis: { integration: { upstream: backend.url, allowFrom: [{ list: 'office' }, '198.51.100.7'] } },
    },
    keys: [SERVER_KEY],
    records: { addressLists: { bad: ['192.0.2.0/24'], office: ['203.0.113.0/24', '192.0.2.0/24'] } },
  });
  const ask = async (address: string) => {
    const bytes = written({ method: 'GET', target: '/profile/1', fields: [`X-Forwarded-For: ${address}`] });
    const answer = await sendRaw(postern.port, bytes);
    return codeOf(answer) || answer.status;
  };
  const from = async () => [
    await ask('203.0.113.1'),
    await ask('192.0.2.1'),
    await ask('198.51.100.7'),
    await ask('198.51.100.8'),
  ];
  t.same(await from(), [204, 'address_denied', 204, 'ip_not_allowed']);
  postern.writeKeys([SERVER_KEY], { addressLists: { bad: ['198.51.100.7'], office: ['192.0.2.0/24'] } });
  await postern.sidecar.reload();
  t.same(await from(), ['ip_not_allowed', 204, 'address_denied', 'ip_not_allowed']);
});
