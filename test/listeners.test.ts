import type { Server } from 'node:http';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import t from 'tap';
import { closeInTime, openConnections, openPort } from '../src/listeners.ts';

const failing = (code: string) => Promise.reject(Object.assign(new Error(`listen ${code}`), { code }));

t.test('a port that cannot be opened: the field, what to do, and the value', async (t) => {
  const at = { host: '127.0.0.1', port: 80 };
  for (const [code, said] of [
    ['EADDRINUSE', /^admin\.port cannot be used \(EADDRINUSE\): .* stop it or choose another port: 127\.0\.0\.1:80$/],
    ['EACCES', /^admin\.port cannot be used \(EACCES\): .* a port from 1024 on.*: 127\.0\.0\.1:80$/],
    ['EADDRNOTAVAIL', /^admin\.host cannot be used \(EADDRNOTAVAIL\): .*no such address.*: "127\.0\.0\.1"$/],
    ['ENOTFOUND', /^admin\.host cannot be used/],
    ['EAFNOSUPPORT', /^admin\.host cannot be used/],
    ['ENOTSUP', /^admin\.port cannot be used .*listen\.reusePort: false/],
  ] as const)
    await t.rejects(
      openPort('admin', at, () => failing(code)),
      { message: said },
    );
});

t.test('what is no fault of a host or port is told as it is', async (t) => {
  await t.rejects(
    openPort('listen', { host: '::', port: 1 }, () => failing('EMFILE')),
    { message: 'listen EMFILE' },
  );
  await t.rejects(
    openPort('listen', { host: null, port: null }, () => failing('EACCES')),
    { message: 'listen EACCES' },
  );
  await t.rejects(
    openPort('listen', { host: '::', port: 1 }, () => Promise.reject(new Error('ended'))),
    {
      message: 'ended',
    },
  );
  t.same(await openPort('listen', { host: '::', port: 1, more: 1 }, async (at) => at), { host: '::', port: 1 });
});

t.test('connections are counted as they are', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  t.equal(await openConnections(server), 0);
  const accepted = once(server, 'connection') as Promise<[net.Socket]>;
  const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = await accepted;
  t.equal(await openConnections(server), 1);
  client.destroy();
  socket.destroy();
});

t.test('a shutdown cuts connections after the grace, and waits no longer for what hangs', async (t) => {
  const cut: number[] = [];
  const server = { closeAllConnections: () => cut.push(1) } as unknown as Server;
  const left: number[] = [];
  const closing = (closeAll: (leftMs: () => number) => Promise<void>) => ({ graceMs: 0, monotonic: () => 5, closeAll });
  const quick = closing(async (leftMs) => void left.push(leftMs()));
  t.same([await closeInTime(server, quick), cut, left], [true, [], [500]]);
  t.equal(
    await closeInTime(
      server,
      closing(() => new Promise(() => {})),
    ),
    false,
  );
  t.same(cut, [1]);
});
