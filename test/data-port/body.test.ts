import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import t from 'tap';
import { collectBody, type CollectedBody } from '../../src/data-port/body.ts';

/** Collects what is pushed; `ended` as a body ends, else as a client leaves. */
function collect(chunks: readonly string[], maxBytes: number, ended = true): Promise<CollectedBody[]> {
  const stream = new Readable({ read() {} });
  const results: CollectedBody[] = [];
  collectBody(stream as IncomingMessage, maxBytes, (body) => void results.push(body));
  for (const chunk of chunks) stream.push(chunk);
  if (ended) stream.push(null);
  else setImmediate(() => stream.destroy());
  return new Promise((resolve) => void stream.on('close', () => setImmediate(() => resolve(results))));
}

t.test('the whole body, once', async (t) => {
  t.same(await collect([], 10), [Buffer.alloc(0)]);
  t.same(await collect(['abc'], 3), [Buffer.from('abc')]);
  const many = Array.from({ length: 10_000 }, (_, n) => String(n));
  t.same(await collect(many, 100_000), [Buffer.from(many.join(''))]);
});

t.test('not more than it may have', async (t) => {
  t.same(await collect(['abc', 'd'], 3), ['too_large']);
  t.same(await collect(['abcd', 'e'], 3), ['too_large']);
});

t.test('a client that leaves, before or during', async (t) => {
  t.same(await collect(['abc'], 10, false), ['aborted']);
  const gone = new Readable({ read() {} }).destroy();
  const results: CollectedBody[] = [];
  collectBody(gone as IncomingMessage, 10, (body) => void results.push(body));
  t.same(results, ['aborted']);
});
