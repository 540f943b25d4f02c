import http from 'node:http';
import t from 'tap';
import { SERVER_KEY, SERVER_SECRET, startFlow, WEB_KEY } from '../support/flow.ts';

const RELOADS = 30;

t.test(`${RELOADS} reloads while requests are under way fail none of them`, async (t) => {
  const { postern, backend } = await startFlow(t, {
    respond: (_req, res) => void setTimeout(() => res.writeHead(200).end('ok'), 3),
  });
  const other = await startFlow(t, { respond: (_req, res) => void res.writeHead(200).end('ok') });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  t.teardown(() => agent.destroy());
  const send = () =>
    new Promise<number>((resolve, reject) => {
      const headers = { authorization: `Bearer ${SERVER_SECRET}` };
      const req = http.request(`${postern.url}/event/ingest`, { method: 'POST', agent, headers }, (res) => {
        res
          .resume()
          .on('end', () => resolve(res.statusCode ?? 0))
          .on('error', reject);
      });
      req.on('error', reject).end('{"name":"login"}');
    });
  const statuses = new Map<number, number>();
  const load = { over: false };
  const clients = Array.from({ length: 8 }, async () => {
    while (!load.over) {
      const status = await send();
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  });
  for (let n = 0; n < RELOADS; n++) {
    const upstream = n % 2 === 0 ? other.backend.url : backend.url;
    postern.writeConfig({ apis: { integration: { upstream, maxConnections: 4 + n } } });
    postern.writeKeys(n % 2 === 0 ? [SERVER_KEY] : [SERVER_KEY, WEB_KEY]);
    await postern.sidecar.reload();
    await send();
  }
  load.over = true;
  await Promise.all(clients);
  t.same([...statuses.keys()], [200]);
  t.ok((statuses.get(200) ?? 0) > RELOADS);
  t.ok(backend.requests.length > 0 && other.backend.requests.length > 0);
  t.equal(await postern.metric('postern_config_last_reload_successful'), 1);
});
