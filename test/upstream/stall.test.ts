import { EventEmitter, once } from 'node:events';
import http, { type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { breakOffWhenStalled } from '../../src/upstream/stall.ts';
import { RawClient } from '../support/upstream.ts';

const IDLE_MS = 1234;

/** Time passes when the test says so: `tick` is one idle time. `watches` counts those that still look. */
function clock(t: Test) {
  const timers = new Map<object, () => void>();
  const all: { everyMs: number; held: boolean }[] = [];
  const setInterval = (run: () => void, everyMs: number) => {
    const timer = { everyMs, held: true, unref: () => Object.assign(timer, { held: false }) };
    timers.set(timer, run);
    all.push(timer);
    return timer;
  };
  t.intercept(globalThis, 'setInterval', { value: setInterval });
  t.intercept(globalThis, 'clearInterval', { value: (timer: object) => timers.delete(timer) });
  return { all, tick: () => timers.forEach((run) => run()), watches: () => timers.size };
}

/** An answer on a connection whose state the test sets: by default something waits to be sent. */
function answerOn(change: Record<string, unknown> = {}) {
  const handle = { writeQueueSize: 10 };
  const socket = { writableLength: 10, bytesWritten: 0, bytesRead: 0, _handle: handle, ...change };
  const answer = Object.assign(new EventEmitter(), {
    socket: socket as typeof socket | null,
    req: { socket: new EventEmitter() },
    destroyed: 0,
    destroy: () => void (answer.destroyed += 1),
  });
  breakOffWhenStalled(answer as unknown as ServerResponse, IDLE_MS);
  return { answer, socket, handle };
}

t.test('an answer of which nothing is taken for one idle time is broken off', async (t) => {
  const { tick, all } = clock(t);
  const { answer } = answerOn();
  t.equal(answer.destroyed, 0);
  tick();
  t.equal(answer.destroyed, 1);
  t.match(all, [{ everyMs: IDLE_MS, held: false }], 'and the process may end while it is watched');
});

t.test('what the client sends does not keep its answer', async (t) => {
  const { tick } = clock(t);
  const { answer, socket } = answerOn();
  socket.bytesRead = 1000;
  tick();
  t.equal(answer.destroyed, 1);
});

const PROGRESS: Readonly<Record<string, (under: ReturnType<typeof answerOn>, n: number) => unknown>> = {
  'bytes written': ({ socket }) => (socket.bytesWritten += 1),
  'a shorter queue': ({ socket }) => (socket.writableLength -= 1),
  'part of one large write': ({ handle }) => (handle.writeQueueSize -= 1),
  'all, before there was more': ({ socket }, n) => (socket.writableLength = n % 2 === 0 ? 0 : 10),
};
for (const [what, take] of Object.entries(PROGRESS))
  t.test(`a client that takes something each time keeps its answer: ${what}`, async (t) => {
    const { tick } = clock(t);
    const under = answerOn();
    for (let n = 0; n < 6; n++) {
      take(under, n);
      tick();
    }
    const { answer, socket } = under;
    t.equal(answer.destroyed, 0);
    socket.writableLength = 10;
    for (let n = 0; n < 2; n++) tick();
    t.ok(answer.destroyed > 0, 'until it stops');
  });

t.test('an answer that has no connection, or nothing to send, waits for as long as it likes', async (t) => {
  const { tick } = clock(t);
  const { answer: behind, socket } = answerOn();
  behind.socket = null;
  const { answer: idle } = answerOn({ writableLength: 0 });
  for (let n = 0; n < 3; n++) tick();
  t.same([behind.destroyed, idle.destroyed], [0, 0]);
  behind.socket = socket;
  tick();
  t.equal(behind.destroyed, 0, 'its turn has only come');
  tick();
  t.equal(behind.destroyed, 1);
});

t.test('a connection without a handle, as one that is closing, is judged by what is left', async (t) => {
  const { tick } = clock(t);
  const { answer } = answerOn({ _handle: null });
  tick();
  t.equal(answer.destroyed, 1);
});

t.test('an answer whose connection is closed before its turn came is watched no longer', async (t) => {
  const { watches } = clock(t);
  const { answer } = answerOn();
  t.equal(watches(), 1);
  answer.req.socket.emit('close');
  t.equal(watches(), 0);
  t.same([answer.listenerCount('close'), answer.req.socket.listenerCount('close')], [0, 0]);
});

t.test('an answer that is over is watched no longer, on a connection that goes on', async (t) => {
  const { tick, watches } = clock(t);
  const server = http.createServer((_req, res) => {
    breakOffWhenStalled(res, IDLE_MS);
    res.end('whole');
    res.once('close', () => void res.req.socket.write('over'));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const client = new RawClient(t, (server.address() as AddressInfo).port);
  for (const overs of [1, 2]) {
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    while (client.text.split('over').length <= overs) await once(client.socket, 'data');
    t.equal(watches(), 0);
    for (let n = 0; n < 2; n++) tick();
  }
});
