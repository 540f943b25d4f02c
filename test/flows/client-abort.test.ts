import { once } from 'node:events';
import type net from 'node:net';
import t from 'tap';
import { EVENTS_SECRET, SERVER_SECRET, startFlow, written } from '../support/flow.ts';
import { rawBackend, RawClient } from '../support/upstream.ts';

const gone = (key: string) => `postern_requests_total{api="integration",key="${key}",status="499"}`;

/** Polls what only a scrape tells. */
async function eventually(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setImmediate(resolve));
}

t.test('a client that goes away cancels the upstream request', async (t) => {
  const silent = await rawBackend(t, (socket) => void socket.resume());
  const { postern } = await startFlow(t, { api: { upstream: silent.url } });
  const client = new RawClient(t, postern.port);
  client.write(written({ body: '{}' }).toString());
  await eventually(async () => silent.sockets.length === 1);
  client.socket.destroy();
  await once(silent.sockets[0] as net.Socket, 'close');
  await eventually(async () => (await postern.metric(gone('server'))) === 1);
  t.equal(await postern.metric('postern_requests_in_flight{api="integration"}'), 0);
  t.notMatch(postern.logText(), 'upstream_failed', 'nobody failed');
});

t.test('also in the middle of its upload, and of its download', async (t) => {
  const silent = await rawBackend(t, (socket) => void socket.resume());
  const { postern } = await startFlow(t, { api: { upstream: silent.url } });
  const uploading = new RawClient(t, postern.port);
  uploading.write(
    `POST / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${SERVER_SECRET}\r\nContent-Length: 100\r\n\r\nhalf`,
  );
  await eventually(async () => silent.sockets.length === 1);
  uploading.socket.resetAndDestroy();
  await once(silent.sockets[0] as net.Socket, 'close');

  const endless = await rawBackend(t, (socket) => {
    socket.resume().write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
  });
  const { postern: second } = await startFlow(t, { api: { upstream: endless.url }, log: { requests: 'all' } });
  const downloading = new RawClient(t, second.port);
  downloading.write(written({ method: 'GET' }).toString());
  await downloading.until('hello');
  downloading.socket.destroy();
  await once(endless.sockets[0] as net.Socket, 'close');
  for (const port of [postern, second]) {
    await eventually(async () => (await port.metric('postern_requests_in_flight{api="integration"}')) === 0);
    t.equal(port.lines.filter(({ msg }) => msg === 'upstream_failed').length, 0, 'nobody failed');
  }
  t.match(second.lines.at(-1), { msg: 'request', status: 200, aborted: true }, 'what it was told by then stands');
  t.equal(await second.metric(gone('server').replace('499', '200')), 1);
  t.equal(await second.metric(gone('server')), 0);
});

t.test('an answer that its backend breaks off has the status that was sent, and says so', async (t) => {
  const breaking = await rawBackend(t, (socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 206 Partial Content\r\nContent-Length: 100\r\n\r\nhello');
      setImmediate(() => socket.destroySoon());
    });
  });
  const { postern } = await startFlow(t, { api: { upstream: breaking.url } });
  const client = new RawClient(t, postern.port);
  client.write(written({ method: 'GET' }).toString());
  await client.until('hello');
  await eventually(async () => postern.lines.some(({ msg }) => msg === 'upstream_failed'));
  t.match(postern.lines.at(-1), { msg: 'upstream_failed', kind: 'truncated', status: 206, aborted: true });
});

t.test('a client that goes away before its events have arrived leaves nothing behind', async (t) => {
  const { postern, backend } = await startFlow(t);
  const client = new RawClient(t, postern.port);
  client.write(
    `POST /event/ingest HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${EVENTS_SECRET}\r\nContent-Length: 100\r\n\r\n{`,
  );
  await eventually(async () => (await postern.metric('postern_requests_in_flight{api="integration"}')) === 1);
  client.socket.resetAndDestroy();
  await eventually(async () => (await postern.metric(gone('events'))) === 1);
  t.equal(await postern.metric('postern_requests_in_flight{api="integration"}'), 0);
  t.equal(backend.requests.length, 0);
});
