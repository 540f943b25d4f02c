import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import t from 'tap';
import { startFlow, written } from '../support/flow.ts';
import { parseAnswer } from '../support/raw-http.ts';
import { v2Header } from '../support/proxy-header.ts';

const fixture = (file: string): string => join(process.cwd(), 'test/fixtures/tls', file);
const TLS = { certFile: fixture('cert.pem'), keyFile: fixture('key.pem') };
const ca = readFileSync(fixture('cert.pem'));

async function exchange(socket: tls.TLSSocket, bytes: Buffer): Promise<string> {
  let text = '';
  socket.on('data', (data: Buffer) => (text += data.toString('latin1')));
  socket.write(bytes);
  await once(socket, 'close');
  return text;
}

const last = (...fields: readonly string[]) => written({ fields: ['Connection: close', ...fields], body: '{}' });

t.test('the data port serves TLS, and says so to the backend', async (t) => {
  const { postern, backend } = await startFlow(t, { listen: { tls: TLS } });
  const socket = tls.connect({ port: postern.port, host: '127.0.0.1', servername: 'localhost', ca });
  t.match(parseAnswer(await exchange(socket, last()), true), { status: 204 });
  t.match(backend.requests[0]?.headers, { 'x-forwarded-proto': 'https', 'x-forwarded-for': '127.0.0.1' });
  const broken = tls.connect({ port: postern.port, host: '127.0.0.1', servername: 'localhost', ca });
  t.match(await exchange(broken, Buffer.from('G@T / HTTP/1.1\r\n\r\n')), /^HTTP\/1\.1 501 [\s\S]*not_implemented/);
});

t.test('whoever does not speak TLS is disconnected, and harms nobody', async (t) => {
  const { postern } = await startFlow(t, { listen: { tls: TLS } });
  for (const bytes of [last(), Buffer.alloc(5000, 0x41), Buffer.from([0x16, 3, 1, 0, 200, 1, 0])]) {
    const socket = net.connect(postern.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.end(bytes).resume();
    await once(socket, 'close');
  }
  const distrustful = tls.connect({ port: postern.port, host: '127.0.0.1' });
  await once(distrustful, 'error');
  const socket = tls.connect({ port: postern.port, host: '127.0.0.1', servername: 'localhost', ca });
  t.match(parseAnswer(await exchange(socket, last()), true), { status: 204 });
});

t.test('the PROXY protocol comes before TLS', async (t) => {
  const { postern, backend } = await startFlow(t, {
    listen: { tls: TLS, proxyProtocol: true, trustedProxies: ['127.0.0.1'] },
  });
  const v2 = v2Header(0x21, 0x11, [203, 0, 113, 7, 127, 0, 0, 1, 0xc0, 0, 1, 0xbb]);
  for (const header of [Buffer.from('PROXY TCP4 203.0.113.7 127.0.0.1 49152 443\r\n'), v2]) {
    const below = net.connect(postern.port, '127.0.0.1');
    below.write(header);
    const socket = tls.connect({ socket: below, servername: 'localhost', ca });
    t.match(parseAnswer(await exchange(socket, last('X-Forwarded-For: 192.0.2.66')), true), { status: 204 });
    t.match(backend.requests.at(-1)?.headers, { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' });
  }
});
