/** What docs/several-apis.md says of its example is so. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { startBackend } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';
import { sendRaw } from '../support/raw-http.ts';
import { codeOf, written } from '../support/flow.ts';

const SECRETS = { BACKOFFICE_KEY: 'secret-of-the-backoffice-key', ACME_KEY: 'secret-of-the-partner-acme' };

t.test('the example does what the page says', async (t) => {
  const names = ['shop', 'orders', 'files', 'partners'] as const;
  const backends = await Promise.all(names.map(() => startBackend(t)));
  let page = readFileSync('docs/several-apis.md', 'utf8').replace('${PARTNER_TOKEN_SECRET}', 's'.repeat(32));
  names.forEach((name, n) => (page = page.replaceAll(`http://${name}:9000`, backends[n]?.url as string)));
  for (const [name, secret] of Object.entries(SECRETS)) page = page.replace(`\${${name}}`, secret);
  const [config, keys] = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = '']) => parse(yaml) as unknown);
  const postern = await startPostern(t, {
    config: { listen: { trustedProxies: ['127.0.0.1'] }, ...(config as object) },
    keys: (keys as { keys: Record<string, unknown>[] }).keys,
  });
  const ask = async (
    target: string,
    { method = 'GET', host = 'shop.example.com', from = '198.51.100.7', secret = SECRETS.BACKOFFICE_KEY } = {},
  ) => {
    for (const { requests } of backends) requests.length = 0;
    const bytes = written({ method, target, secret, fields: [`X-Forwarded-For: ${from}`] }).toString();
    const answer = await sendRaw(postern.port, bytes.replace('Host: api.test', `Host: ${host}`));
    const found = names[backends.findIndex(({ requests }) => requests.length > 0)];
    return codeOf(answer) || found || String(answer.status);
  };
  t.same(
    [await ask('/v1/products/7'), await ask('/v1/orders/7'), await ask('/V2/orders'), await ask('/v1/orders2')],
    ['shop', 'orders', 'orders', 'shop'],
  );
  t.equal(await ask('/v1/orders/7/invoice', { method: 'POST' }), 'files');
  t.equal(await ask('/v1/orders/7', { from: '192.0.2.1' }), 'address_denied');
  t.equal(await ask('/metrics'), 'shop', 'an API that says its paths leaves nothing out');
  const partner = { host: 'partners.example.com', secret: SECRETS.ACME_KEY };
  t.equal(await ask('/v1/stock/7', { ...partner, from: '203.0.113.1' }), 'ip_not_allowed');
  t.equal(await ask('/v1/stock/7', partner), 'invalid_credential', 'a token is required');
  t.equal(await ask('/v1/stock/7', { host: partner.host }), 'invalid_credential', 'a key for other APIs');
  const form = 'grant_type=client_credentials';
  const asked = written({
    target: '/auth/token',
    secret: null,
    fields: [
      'X-Forwarded-For: 198.51.100.7',
      `Authorization: Basic ${btoa(`acme:${SECRETS.ACME_KEY}`)}`,
      'Content-Type: application/x-www-form-urlencoded',
    ],
    body: form,
  }).toString();
  const issued = await sendRaw(postern.port, asked.replace('api.test', partner.host));
  t.equal(issued.status, 200, issued.body);
  const { access_token: token } = JSON.parse(issued.body) as { access_token: string };
  t.equal(await ask('/v1/stock/7', { ...partner, secret: token }), 'partners');
  t.equal(await ask('/v1/orders/7', { secret: token }), 'invalid_credential', 'a token is for its own API');
  t.equal(
    codeOf(await sendRaw(postern.port, asked)),
    'missing_credential',
    'under another Host it is no token endpoint',
  );
});
