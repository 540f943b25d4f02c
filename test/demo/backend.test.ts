import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { startDemoBackend } from '../../src/demo/backend.ts';

const start = () => startDemoBackend({ host: '127.0.0.1', integrationPort: 0, metricsPort: 0 });
const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

void t.test('answers the integration routes and shows what it received', async (t) => {
  const backend = await start();
  t.teardown(backend.close);
  for (const server of [backend.integration, backend.metrics])
    t.equal((server.address() as AddressInfo).address, '127.0.0.1', 'nobody else can reach it');
  const url = urlOf(backend.integration);
  for (const [method, path, status] of [
    ['POST', '/event/ingest?locationEnrichment=true', 204],
    ['POST', '/event/ingest/batch', 204],
    ['POST', '/profile', 204],
    ['POST', '/workflow/trigger', 204],
    ['POST', '/product', 204],
    ['DELETE', '/product/a/b', 204],
    ['GET', '/profile/u1', 200],
    ['GET', '/event/ingest', 404],
  ] as const) {
    const body = method === 'POST' ? '{"a":1}' : null;
    t.equal((await fetch(url + path, { method, body })).status, status, `${method} ${path}`);
  }
  const received = (await (await fetch(`${url}/demo/received`)).json()) as {
    method: string;
    path: string;
    body: string;
  }[];
  t.match(received.at(-1), { method: 'POST', path: '/event/ingest?locationEnrichment=true', body: '{"a":1}' });
  t.equal(received.length, 8);
});

void t.test('numbers the metrics it computes', async (t) => {
  const backend = await start();
  t.teardown(backend.close);
  const url = urlOf(backend.metrics);
  const query = async (path: string) => (await fetch(url + path, { method: 'POST', body: '{}' })).json();
  t.match(await query('/metrics/query/revenue'), { metric: 'revenue', computation: 1 });
  t.match(await query('/metrics/query'), { metric: 'ad-hoc', computation: 2 });
  t.equal((await fetch(`${url}/metrics/other`)).status, 404);
});

void t.test('a taken port is an error, and leaves nothing open', async (t) => {
  const first = await start();
  t.teardown(first.close);
  const taken = (first.metrics.address() as AddressInfo).port;
  await t.rejects(startDemoBackend({ host: '127.0.0.1', integrationPort: 0, metricsPort: taken }), {
    code: 'EADDRINUSE',
  });
});
