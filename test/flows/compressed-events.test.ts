import t from 'tap';
import zlib from 'node:zlib';
import { codeOf, EVENTS_SECRET, startFlow, written } from '../support/flow.ts';

const BATCH = '/event/ingest/batch';
const ALLOWED = '{"events":[{"name":"login"}]}';
const MIXED = '{"events":[{"name":"login"},{"name":"other"}]}';
const CODINGS = { gzip: zlib.gzipSync, deflate: zlib.deflateSync, br: zlib.brotliCompressSync } as const;

t.test('a compressed body is judged by what it holds', async (t) => {
  const { raw, backend } = await startFlow(t);
  const send = (coding: string, body: Buffer) =>
    raw(written({ secret: EVENTS_SECRET, target: BATCH, fields: [`Content-Encoding: ${coding}`], body }));
  for (const [coding, compress] of Object.entries(CODINGS)) {
    const body = compress(ALLOWED);
    t.equal((await send(coding, body)).status, 204, coding);
    t.same(backend.requests.at(-1)?.body, body, 'nothing cut: the original bytes');
    t.equal(backend.requests.at(-1)?.headers['content-encoding'], coding);

    const cut = await send(coding, compress(MIXED));
    t.equal(cut.headers['postern-removed-events'], '1');
    const request = backend.requests.at(-1);
    t.equal(request?.body.toString(), ALLOWED, 'what is left goes uncompressed');
    t.equal(request?.headers['content-encoding'], undefined);
    t.equal(request?.headers['content-length'], String(ALLOWED.length));
    t.equal(codeOf(await send(coding, compress('{"events":[{"name":"other"}]}'))), 'event_not_allowed');
    t.equal(codeOf(await send(coding, body.subarray(0, -1))), 'invalid_json', 'cut off');
    t.equal(codeOf(await send(coding, Buffer.concat([body, Buffer.from('x')]))), 'invalid_json', 'something behind it');
  }
  t.equal(codeOf(await send('gzip', Buffer.from(ALLOWED))), 'invalid_json', 'not compressed at all');
  t.equal(backend.requests.length, 6);
});

t.test('the decoded size counts', async (t) => {
  const { raw, backend } = await startFlow(t, { api: { maxBodyBytes: 10_000 } });
  const bomb = zlib.gzipSync(`{"events":[],"x":"${'a'.repeat(1_000_000)}"}`);
  t.ok(bomb.length < 10_000);
  const answer = await raw(
    written({ secret: EVENTS_SECRET, target: BATCH, fields: ['Content-Encoding: gzip'], body: bomb }),
  );
  t.same([answer.status, codeOf(answer)], [413, 'body_too_large']);
  t.equal(backend.requests.length, 0);
});
