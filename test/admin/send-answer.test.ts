import Fastify from 'fastify';
import t from 'tap';
import type { Answer } from '../../src/admin/operation.ts';
import { problem } from '../../src/admin/problem.ts';
import { send, sendRead } from '../../src/admin/send-answer.ts';

/** What is sent for an answer to something that was read, or changed. */
async function sent(answer: Answer, { read = true, ifNoneMatch }: { read?: boolean; ifNoneMatch?: string } = {}) {
  const server = Fastify();
  server.get('/', async (request, reply) => (read ? sendRead(request, reply, answer) : send(reply, answer)));
  const { statusCode, headers, body } = await server.inject({
    url: '/',
    headers: ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch },
  });
  const { etag, 'content-type': type, 'cache-control': cacheControl } = headers;
  return { status: statusCode, etag, type, cacheControl, body };
}

const JSON_TYPE = 'application/json; charset=utf-8';

t.test('what was read has a tag of its text, by which it is not sent again', async (t) => {
  const first = await sent({ status: 200, body: { a: 1 } });
  t.match(first, { status: 200, type: JSON_TYPE, body: '{"a":1}', cacheControl: undefined });
  t.match(first.etag, /^"[0-9a-f]{32}"$/);
  t.equal((await sent({ status: 200, body: { a: 1 } })).etag, first.etag);
  t.not((await sent({ status: 200, body: { a: 2 } })).etag, first.etag);
  const ifNoneMatch = String(first.etag);
  const again = await sent({ status: 200, body: { a: 1 } }, { ifNoneMatch });
  t.match([again.status, again.etag], [304, ifNoneMatch]);
  t.equal(again.body, '');
  t.equal((await sent({ status: 200, body: { a: 2 } }, { ifNoneMatch })).status, 200);
});

t.test(
  'a tag that comes with an answer is its tag; one on which a change is based is not to be transformed',
  async (t) => {
    const tagged = await sent({ status: 200, body: {}, tag: '"t"' });
    t.match([tagged.etag, tagged.cacheControl], ['"t"', undefined]);
    const based = await sent({ status: 200, body: {}, headers: { etag: '"own"' }, tag: '"t"' });
    t.match([based.etag, based.cacheControl], ['"own"', 'no-store, no-transform']);
    const same = await sent({ status: 200, body: {}, headers: { etag: '"own"' } }, { ifNoneMatch: '"own"' });
    t.match([same.status, same.etag, same.cacheControl], [304, '"own"', 'no-store, no-transform']);
    const told = await sent({ status: 304, tag: '"t"' });
    t.match([told.status, told.etag, told.type], [304, '"t"', undefined]);
    t.equal(told.body, '');
  },
);

t.test('what is written in parts comes whole, as JSON, with its tag', async (t) => {
  async function* parts() {
    yield '{"keys":[';
    yield '1]}';
  }
  t.match(await sent({ status: 200, parts: parts(), tag: '"t"' }), {
    status: 200,
    type: JSON_TYPE,
    etag: '"t"',
    body: '{"keys":[1]}',
  });
});

t.test('a problem and whatever was changed have no tag but their own', async (t) => {
  for (const read of [true, false]) {
    const refused = await sent(problem('not_found', 'Nothing.'), { read });
    t.match([refused.status, refused.type, refused.etag], [404, 'application/problem+json; charset=utf-8', undefined]);
    t.same(JSON.parse(refused.body), {
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      code: 'not_found',
      detail: 'Nothing.',
    });
  }
  const made = await sent({ status: 201, body: { a: 1 }, headers: { etag: '"own"' } }, { read: false });
  t.match(made, { status: 201, etag: '"own"', cacheControl: 'no-store, no-transform', body: '{"a":1}' });
  t.match(await sent({ status: 201, body: {} }), { status: 201, etag: undefined });
  const broken = { ...problem('malformed_definition', 'Odd.'), headers: { etag: '"odd"' } };
  t.match(await sent(broken), { status: 409, etag: '"odd"', cacheControl: 'no-store, no-transform' });
});
