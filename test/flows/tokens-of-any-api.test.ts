import t from 'tap';
import { startBackend } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';

const SECRETS = {
  partner: 'secret-of-the-partner-key',
  server: 'secret-of-the-server-key',
  strict: 'secret-of-the-strict-key',
};

/** Two APIs with one signing secret, and what clients do with them. */
async function start(t: Parameters<typeof startPostern>[0]) {
  const backend = await startBackend(t);
  const token = (path: string) => ({ path, secret: 'one-signing-secret-of-more-than-32-bytes' });
  const apis = (names: readonly string[]) =>
    Object.fromEntries(
      names.map((name) => [name, { upstream: backend.url, paths: [`/${name}`], token: token(`/${name}/auth/token`) }]),
    );
  const keys = (change: object = {}) => [
    { id: 'partner', type: 'read-only', secret: SECRETS.partner, ...change },
    { id: 'server', type: 'read-write', secret: SECRETS.server, accessToken: 'never' },
    { id: 'strict', type: 'read-write', secret: SECRETS.strict, accessToken: 'required' },
  ];
  const postern = await startPostern(t, { config: { apis: apis(['orders', 'billing']) }, keys: keys() });
  const obtain = (id: string, secret: string, path = '/orders/auth/token') =>
    fetch(postern.url + path, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
  const tokenOf = async (id: keyof typeof SECRETS, path?: string): Promise<string> =>
    ((await (await obtain(id, SECRETS[id], path)).json()) as { access_token: string }).access_token;
  const get = async (credential: string, path = '/orders/1'): Promise<number> =>
    (await fetch(postern.url + path, { headers: { authorization: `Bearer ${credential}` } })).status;
  return { backend, postern, keys, apis, obtain, tokenOf, get };
}

t.test('any API may have tokens, of which none opens another API', async (t) => {
  const { backend, postern, obtain, tokenOf, get } = await start(t);
  const token = await tokenOf('partner');
  t.same([await get(token), await get(token, '/billing/1')], [204, 401]);
  t.same(
    [await get(await tokenOf('partner', '/billing/auth/token'), '/billing/1'), await get(SECRETS.partner)],
    [204, 204],
  );
  for (const spelling of ['/Orders/Auth/Token/', '/orders/auth/t%6Fken'])
    t.equal((await obtain('partner', SECRETS.partner, spelling)).status, 200, spelling);
  const wrong = await obtain('partner', 'wrong');
  t.equal(wrong.headers.get('www-authenticate'), 'Basic realm="orders", charset="UTF-8"');
  t.equal((await obtain('server', SECRETS.partner)).status, 401, 'the id of another key');
  t.equal(backend.requests.filter(({ url }) => url?.includes('token')).length, 0, 'nothing of it goes on');
  t.equal(await postern.metric('postern_tokens_issued_total{key="partner"}'), 4);
});

t.test('a key says whether it may, must or cannot have them', async (t) => {
  const { postern, keys, obtain, tokenOf, get } = await start(t);
  t.same([await get(SECRETS.server), (await obtain('server', SECRETS.server)).status], [204, 401]);
  t.same([await get(SECRETS.strict), await get(await tokenOf('strict'))], [401, 204]);
  const token = await tokenOf('partner');
  t.equal(await get(token), 204);
  for (const change of [{ apis: ['billing'] }, { accessToken: 'never' }]) {
    postern.writeKeys(keys(change));
    await postern.sidecar.reload();
    t.equal(await get(token), 401, JSON.stringify(change));
    postern.writeKeys(keys());
    await postern.sidecar.reload();
    t.equal(await get(token), 204);
  }
});

t.test('whoever guesses at one endpoint has guessed at all', async (t) => {
  const { obtain } = await start(t);
  for (let n = 0; n < 10; n++)
    t.equal((await obtain('partner', `wrong-${n}`, n % 2 === 0 ? undefined : '/billing/auth/token')).status, 401);
  for (const path of ['/orders/auth/token', '/billing/auth/token'])
    t.equal((await obtain('partner', SECRETS.partner, path)).status, 429, path);
});
