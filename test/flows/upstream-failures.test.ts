import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import type net from 'node:net';
import t from 'tap';
import { codeOf, startFlow, written } from '../support/flow.ts';
import { freePort } from '../support/free-port.ts';
import { answering, onRequest, rawBackend, RawClient } from '../support/upstream.ts';

const errors = (kind: string) => `postern_upstream_errors_total{api="integration",kind="${kind}"}`;

t.test('a backend that cannot be reached is 502, one that does not answer 504', async (t) => {
  const port = await freePort();
  const refused = await startFlow(t, { api: { upstream: `http://127.0.0.1:${port}` } });
  const unreachable = await refused.raw(written({ body: '{}' }));
  t.same([unreachable.status, codeOf(unreachable)], [502, 'upstream_unreachable']);
  t.equal(await refused.postern.metric(errors('connect')), 1);
  const connecting = {
    msg: 'upstream_failed',
    kind: 'connect',
    status: 502,
    detail: `connect ECONNREFUSED 127.0.0.1:${port}`,
  };
  t.match(refused.postern.lines.at(-1), connecting);

  const silent = await rawBackend(t, (socket) => void socket.resume());
  const late = await startFlow(t, { api: { upstream: silent.url, timeoutSeconds: 0.3 } });
  const timeout = await late.raw(written({ body: '{}' }));
  t.same([timeout.status, codeOf(timeout)], [504, 'upstream_timeout']);
  t.equal(await late.postern.metric(errors('header_timeout')), 1);
  t.equal(silent.sockets.length, 1, 'no retry');
  t.match(late.postern.lines.at(-1), { kind: 'header_timeout', detail: new RegExp(`^${silent.url}: `) });
});

t.test('the log says which address failed, and that its name or its certificate was at fault', async (t) => {
  const unnamed = await startFlow(t, { api: { upstream: 'http://no-such-host.invalid' } });
  t.equal((await unnamed.raw(written({ body: '{}' }))).status, 502);
  t.match(unnamed.postern.lines.at(-1), { kind: 'connect', detail: /(?:ENOTFOUND|EAI_AGAIN) no-such-host\.invalid/ });
  const own = https.createServer(
    { cert: readFileSync('test/fixtures/tls/cert.pem'), key: readFileSync('test/fixtures/tls/key.pem') },
    (_req, res) => res.end(),
  );
  await once(own.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => own.close());
  const origin = `https://localhost:${(own.address() as net.AddressInfo).port}`;
  const untrusted = await startFlow(t, { api: { upstream: origin } });
  t.equal((await untrusted.raw(written({ body: '{}' }))).status, 502);
  t.match(untrusted.postern.lines.at(-1), { kind: 'tls', detail: new RegExp(`^${origin}: .*certificate`) });
});

t.test('a malformed answer is 502, and its connection is not used again', async (t) => {
  const malformed = [
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    'HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 0\r\n\r\n',
    'junk\r\n\r\n',
  ];
  for (const bytes of malformed) {
    const backend = await answering(t, bytes);
    const { raw } = await startFlow(t, { api: { upstream: backend.url } });
    for (let n = 0; n < 2; n++) {
      const answer = await raw(written({ body: '{}' }));
      t.same([answer.status, codeOf(answer)], [502, 'upstream_unreachable'], JSON.stringify(bytes.slice(0, 60)));
    }
    t.equal(backend.sockets.length, 2);
  }
});

t.test('an answer that breaks in the middle breaks the client\u2019s connection', async (t) => {
  for (const begun of ['Content-Length: 10\r\n\r\nhalf', 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n']) {
    const backend = await rawBackend(t, (socket) => {
      onRequest(
        socket,
        () => void socket.write(`HTTP/1.1 200 OK\r\n${begun}`, () => setTimeout(() => socket.destroy(), 20)),
      );
    });
    const { postern } = await startFlow(t, { api: { upstream: backend.url } });
    const client = new RawClient(t, postern.port);
    client.write(written({ body: '{}' }).toString());
    await client.closed;
    t.match(client.text, /^HTTP\/1\.1 200 OK/);
    t.notMatch(client.text, /\r\n0\r\n\r\n$/);
    t.match(client.text, /half(?:\r\n)?$/);
    t.equal(await postern.metric(errors('truncated')), 1);
    t.equal(await postern.metric('postern_requests_total{api="integration",key="server",status="200"}'), 1);
    t.match(postern.lines.at(-1), { msg: 'upstream_failed', kind: 'truncated', status: 200 });
  }
});

t.test('a request that may have reached the backend is not sent twice', async (t) => {
  let requests = 0;
  const backend = await rawBackend(t, (socket) => {
    onRequest(socket, () => {
      requests++;
      socket.destroy();
    });
  });
  const { raw, postern } = await startFlow(t, { api: { upstream: backend.url } });
  for (const method of ['POST', 'GET']) t.equal((await raw(written({ method, target: '/x' }))).status, 502);
  t.equal(requests, 2);
  t.equal(await postern.metric(errors('reset')), 2);
});

t.test('interim answers of the backend stay here', async (t) => {
  const backend = await answering(
    t,
    'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  );
  const { raw } = await startFlow(t, { api: { upstream: backend.url } });
  const answer = await raw(written({ body: '{}' }));
  t.match(answer, { status: 200, body: 'ok' });
});

t.test('more requests than connections wait, and past the line are 503 overloaded', async (t) => {
  const silent = await rawBackend(t, (socket) => void socket.resume());
  const { postern, raw } = await startFlow(t, { api: { upstream: silent.url, maxConnections: 1, timeoutSeconds: 60 } });
  const clients = Array.from({ length: 9 }, () => new RawClient(t, postern.port));
  for (const client of clients) client.write(written({ body: '{}' }).toString());
  while ((await postern.metric('postern_requests_in_flight{api="integration"}')) < 9) await new Promise(setImmediate);
  const answer = await raw(written({ body: '{}' }));
  t.same([answer.status, codeOf(answer)], [503, 'overloaded']);
  t.equal(silent.sockets.length, 1);
});
