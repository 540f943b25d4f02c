import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import t from 'tap';
import { WriteWatch } from '../../../src/upstream/wire/failed-writes.ts';
import { socketBackend } from '../../support/upstream.ts';

void t.test('only the first write of a request that fails within the call has sent nothing', async (t) => {
  const { path, sockets } = await socketBackend(t, () => undefined);
  for (const [writes, encrypted, told] of [
    ['first', false, 'nothing sent'],
    ['first, corked', false, 'nothing sent'],
    ['second', false, 'failed'],
    ['first', true, 'failed'],
  ] as const) {
    const socket = net.connect(path).on('error', () => undefined);
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    if (encrypted) Object.assign(socket, { encrypted });
    let heard = '';
    const watch = new WriteWatch(socket, {
      onWriteFailed: () => (heard = 'failed'),
      onNothingSent: () => (heard = 'nothing sent'),
    });
    watch.expectRequest();
    if (writes === 'second') await new Promise((resolve) => socket.write('a', resolve));
    else while (!sockets.some((one) => !one.destroyed)) await new Promise(setImmediate);
    const other = sockets.at(-1) as Socket;
    other.destroy();
    await once(other, 'close');
    if (writes === 'first, corked') socket.cork();
    socket.write('b');
    socket.write('c');
    socket.uncork();
    t.equal(heard, told, `${writes} ${encrypted ? 'encrypted' : ''}`);
  }
});

void t.test('a first write that fails later may have sent something', async (t) => {
  for (const [later, told] of [
    [false, 'nothing sent'],
    [true, 'failed'],
  ] as const) {
    const fail = (_chunk: unknown, _encoding: unknown, done: (error: Error) => void): void => {
      if (later) setImmediate(done, new Error('late'));
      else done(new Error('at once'));
    };
    const socket = new Duplex({ write: fail, read: () => undefined }).on('error', () => undefined);
    const heard = new Promise((resolve) => {
      const watch = new WriteWatch(socket as Socket, {
        onWriteFailed: () => resolve('failed'),
        onNothingSent: () => resolve('nothing sent'),
      });
      watch.expectRequest();
    });
    socket.write('a');
    t.equal(await heard, told);
    socket.destroy();
  }
});
