import t from 'tap';
import { startBackend } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';
import { sendRaw } from '../support/raw-http.ts';
import { codeOf, SERVER_KEY, written } from '../support/flow.ts';

t.test('each API has its backend, found by Host and by the longest prefix in every spelling', async (t) => {
  const [orders, billing, legacy] = await Promise.all([startBackend(t), startBackend(t), startBackend(t)]);
  const config = (more: object = {}) => ({
    apis: {
      integration: { upstream: legacy.url },
      orders: { upstream: orders.url, paths: ['/v1/orders', '/v2/orders'] },
      billing: { upstream: billing.url, paths: ['/', '/v1'], hosts: ['billing.test'] },
      ...more,
    },
  });
  const postern = await startPostern(t, { config: config(), keys: [SERVER_KEY] });
  const to = async (target: string, host = 'api.test'): Promise<string> => {
    for (const backend of [orders, billing, legacy]) backend.requests.length = 0;
    const bytes = written({ method: 'GET', target }).toString().replace('Host: api.test', `Host: ${host}`);
    const answer = await sendRaw(postern.port, bytes);
    const found = Object.entries({ orders, billing, legacy }).filter(([, { requests }]) => requests.length === 1);
    return found.length === 1 ? (found[0]?.[0] as string) : `${answer.status} ${codeOf(answer)}`;
  };
  for (const [target, host, expected] of [
    ['/v1/orders/7', 'api.test', 'orders'],
    ['/V1/Orders', 'api.test', 'orders'],
    ['/v2/orders/?a', 'api.test', 'orders'],
    ['/v1/ordersx', 'api.test', 'legacy'],
    ['/v1', 'api.test', 'legacy'],
    ['/v1/orders', 'billing.test', 'orders'],
    ['/v1/invoices', 'Billing.Test:8080', 'billing'],
    ['/anything', 'billing.test.', 'billing'],
    ['/metrics', 'billing.test', 'billing'],
    ['/metrics', 'api.test', '404 no_route'],
    ['/metrics/query', 'api.test', '404 no_route'],
  ] as const)
    t.equal(await to(target, host), expected, `${host}${target}`);
  t.equal(await postern.metric(`postern_requests_total{api="orders",key="server",status="204"}`), 4);
  t.equal(await postern.metric('postern_requests_in_flight{api="billing"}'), 0);

  postern.writeConfig(
    config({ integration: { upstream: legacy.url, paths: ['/'] }, metrics: { upstream: orders.url } }),
  );
  await postern.sidecar.reload();
  t.equal(
    await to('/metrics'),
    '401 invalid_credential',
    'a key that does not say so is not for the API named metrics',
  );
  postern.writeConfig({ apis: { integration: { upstream: legacy.url, paths: ['/'] } } });
  await postern.sidecar.reload();
  t.same([await to('/metrics'), await to('/v1/orders')], ['legacy', 'legacy'], 'APIs come and go at a reload');
});
