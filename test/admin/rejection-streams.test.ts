import { EventEmitter, once } from 'node:events';
import type { FastifyReply } from 'fastify';
import t from 'tap';
import type { Caller } from '../../src/admin/operation.ts';
import type { AdminProblem } from '../../src/admin/problem.ts';
import { createRejectionStreams } from '../../src/admin/rejection-streams.ts';
import type { Rejection } from '../../src/observability/outcome.ts';
import { createRecentRejections } from '../../src/observability/recent-rejections.ts';
import { EDITOR } from '../support/admin-client.ts';
import { catchTimers } from '../support/timers.ts';

const CALLER: Caller = { token: EDITOR, session: { name: 'abc', endsAt: 0, token: EDITOR } };
const rejection = { keyId: 'web', reason: 'ip_not_allowed' } as Rejection;

class FakeResponse extends EventEmitter {
  readonly written: string[] = [];
  writableLength = 0;
  ended: 'end' | 'destroy' | null = null;
  readonly head: [string, unknown][] = [];
  setHeader(name: string, value: unknown): void {
    this.head.push([name, value]);
  }
  writeHead(status: number, headers: Record<string, string>): void {
    this.head.push([String(status), ''], ...Object.entries(headers));
  }
  write(text: string): void {
    this.written.push(text);
    this.emit('written');
  }
  end(): void {
    this.ended ??= 'end';
    this.emit('close');
  }
  destroy(): void {
    this.ended ??= 'destroy';
    this.emit('close');
  }
}

function opened(isValid: () => boolean = () => true) {
  const recent = createRecentRejections();
  const streams = createRejectionStreams({ recent, isValid, heartbeatMs: 5, gatherMs: 1 });
  const raw = new FakeResponse();
  const reply = { raw, hijack: () => undefined, getHeaders: () => ({}) } as unknown as FastifyReply;
  const refused = streams.open({}, CALLER, reply);
  return { recent, streams, raw, refused };
}

t.test('begins by saying when to come back, and beats', async (t) => {
  const { raw, streams, refused } = opened();
  t.equal(refused, null);
  t.same(raw.written, ['retry: 2000\n\n']);
  const alive = setInterval(() => undefined, 1000);
  await once(raw, 'written');
  clearInterval(alive);
  t.equal(raw.written[1], ':\n\n');
  streams.close();
  t.equal(raw.ended, 'end');
});

const EVENT = `data: ${JSON.stringify(rejection)}\n\n`;

t.test('what comes within a moment is written together', async (t) => {
  const { raw, recent, streams } = opened();
  const alive = setInterval(() => undefined, 1000);
  recent.add(rejection);
  recent.add(rejection);
  t.equal(raw.written.length, 1, 'they wait for others');
  while (!raw.written.at(-1)?.startsWith('data')) await once(raw, 'written');
  clearInterval(alive);
  t.equal(raw.written.at(-1), EVENT + EVENT);
  streams.close();
});

t.test('a flood is written before it takes much memory', async (t) => {
  const { raw, recent, streams } = opened();
  for (let n = 0; n < 499; n++) recent.add(rejection);
  t.equal(raw.written.length, 1);
  recent.add(rejection);
  t.equal(raw.written.at(-1), EVENT.repeat(500));
  streams.close();
  recent.add(rejection);
  t.equal(raw.written.length, 2);
});

t.test('a reader that takes nothing is let go', async (t) => {
  const { raw, recent } = opened();
  raw.writableLength = 1024 * 1024;
  recent.add(rejection);
  t.equal(raw.ended, 'destroy');
  const length = raw.written.length;
  recent.add(rejection);
  t.equal(raw.written.length, length);
});

t.test('ends with the session that opened it', async (t) => {
  let valid = true;
  const { raw } = opened(() => valid);
  const alive = setInterval(() => undefined, 1000);
  await once(raw, 'written');
  valid = false;
  await once(raw, 'close');
  clearInterval(alive);
  t.equal(raw.ended, 'end');
});

t.test('when tokens change, a stream whose reader may not read any more ends at once, and no other', async (t) => {
  let valid = true;
  const { raw, streams } = opened(() => valid);
  streams.endInvalid();
  t.equal(raw.ended, null);
  valid = false;
  streams.endInvalid();
  t.equal(raw.ended, 'end');
  streams.endInvalid();
});

/** A stream of which the heartbeat runs when it is told to. */
function stopped(follow = createRecentRejections().follow, isValid = () => true) {
  const raw = new FakeResponse();
  let hijacked = 0;
  const headers = { 'x-content-type-options': 'nosniff', 'x-undefined': undefined };
  const reply = { raw, hijack: () => hijacked++, getHeaders: () => headers } as unknown as FastifyReply;
  const streams = createRejectionStreams({ recent: { follow }, isValid });
  let refused: AdminProblem | null = null;
  const timers = catchTimers(() => void (refused = streams.open({}, CALLER, reply)));
  return { raw, streams, timers, refused: refused as AdminProblem | null, hijacked };
}

t.test('no proxy may hold back or change what is streamed, and the guards of the page hold for it too', async (t) => {
  const { raw, timers, hijacked } = stopped();
  t.equal(hijacked, 1, 'the framework answers no more');
  t.same(Object.fromEntries(raw.head), {
    'x-content-type-options': 'nosniff',
    '200': '',
    'content-type': 'text/event-stream',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
  });
  t.same(
    timers.map(({ ms }) => ms),
    [15_000],
    'it beats before a proxy would close it',
  );
  timers[0]?.run();
  t.equal(raw.written.at(-1), ':\n\n');
});

t.test('where too many read, nothing begins', async (t) => {
  const { refused, raw, hijacked, timers } = stopped(() => null);
  t.equal(refused?.code, 'too_many_followers');
  t.same([raw.written, raw.head, hijacked, timers.length], [[], [], 0, 0]);
});

t.test('a reader that leaves is not followed any longer, and takes up no place', async (t) => {
  const recent = createRecentRejections();
  const { raw } = stopped(recent.follow);
  raw.emit('close');
  const { length } = raw.written;
  recent.add(rejection);
  t.equal(raw.written.length, length);
  for (let n = 0; n < 100; n++) stopped(recent.follow).raw.emit('close');
  t.equal(stopped(recent.follow).refused, null);
});

t.test('as much as the bound may wait, and only what is asked for is sent', async (t) => {
  const { raw, recent } = opened();
  raw.writableLength = 256 * 1024;
  recent.add(rejection);
  t.equal(raw.ended, null);
  raw.writableLength += 1;
  recent.add(rejection);
  t.equal(raw.ended, 'destroy');
});

t.test('an event waits a fifth of a second for others, once for all of them', async (t) => {
  const recent = createRecentRejections();
  const { raw, streams } = stopped(recent.follow);
  const add = (count: number) =>
    catchTimers(() => {
      for (let n = 0; n < count; n++) recent.add(rejection);
    });
  const [due, ...others] = add(3);
  t.same([due?.ms, others], [200, []]);
  const before = raw.written.length;
  due?.run();
  t.same(raw.written.slice(before), [EVENT.repeat(3)]);
  t.same(
    add(1).map(({ ms }) => ms),
    [200],
    'the next one waits anew',
  );
  streams.close();
});
