import type { ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import t, { type Test } from 'tap';
import { recordOf } from '../../src/data-port/socket-record.ts';
import { createDataPort, type DataPort } from '../../src/data-port/server.ts';
import { sendRaw } from '../support/raw-http.ts';
import { RawClient } from '../support/upstream.ts';

const SETTINGS = {
  address: { host: '127.0.0.1', port: 0 },
  tls: null,
  reusePort: false,
  requestTimeoutSeconds: 5,
  headersTimeoutSeconds: 5,
  maxHeaderBytes: 16_384,
  keepAliveTimeoutSeconds: 60,
  maxConnections: 100,
};

t.test('the server has the limits of the configuration, and none that Node makes up', async (t) => {
  const limits = {
    requestTimeoutSeconds: 30,
    headersTimeoutSeconds: 10,
    keepAliveTimeoutSeconds: 75,
    maxConnections: 7,
  };
  const made = (change: object) => createDataPort({ ...SETTINGS, ...limits, ...change }).server;
  const server = made({});
  t.equal(server.requestTimeout, 30_000);
  t.equal(server.headersTimeout, 10_000);
  t.equal(server.keepAliveTimeout, 75_000);
  t.equal(server.maxConnections, 7);
  t.equal(server.maxHeadersCount, 0);
  t.equal(made({ requestTimeoutSeconds: 4 }).headersTimeout, 4000, 'a head takes no longer than its request');
  const hidden = server as unknown as Record<string, unknown>;
  for (const [name, value] of [
    ['noDelay', true],
    ['requireHostHeader', false],
    ['insecureHTTPParser', false],
    ['httpAllowHalfOpen', true],
  ] as const)
    t.equal(hidden[name], value, name);
});

t.test('a port that processes share is on the same address as one that is its own', async (t) => {
  const dataPort = createDataPort({ ...SETTINGS, reusePort: true });
  const listen = t.capture(dataPort.server, 'listen', dataPort.server.listen);
  const { address } = (await dataPort.listen()) as AddressInfo;
  await dataPort.close();
  t.equal(address, '127.0.0.1');
  t.same(listen()[0]?.args[0], { host: '127.0.0.1', port: 0, reusePort: true });
});

/** Sends every request through the framework and answers it there. */
async function echoing(t: Test, admit: (res: ServerResponse) => void = (res) => void res.end('admitted')) {
  const seen: string[] = [];
  const errors: string[] = [];
  const dataPort: DataPort = createDataPort(SETTINGS);
  dataPort.serve({
    request: (req, res, awaitsContinue) => {
      seen.push(`${req.method} ${req.url} ${awaitsContinue}`);
      if (req.method === 'CONNECT') admit(res);
      else dataPort.openStreamLane(req, res, () => admit(res));
    },
    clientError: (error, socket) => {
      errors.push(error.code ?? '');
      socket.end('HTTP/1.1 400 Ours\r\n\r\n');
    },
  });
  const { port } = (await dataPort.listen()) as AddressInfo;
  t.teardown(() => {
    dataPort.server.closeAllConnections();
    return dataPort.close();
  });
  return { dataPort, port, seen, errors };
}

t.test('what is admitted reaches the route, however it is spelled', async (t) => {
  const { port, seen } = await echoing(t);
  const requests = ['GET /a//b?%zz HTTP/1.1', 'DELETE /%ff HTTP/1.1', 'PROPFIND /x HTTP/1.1', 'OPTIONS * HTTP/1.1'];
  for (const line of requests) {
    const answer = await sendRaw(port, `${line}\r\nHost: a\r\nAccept-Version: 9\r\nConnection: close\r\n\r\n`, {
      untilClose: true,
    });
    t.match(answer, { status: 200, body: 'admitted' }, line);
  }
  t.same(seen, ['GET /a//b?%zz false', 'DELETE /%ff false', 'PROPFIND /x false', 'OPTIONS * false']);
});

t.test('the framework reads neither the body nor its type', async (t) => {
  const { port } = await echoing(t);
  for (const type of ['application/json', 'text/plain', 'not a type at all', '']) {
    const answer = await sendRaw(
      port,
      `POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: 2000000\r\n\r\n{`,
      { untilClose: true },
    );
    t.match(answer, { status: 200, body: 'admitted' }, type);
  }
});

t.test('CONNECT and expectations are requests like any other', async (t) => {
  const { port, seen } = await echoing(t);
  const connect = await sendRaw(port, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', { untilClose: true });
  t.match(connect.text, 'admitted');
  const reset = new RawClient(t, port);
  reset.write('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n');
  reset.socket.resetAndDestroy();
  for (const expectation of ['100-continue', 'miracles'])
    await sendRaw(port, `POST / HTTP/1.1\r\nHost: a\r\nExpect: ${expectation}\r\nConnection: close\r\n\r\n`, {
      untilClose: true,
    });
  t.match(connect.text, /\r\nConnection: close\r\n/);
  t.equal(seen[0], 'CONNECT a:1 false');
  t.ok(seen.includes('POST / true'));
  t.ok(seen.includes('POST / false'));
});

t.test('a broken request is answered once, by us', async (t) => {
  const { port, errors } = await echoing(t);
  const { text } = await sendRaw(port, 'G@T / HTTP/1.1\r\n\r\n', { untilClose: true });
  t.equal(text, 'HTTP/1.1 400 Ours\r\n\r\n');
  t.same(errors, ['HPE_INVALID_METHOD']);
});

t.test('closing lets what is under way end, and then waits for nobody', async (t) => {
  const begun: ServerResponse[] = [];
  const { dataPort, port } = await echoing(t, (res) => {
    begun.push(res);
    res.write('begun');
  });
  const client = new RawClient(t, port);
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.until('begun');
  const closed = dataPort.close();
  begun[0]?.end('finished');
  await client.until('finished');
  await closed;
  await t.rejects(new Promise((_resolve, reject) => void new RawClient(t, port).socket.on('error', reject)));
});

t.test('of requests in a row no more are handed over than may wait, whatever they expect', async (t) => {
  for (const expect of ['', 'Expect: 100-continue\r\n', 'Expect: miracles\r\n']) {
    const waiting: ServerResponse[] = [];
    const errors: string[] = [];
    const dataPort = createDataPort(SETTINGS);
    dataPort.serve({
      request: (_req, res) => void waiting.push(res),
      clientError: ({ code = '' }) => void errors.push(code),
    });
    const { port } = (await dataPort.listen()) as AddressInfo;
    t.teardown(() => {
      dataPort.server.closeAllConnections();
      return dataPort.close();
    });
    const client = new RawClient(t, port);
    client.write(`POST / HTTP/1.1\r\nHost: a\r\n${expect}Content-Length: 0\r\n\r\n`.repeat(20));
    while (waiting.length < 3) await new Promise(setImmediate);
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
    t.equal(waiting.length, 3, expect);
    // Without a 100 before it, an answer is the last one.
    for (let n = 0; n < 20 && !expect.includes('100'); n++) {
      while (waiting[n] === undefined) await new Promise(setImmediate);
      waiting[n]?.end(`answer ${n};`);
    }
    if (!expect.includes('100')) await client.until('answer 19;');
    t.same(errors, [], 'and nobody hears of the pauses');
    client.socket.destroy();
  }
});

t.test('a close waits for no connection without a request, nor for a kept one', async (t) => {
  const { dataPort, port } = await echoing(t);
  const accepted: Socket[] = [];
  dataPort.server.on('connection', (socket) => accepted.push(socket));
  const connected = async (bytes: string): Promise<RawClient> => {
    const { length } = accepted;
    const client = new RawClient(t, port);
    client.write(bytes);
    while ((accepted[length]?.bytesRead ?? -1) < bytes.length) await new Promise(setImmediate);
    return client;
  };
  const unused = await connected('');
  const proxied = await connected('\r\n\r\n');
  recordOf(accepted[1] as Socket).proxyHeaderLength = 4;
  const kept = await connected('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await kept.until('admitted');
  await dataPort.close();
  await Promise.all([unused.closed, proxied.closed, kept.closed]);
  t.same([unused.text, proxied.text], ['', '']);
});

t.test('who has begun a request when the port closes may end it', async (t) => {
  const { dataPort, port } = await echoing(t);
  const accepted: Socket[] = [];
  dataPort.server.on('connection', (socket) => accepted.push(socket));
  const client = new RawClient(t, port);
  client.write('GET / HTTP');
  while ((accepted[0]?.bytesRead ?? 0) === 0) await new Promise(setImmediate);
  const closed = dataPort.close();
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  client.write('/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await client.closed;
  t.match(client.text, /admitted/);
  await closed;
});
