/** What a key says of itself beside its type, seen from outside: one sidecar with a key for each. */
import t from 'tap';
import { codeOf, startFlow, written } from '../support/flow.ts';

const SHOP = 'https://shop.example';
const ADMIN = 'https://admin.example';
const SECRETS = { reader: 'secret-of-the-reader', tool: 'secret-of-the-tool', orders: 'secret-of-the-orders-key' };
const KEYS = [
  { id: 'reader', type: 'read-only', secret: SECRETS.reader, denyFrom: ['203.0.113.0/28'] },
  { id: 'tool', type: 'read-write', secret: SECRETS.tool, allowBrowsers: true, allowedOrigins: [ADMIN] },
  { id: 'nowhere', type: 'read-write', secret: SECRETS.orders, apis: [] },
  { id: 'web', type: 'write-only', secret: 'secret-of-the-web-key', allowedOrigins: [SHOP] },
];

t.test('keys say what they are for', async (t) => {
  const { raw, backend, postern } = await startFlow(t, { keys: KEYS, listen: { trustedProxies: ['127.0.0.1'] } });
  const send = (secret: string, method: string, ...fields: readonly string[]) =>
    raw(written({ secret, method, target: '/profile/u1', fields }));
  const refusal = async (...args: Parameters<typeof send>) => {
    const answer = await send(...args);
    return [answer.status, codeOf(answer)];
  };

  await t.test('a read-only key reads', async (t) => {
    t.equal((await send(SECRETS.reader, 'GET')).status, 204);
    const head = { method: 'HEAD', headers: { authorization: `Bearer ${SECRETS.reader}` } };
    t.equal((await fetch(`${postern.url}/profile/u1`, head)).status, 204);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])
      t.same(await refusal(SECRETS.reader, method), [403, 'method_not_allowed'], method);
    t.same(
      backend.requests.map(({ method, headers }) => [method, headers['postern-key-type']]),
      [
        ['GET', 'read-only'],
        ['HEAD', 'read-only'],
      ],
    );
  });

  await t.test('it cannot be used from where it is denied', async (t) => {
    const from = (address: string) => refusal(SECRETS.reader, 'GET', `X-Forwarded-For: ${address}`);
    t.same(await from('203.0.113.16'), [204, '']);
    t.same(await from('203.0.113.15'), [403, 'ip_not_allowed']);
    t.same(await from('::ffff:203.0.113.15'), [403, 'ip_not_allowed']);
    t.same(await from('unknown'), [403, 'ip_not_allowed'], 'nor from where nobody knows');
  });

  await t.test('a key for pages is for those that it names', async (t) => {
    const of = (...fields: readonly string[]) => refusal(SECRETS.tool, 'PUT', ...fields);
    t.same(await of(`Origin: ${ADMIN}`), [204, '']);
    t.same(await of('Sec-Fetch-Site: same-origin'), [204, '']);
    t.same(await of(), [204, '']);
    for (const origin of [SHOP, 'null', `${ADMIN}.evil`])
      t.same(await of(`Origin: ${origin}`), [403, 'origin_not_allowed']);
    t.same(await refusal(SECRETS.reader, 'GET', `Origin: ${ADMIN}`), [403, 'browser_not_allowed']);
    const { headers } = await send(SECRETS.tool, 'PUT', `Origin: ${ADMIN}`);
    t.equal(headers['access-control-allow-origin'], ADMIN, 'and they can read the answer');
  });

  await t.test('a preflight is told the methods of the keys that admit its origin', async (t) => {
    const methods = async (origin: string) => {
      const fields = [`Origin: ${origin}`, 'Access-Control-Request-Method: PUT'];
      const answer = await raw(written({ method: 'OPTIONS', secret: null, fields }));
      return [answer.status, answer.headers['access-control-allow-methods']];
    };
    t.same(await methods(ADMIN), [204, 'GET, HEAD, POST, PUT, PATCH, DELETE']);
    t.same(await methods(SHOP), [204, 'POST']);
    t.same(await methods('https://evil.example'), [403, undefined]);
  });

  await t.test('a key for no API is unknown in each', async (t) => {
    t.same(await refusal(SECRETS.orders, 'GET'), [401, 'invalid_credential']);
  });
});
