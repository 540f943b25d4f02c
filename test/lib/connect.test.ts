import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { connectTo } from '../../src/lib/connect.ts';

async function listen(t: Test, host: string, port = 0): Promise<number> {
  const server = net.createServer((socket) => void socket.on('error', () => undefined).resume());
  server.listen(port, host);
  await once(server, 'listening');
  t.teardown(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** As `net.connect`, but the address takes its time. */
const slow = (address: string, ms: number): typeof net.connect =>
  ((options: net.TcpNetConnectOpts) => {
    const { host, port } = options;
    if (host !== address) return net.connect({ host: host as string, port });
    const socket = new net.Socket();
    const timer = setTimeout(() => socket.connect({ host: '127.0.0.1', port }), ms);
    socket.once('close', () => clearTimeout(timer));
    return socket;
  }) as typeof net.connect;

const found =
  (...addresses: string[]) =>
  () =>
    Promise.resolve(addresses);

void t.test('an address that refuses gives way to the next at once', async (t) => {
  const port = await listen(t, '127.0.0.2');
  const socket = await connectTo(found('127.0.0.1', '127.0.0.2'), { host: 'h', port, timeoutMs: 5000 }).socket;
  t.equal(socket.remoteAddress, '127.0.0.2');
  socket.destroy();
});

void t.test('an address that is slow to answer is not given up for another that refuses or is silent', async (t) => {
  const port = await listen(t, '127.0.0.1');
  const open = slow('192.0.2.1', 700);
  for (const addresses of [['192.0.2.1'], ['192.0.2.1', '127.0.0.2'], ['127.0.0.2', '192.0.2.1', '127.0.0.3']]) {
    const socket = await connectTo(found(...addresses), { host: 'h', port, timeoutMs: 5000, open }).socket;
    t.equal(socket.remoteAddress, '127.0.0.1', addresses.join());
    socket.destroy();
  }
});

void t.test('the first that answers wins, and the others are closed', async (t) => {
  const port = await listen(t, '127.0.0.1');
  const opened: net.Socket[] = [];
  const open = ((options: net.TcpNetConnectOpts) => {
    const socket = slow('192.0.2.1', 60_000)(options);
    opened.push(socket);
    return socket;
  }) as typeof net.connect;
  const addresses = found('192.0.2.1', '127.0.0.1');
  const socket = await connectTo(addresses, { host: 'h', port, timeoutMs: 5000, open }).socket;
  t.equal(socket.remoteAddress, '127.0.0.1');
  t.equal(opened.length, 2);
  t.ok(opened.every((other) => other === socket || other.destroyed));
  socket.destroy();
});

void t.test('all that failed is told, by address, under the code of the first', async (t) => {
  const port = await listen(t, '127.0.0.9');
  const { socket } = connectTo(found('127.0.0.1', '127.0.0.2'), { host: 'h', port, timeoutMs: 5000 });
  const error = await socket.then(
    () => t.fail('connected'),
    (reason: unknown) => reason,
  );
  t.match(error, { code: 'ECONNREFUSED', message: new RegExp(`127.0.0.1:${port}.*127.0.0.2:${port}`) });
});

void t.test('time runs out for all of it, the lookup included', async (t) => {
  const never = () => new Promise<never>(() => undefined);
  await t.rejects(connectTo(never, { host: 'h.example', port: 80, timeoutMs: 30 }).socket, {
    code: 'ETIMEDOUT',
    message: /lookup of h\.example/,
  });
  const open = slow('192.0.2.1', 60_000);
  await t.rejects(connectTo(found('192.0.2.1'), { host: 'h', port: 80, timeoutMs: 30, open }).socket, {
    code: 'ETIMEDOUT',
    message: /connect to 192\.0\.2\.1/,
  });
});

void t.test('it can be given up', async (t) => {
  const open = slow('192.0.2.1', 60_000);
  const connecting = connectTo(found('192.0.2.1'), { host: 'h', port: 80, timeoutMs: 60_000, open });
  connecting.cancel();
  await t.rejects(connecting.socket, { code: 'ECONNABORTED' });
});

void t.test('a lookup that fails is the failure', async (t) => {
  const failure = Object.assign(new Error('no'), { code: 'ENOTFOUND' });
  await t.rejects(connectTo(() => Promise.reject(failure), { host: 'h', port: 80, timeoutMs: 500 }).socket, failure);
});
