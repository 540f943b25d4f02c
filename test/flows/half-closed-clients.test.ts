import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { resolve } from 'node:path';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { EVENTS_SECRET, startFlow, WEB_SECRET, written } from '../support/flow.ts';
import { rawBackend, RawClient } from '../support/upstream.ts';

/** Sends all, closes its side, and resolves with what came until the other side is closed. */
async function sendAndClose(t: Test, port: number, bytes: string | Buffer): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  return readAll(t, socket, bytes);
}

async function readAll(t: Test, socket: net.Socket, bytes: string | Buffer): Promise<string> {
  t.teardown(() => socket.destroy());
  let text = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.end(bytes);
  await once(socket, 'close');
  return text;
}

const answersIn = (text: string): number => text.split('HTTP/1.1 200 OK').length - 1;

void t.test('a client that closes its side after its request gets its answer', async (t) => {
  const { postern } = await startFlow(t, {
    respond: (req, res) => void setTimeout(() => res.writeHead(200).end(`${req.method} done`), 200),
  });
  for (const request of [
    { method: 'GET', target: '/v1/users/1' },
    { body: '{"name":"login"}' },
    { body: '{"name":"login"}', secret: EVENTS_SECRET, fields: ['Content-Type: application/json'] },
    { body: '{"name":"login"}', secret: WEB_SECRET },
  ]) {
    const text = await sendAndClose(t, postern.port, written(request));
    t.match(text, /^HTTP\/1\.1 200 OK\r\n[^]* done/, JSON.stringify(request));
  }
  const old = await sendAndClose(
    t,
    postern.port,
    written({ method: 'GET' }).toString().replace('HTTP/1.1', 'HTTP/1.0'),
  );
  t.match(old, /^HTTP\/1\.1 200 OK\r\n[^]*GET done/, 'HTTP/1.0');
  t.match(await sendAndClose(t, postern.port, written({ method: 'GET', secret: null })), /^HTTP\/1\.1 401 /);
});

void t.test('each of several requests is answered, in order', async (t) => {
  let count = 0;
  const { postern } = await startFlow(t, {
    respond: (_req, res) => {
      const number = (count += 1);
      setTimeout(() => res.writeHead(200).end(`number ${number}`), 150 - 50 * number);
    },
  });
  const request = written({ method: 'GET' }).toString();
  const text = await sendAndClose(t, postern.port, request.repeat(3));
  t.equal(answersIn(text), 3);
});

void t.test('an answer that comes piece by piece is read to its end', async (t) => {
  const { postern } = await startFlow(t, {
    respond: (_req, res) => {
      res.writeHead(200);
      let left = 5;
      const timer = setInterval(() => {
        res.write(`piece ${left}\n`);
        left -= 1;
        if (left > 0) return;
        clearInterval(timer);
        res.end('last');
      }, 100);
    },
  });
  t.match(await sendAndClose(t, postern.port, written({ method: 'GET' })), /piece 5[^]*piece 1[^]*last\r\n0\r\n\r\n$/);
});

void t.test('over TLS', async (t) => {
  const { postern } = await startFlow(t, {
    listen: { tls: { certFile: resolve('test/fixtures/tls/cert.pem'), keyFile: resolve('test/fixtures/tls/key.pem') } },
    respond: (_req, res) => void setTimeout(() => res.writeHead(200).end('done'), 200),
  });
  const socket = tls.connect({
    port: postern.port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: readFileSync('test/fixtures/tls/cert.pem'),
  });
  await once(socket, 'secureConnect');
  t.match(await readAll(t, socket, written({ method: 'GET' })), /^HTTP\/1\.1 200 OK\r\n[^]*done/);
});

void t.test('one that goes away altogether is found out before the answer, and its request is given up', async (t) => {
  const silent = await rawBackend(t, (socket) => void socket.resume());
  const { postern } = await startFlow(t, { api: { upstream: silent.url } });
  const client = new RawClient(t, postern.port);
  client.write(written({ body: '{}' }).toString());
  while (silent.sockets.length === 0) await new Promise(setImmediate);
  client.socket.destroy();
  await once(silent.sockets[0] as net.Socket, 'close');
  t.equal(silent.sockets.length, 1, 'without waiting for timeoutSeconds, and it is not sent again');
});

void t.test('half a request is none', async (t) => {
  const silent = await rawBackend(t, (socket) => void socket.resume());
  const { postern } = await startFlow(t, { api: { upstream: silent.url } });
  const half = written({ fields: ['Content-Length: 100'] });
  const text = await sendAndClose(t, postern.port, Buffer.concat([half, Buffer.from('half')]));
  t.notMatch(text, / 200 /);
  if (silent.sockets[0] !== undefined && !silent.sockets[0].closed) await once(silent.sockets[0], 'close');
});
