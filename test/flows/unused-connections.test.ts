import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { startFlow } from '../support/flow.ts';
import { v2Header } from '../support/proxy-header.ts';

const fixture = (file: string): string => join(process.cwd(), 'test/fixtures/tls', file);
const TLS = { certFile: fixture('cert.pem'), keyFile: fixture('key.pem') };
const SOON = { headersTimeoutSeconds: 0.5 };
const PROXY = { ...SOON, proxyProtocol: true, trustedProxies: ['127.0.0.1'] };

type Look = (port: number) => net.Socket;

/** What balancers and browsers do with a connection that they have no request for. */
const hold: Look = (port) => net.connect(port, '127.0.0.1');
const close: Look = (port) => net.connect(port, '127.0.0.1').end();
const reset: Look = (port) => {
  const socket = net.connect(port, '127.0.0.1', () => socket.resetAndDestroy());
  return socket;
};
const first =
  (bytes: string | Buffer, andClose = false): Look =>
  (port) => {
    const socket = net.connect(port, '127.0.0.1');
    if (andClose) return socket.end(bytes);
    socket.write(bytes);
    return socket;
  };
const handshake: Look = (port) => tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });

/** Connects so, each twice, waits for the end, and expects that nothing is said or counted of it, and nothing answered. */
async function isQuiet(t: Test, listen: Record<string, unknown>, looks: readonly Look[]): Promise<void> {
  const { postern } = await startFlow(t, { listen });
  const before = postern.lines.length;
  let answered = '';
  const closed = [...looks, ...looks].map(async (look) => {
    const socket = look(postern.port);
    socket.on('error', () => {}).on('data', (bytes: Buffer) => (answered += bytes.toString('latin1')));
    await once(socket, 'close');
  });
  await Promise.all(closed);
  t.same(postern.lines.slice(before), []);
  t.equal(await postern.metric('postern_rejections_total{api="",key="",reason="request_timeout",mode="enforce"}'), 0);
  t.equal(answered, '');
}

t.test('a connection without a byte is no refusal', async (t) => isQuiet(t, SOON, [hold, close, reset]));

t.test('nor is one without a PROXY header, or with nothing after it', async (t) =>
  isQuiet(t, PROXY, [
    hold,
    close,
    reset,
    first('PROXY UNKNOWN\r\n'),
    first('PROXY UNKNOWN\r\n', true),
    first(v2Header(0x20, 0, [])),
    first(v2Header(0x20, 0, []), true),
    first('PROXY TCP4 203.0.113.7 127.0.0.1 49152 80\r\n'),
  ]),
);

t.test('nor one that begins no TLS, or nothing after it', async (t) =>
  isQuiet(t, { ...SOON, tls: TLS }, [hold, close, reset, handshake]),
);

t.test('half a request is one', async (t) => {
  const { postern } = await startFlow(t, { listen: SOON });
  const socket = first('GET / HTTP/1.1\r\nHo')(postern.port).resume();
  await once(socket, 'close');
  t.match(postern.lines.at(-1), { msg: 'rejected', reason: 'request_timeout', status: 408 });
});
