import t from 'tap';
import { codeOf, EVENTS_SECRET, SERVER_SECRET, startFlow, written } from '../support/flow.ts';
import { parseAnswer } from '../support/raw-http.ts';
import { RawClient } from '../support/upstream.ts';

const head = (secret: string, ...fields: readonly string[]) =>
  written({ secret, fields: ['Expect: 100-continue', ...fields] }).toString('latin1');

t.test('100 Continue comes once the request may pass, and Expect goes no further', async (t) => {
  for (const secret of [SERVER_SECRET, EVENTS_SECRET]) {
    const { postern, backend } = await startFlow(t);
    const client = new RawClient(t, postern.port);
    client.write(head(secret, 'Content-Length: 16'));
    t.equal(await client.until('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n');
    client.write('{"name":"login"}');
    await client.until('HTTP/1.1 204');
    t.equal(backend.requests[0]?.body.toString(), '{"name":"login"}');
    t.equal(backend.requests[0]?.headers.expect, undefined);
  }
});

t.test('what needs no body to be refused is refused instead', async (t) => {
  const { raw, backend } = await startFlow(t, { api: { maxBodyBytes: 100 } });
  const cases: readonly (readonly [string, string])[] = [
    ['invalid_credential', head('no-such-secret-anywhere', 'Content-Length: 5')],
    ['body_too_large', head(SERVER_SECRET, 'Content-Length: 101')],
    ['browser_not_allowed', head(SERVER_SECRET, 'Content-Length: 5', 'Origin: https://a.example')],
    ['unsupported_media_type', head(EVENTS_SECRET, 'Content-Length: 5', 'Content-Type: text/html')],
    ['unsupported_encoding', head(EVENTS_SECRET, 'Content-Length: 5', 'Content-Encoding: x')],
    ['malformed_request', head(SERVER_SECRET, 'Content-Length: 5', 'Transfer-Encoding: chunked')],
    ['expectation_failed', head(SERVER_SECRET, 'Content-Length: 5').replace('100-continue', 'miracles')],
  ];
  for (const [code, bytes] of cases) {
    const answer = await raw(bytes, { untilClose: true });
    t.notMatch(answer.text, '100 Continue', code);
    t.same([codeOf(answer), answer.headers['connection'], answer.closed], [code, 'close', true]);
  }
  t.equal(backend.requests.length, 0);
});

t.test('HTTP/1.0 knows no 100', async (t) => {
  const { raw } = await startFlow(t);
  const bytes = `${head(SERVER_SECRET, 'Content-Length: 2').replace('HTTP/1.1', 'HTTP/1.0')}{}`;
  const answer = await raw(bytes, { untilClose: true });
  t.match(parseAnswer(answer.text, true), { status: 204 });
});

t.test('behind others on its connection, 100 Continue waits for its turn', async (t) => {
  const { postern } = await startFlow(t, { respond: ({ url }, res) => void setTimeout(() => res.end(`<${url}>`), 20) });
  const client = new RawClient(t, postern.port);
  const get = written({ method: 'GET', target: '/profile/1' }).toString('latin1');
  client.write(get + head(SERVER_SECRET, 'Content-Length: 2'));
  await client.until(' 100 Continue\r\n\r\n');
  t.match(client.text, /<\/profile\/1>HTTP\/1\.1 100 Continue\r\n\r\n$/);
  client.write('{}');
  await client.until('</event/ingest>');
  t.match(client.text, /100 Continue\r\n\r\nHTTP\/1\.1 200 /);
});

t.test('a body that is there by then needs none, nor does it stand in the answer', async (t) => {
  const { postern } = await startFlow(t, { respond: ({ url }, res) => void setTimeout(() => res.end(`<${url}>`), 20) });
  const client = new RawClient(t, postern.port);
  const get = written({ method: 'GET', target: '/profile/1' }).toString('latin1');
  const post = `${head(SERVER_SECRET, 'Content-Length: 2')}{}`;
  client.write(get + post + post + get.replace('/1', '/last'));
  await client.until('</profile/last>');
  t.notMatch(client.text, '100 Continue');
  t.same(
    [...client.text.matchAll(/\r\n\r\n<(.*?)>/g)].map(([, url]) => url),
    ['/profile/1', '/event/ingest', '/event/ingest', '/profile/last'],
  );
});
