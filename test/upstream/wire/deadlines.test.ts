import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import t from 'tap';
import { createDeadlines, type Timed } from '../../../src/upstream/wire/deadlines.ts';

void t.test('each is told when its time is over, and not before, as long as it is watched', async (t) => {
  let now = 0;
  const deadlines = createDeadlines(() => now);
  const told: string[] = [];
  const timed = (name: string, dueAt: number): Timed & { dueAt: number } => ({
    dueAt,
    onDue(at) {
      told.push(`${name} at ${at}`);
      this.dueAt = Number.POSITIVE_INFINITY;
      woken?.();
    },
  });
  let woken: (() => void) | null = null;
  // Its timer keeps no process alive.
  const alive = setInterval(() => undefined, 1_000);
  t.teardown(() => clearInterval(alive));
  const nextTold = (): Promise<void> => new Promise((resolve) => (woken = resolve));
  const early = timed('early', 1_000);
  const late = timed('late', 2_000);
  const forgotten = timed('forgotten', 1_000);
  for (const one of [early, late, forgotten, timed('never', Number.POSITIVE_INFINITY)]) deadlines.watch(one);
  deadlines.forget(forgotten);
  now = 999;
  late.dueAt = 999;
  await nextTold();
  t.strictSame(told, ['late at 999']);
  now = 1_000;
  await nextTold();
  t.strictSame(told, ['late at 999', 'early at 1000']);
});

void t.test('a loop that is held up reads what has come before it tells, and tells all the same', async (t) => {
  const deadlines = createDeadlines(() => performance.now());
  let peer: Socket | undefined;
  const server = createServer((accepted) => (peer = accepted).write('a'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.teardown(() => {
    socket.destroy();
    server.close();
  });
  await once(socket, 'readable');
  socket.read();
  const hold = (): void => {
    const until = performance.now() + 400;
    while (performance.now() < until);
  };
  const told: string[] = [];
  socket.on('data', (bytes) => told.push(`read ${bytes.toString()}`));
  const due = new Promise<void>((resolve) => {
    deadlines.watch({
      dueAt: performance.now(),
      onDue() {
        told.push('due');
        deadlines.forget(this);
        resolve();
      },
    });
  });
  peer?.write('b');
  // Every turn of it is late.
  const holding = setInterval(hold, 1);
  hold();
  await due;
  clearInterval(holding);
  t.strictSame(told, ['read b', 'due']);
});
