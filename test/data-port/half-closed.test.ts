import { EventEmitter, once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import t from 'tap';
import { serveHalfClosed } from '../../src/data-port/half-closed.ts';
import { serveExchanges } from '../support/exchanges.ts';
import { catchTimers, type CaughtTimer } from '../support/timers.ts';
import { RawClient } from '../support/upstream.ts';

/** How long a client is waited for, and its reset. */
const OWN = [1000, 100];

void t.test('a client that has closed its side is asked whether it still reads, and then answered', async (t) => {
  const made: NodeJS.Timeout[] = [];
  const { setTimeout: real } = globalThis;
  const noted = (run: () => void, ms = 0): NodeJS.Timeout => {
    const timer = real(run, ms);
    if (OWN.includes(ms)) made.push(timer);
    return timer;
  };
  Object.assign(globalThis, { setTimeout: noted });
  t.teardown(() => Object.assign(globalThis, { setTimeout: real }));
  const answers: ServerResponse[] = [];
  const { port, server } = await serveExchanges(t, ({ res }) => void answers.push(res));
  serveHalfClosed(server);
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = new RawClient(t, port);
  const [socket] = await accepted;
  client.socket.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(socket, 'end');
  t.same(
    made.map((timer) => timer.hasRef()),
    [false],
    'the wait keeps no process alive',
  );
  await client.until('102 Processing');
  t.same(
    made.map((timer) => timer.hasRef()),
    [false, false],
    'nor that behind the question',
  );
  answers[0]?.end('late');
  await client.closed;
  t.match(client.text, /^(?:HTTP\/1\.1 102 Processing\r\n\r\n)+HTTP\/1\.1 200 OK\r\n[^]*late/);
});

void t.test('one of HTTP/1.0 is not asked: it does not know the question', async (t) => {
  const { port, server } = await serveExchanges(t, ({ res }) => void setTimeout(() => res.end('late'), 1500));
  serveHalfClosed(server);
  const client = new RawClient(t, port);
  client.socket.end('GET / HTTP/1.0\r\n\r\n');
  await client.closed;
  t.match(client.text, /^HTTP\/1\.1 200 OK\r\n[^]*late/);
});

void t.test('one that is gone is found out, before its answer and within it', async (t) => {
  for (const begin of [false, true]) {
    const answers: ServerResponse[] = [];
    const { port, server } = await serveExchanges(t, ({ res }) => {
      answers.push(res);
      if (begin) res.write('a piece');
    });
    serveHalfClosed(server);
    const client = new RawClient(t, port);
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    if (begin) await client.until('a piece');
    while (answers.length === 0) await new Promise(setImmediate);
    client.socket.destroy();
    await once(answers[0] as ServerResponse, 'close');
    t.notOk(answers[0]?.writableFinished);
  }
});

interface Answer {
  headersSent: boolean;
  writableFinished: boolean;
  socket: object | null;
  asked: number;
  writeProcessing: () => void;
  req: { httpVersionMinor: number };
}

/** A connection whose client has closed its side, with this answer under way, and the timer of the first look at it. */
function ended(change: Partial<Answer> | null) {
  const server = new EventEmitter();
  serveHalfClosed(server as unknown as Server);
  const answer: Answer = {
    headersSent: false,
    writableFinished: false,
    socket: {},
    asked: 0,
    writeProcessing: () => void (answer.asked += 1),
    req: { httpVersionMinor: 1 },
    ...change,
  };
  const socket = Object.assign(new EventEmitter(), {
    destroyed: false,
    bytesWritten: 100,
    _httpMessage: change === null ? null : answer,
    destroy: () => void (socket.destroyed = true),
  });
  server.emit('connection', socket);
  const [first] = catchTimers(() => socket.emit('end'));
  const next = (timer: CaughtTimer | undefined) => catchTimers(() => timer?.run());
  return { socket, answer, first, next };
}

void t.test('a connection that is over, or on which all is answered, is not looked at again', async (t) => {
  for (const change of [null, { writableFinished: true }]) {
    const { first, next, answer } = ended(change);
    t.equal(first?.ms, 1000);
    t.same([next(first).length, answer.asked], [0, 0]);
  }
  const { first, next, answer, socket } = ended({});
  socket.destroyed = true;
  t.same([next(first).length, answer.asked], [0, 0]);
});

void t.test('a client that waits is asked twice in a row, and less and less often', async (t) => {
  const { first, next, answer } = ended({});
  const [again] = next(first);
  t.same([answer.asked, again?.ms], [1, 100]);
  const [second] = next(again);
  t.same([answer.asked, second?.ms], [2, 2000]);
  const [third] = next(second);
  const [fourth] = next(third);
  t.same([answer.asked, third?.ms, fourth?.ms], [4, 100, 4000]);
});

void t.test('an answer that begins between two questions ends them', async (t) => {
  for (const begun of [{ headersSent: true }, { socket: null }]) {
    const { first, next, answer, socket } = ended({});
    const [again] = next(first);
    Object.assign(answer, begun);
    next(again);
    t.equal(answer.asked, 1);
    t.equal(socket.destroyed, false);
  }
  const { first, next, answer, socket } = ended({});
  const [again] = next(first);
  Object.assign(socket, { _httpMessage: null });
  next(again);
  t.equal(answer.asked, 1);
});

void t.test('who cannot be asked is looked at again, and not given up', async (t) => {
  for (const change of [{ socket: null }, { req: { httpVersionMinor: 0 } }]) {
    const { first, next, answer, socket } = ended(change);
    const [second] = next(first);
    const [third] = next(second);
    t.same([answer.asked, second?.ms, third?.ms, socket.destroyed], [0, 1000, 1000, false]);
  }
});

void t.test('an answer that goes on is waited for, and one that stands still is broken off', async (t) => {
  const { first, next, answer, socket } = ended({ headersSent: true });
  const [second] = next(first);
  t.same([second?.ms, socket.destroyed], [1000, false], 'the first look only takes note');
  socket.bytesWritten += 1;
  const [third] = next(second);
  t.same([third?.ms, socket.destroyed], [1000, false]);
  t.same([next(third).length, socket.destroyed, answer.asked], [0, true, 0]);
});

void t.test('over TLS the inner connection is watched as well', async (t) => {
  const server = new EventEmitter();
  serveHalfClosed(server as unknown as Server);
  t.equal((server as unknown as { httpAllowHalfOpen: boolean }).httpAllowHalfOpen, true);
  const socket = new EventEmitter();
  server.emit('secureConnection', socket);
  t.equal(catchTimers(() => socket.emit('end')).length, 1);
  t.equal(catchTimers(() => socket.emit('end')).length, 0, 'once');
});
