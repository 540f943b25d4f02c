import t from 'tap';
import zlib from 'node:zlib';
import { codeOf, EVENTS_SECRET, startFlow, written } from '../support/flow.ts';

const BATCH = '/event/ingest/batch';
const ALLOWED = '{"events":[{"name":"login"}]}';
const MIXED = '{"events":[{"name":"login"},{"name":"other"}]}';
/** In every spelling that somebody reads as one of them. */
const DIGESTS = [
  'Content-MD5: x',
  'Digest: x',
  'Content-Digest: x',
  'Repr-Digest: x',
  'Content_Digest: x',
  'repr.digest: x',
];
const BARE = {
  'content-encoding': undefined,
  'content-type': 'application/json',
  digest: undefined,
  'content-md5': undefined,
  'content-digest': undefined,
  'repr-digest': undefined,
  content_digest: undefined,
  'repr.digest': undefined,
};
const CODINGS = { gzip: zlib.gzipSync, deflate: zlib.deflateSync, br: zlib.brotliCompressSync } as const;

t.test('a compressed body is judged by what it holds', async (t) => {
  const { raw, backend } = await startFlow(t);
  const send = (coding: string, body: Buffer) =>
    raw(written({ secret: EVENTS_SECRET, target: BATCH, fields: [`Content-Encoding: ${coding}`, ...DIGESTS], body }));
  for (const [coding, compress] of Object.entries(CODINGS)) {
    const body = compress(ALLOWED);
    t.equal((await send(coding, body)).status, 204, coding);
    const whole = backend.requests.at(-1);
    t.equal(whole?.body.toString(), ALLOWED, 'nothing cut: decoded all the same');
    t.match(whole?.headers, { ...BARE, 'content-length': String(ALLOWED.length) });

    const cut = await send(coding, compress(MIXED));
    t.equal(cut.headers['postern-removed-events'], '1');
    const request = backend.requests.at(-1);
    t.equal(request?.body.toString(), ALLOWED, 'what is left goes uncompressed');
    t.match(request?.headers, { ...BARE, 'content-length': String(ALLOWED.length) });
    t.equal(codeOf(await send(coding, compress('{"events":[{"name":"other"}]}'))), 'event_not_allowed');
    t.equal(codeOf(await send(coding, body.subarray(0, -1))), 'invalid_json', 'cut off');
    t.equal(codeOf(await send(coding, Buffer.concat([body, Buffer.from('x')]))), 'invalid_json', 'something behind it');
  }
  t.equal(codeOf(await send('gzip', Buffer.from(ALLOWED))), 'invalid_json', 'not compressed at all');
  t.equal(backend.requests.length, 6);
});

t.test('a chunked body is decoded as well, and gets a length', async (t) => {
  const { raw, backend } = await startFlow(t);
  const body = zlib.gzipSync(ALLOWED);
  const fields = ['Content-Encoding: gzip', 'Transfer-Encoding: chunked'];
  const head = written({ secret: EVENTS_SECRET, target: BATCH, fields });
  const chunked = Buffer.concat([
    head,
    Buffer.from(`${body.length.toString(16)}\r\n`),
    body,
    Buffer.from('\r\n0\r\n\r\n'),
  ]);
  t.equal((await raw(chunked)).status, 204);
  t.equal(backend.requests[0]?.body.toString(), ALLOWED);
  t.match(backend.requests[0]?.headers, { 'content-length': String(ALLOWED.length), 'transfer-encoding': undefined });
});

t.test('`identity` is no coding: its field goes, and what describes the bytes stays', async (t) => {
  const { raw, backend } = await startFlow(t);
  const fields = ['Content-Encoding: IDENTITY', ...DIGESTS];
  t.equal((await raw(written({ secret: EVENTS_SECRET, target: BATCH, fields, body: ALLOWED }))).status, 204);
  t.equal(backend.requests[0]?.body.toString(), ALLOWED);
  t.match(backend.requests[0]?.headers, { 'content-encoding': undefined, digest: 'x', 'content-md5': 'x' });
});

t.test('report mode sends the body as it came, coding and all', async (t) => {
  const keys = [{ id: 'trial', type: 'write-only', secret: EVENTS_SECRET, allowedEvents: ['login'], mode: 'report' }];
  for (const options of [{ keys }, { api: { enforcement: 'report' } }]) {
    const { raw, backend } = await startFlow(t, options);
    for (const body of [zlib.gzipSync(ALLOWED), zlib.gzipSync(MIXED)]) {
      const fields = ['Content-Encoding: gzip', ...DIGESTS];
      t.equal((await raw(written({ secret: EVENTS_SECRET, target: BATCH, fields, body }))).status, 204);
      t.same(backend.requests.at(-1)?.body, body);
      t.match(backend.requests.at(-1)?.headers, { 'content-encoding': 'gzip', digest: 'x', 'content-type': undefined });
    }
  }
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
