import { EventEmitter, once } from 'node:events';
import type { FastifyReply } from 'fastify';
import t from 'tap';
import type { Caller } from '../../src/admin/operation.ts';
import { createRejectionStreams } from '../../src/admin/rejection-streams.ts';
import type { Rejection } from '../../src/observability/outcome.ts';
import { createRecentRejections } from '../../src/observability/recent-rejections.ts';

const CALLER: Caller = { who: 'session', session: 'abc' };
const rejection = { keyId: 'web', reason: 'ip_not_allowed' } as Rejection;

class FakeResponse extends EventEmitter {
  readonly written: string[] = [];
  writableLength = 0;
  ended: 'end' | 'destroy' | null = null;
  setHeader(): void {}
  writeHead(): void {}
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
  const streams = createRejectionStreams({ recent, isValid, heartbeatMs: 5 });
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

t.test('a reader that takes nothing is let go', async (t) => {
  const { raw, recent } = opened();
  recent.add(rejection);
  t.equal(raw.written.at(-1), `data: ${JSON.stringify(rejection)}\n\n`);
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
