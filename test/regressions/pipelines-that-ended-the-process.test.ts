/** What follows an answer that waits on its connection once met assertions of Node's own, which end the process. */
import t from 'tap';
import { SERVER_SECRET, startFlow, written } from '../support/flow.ts';
import { RawClient } from '../support/upstream.ts';

const get = (target: string): string => written({ method: 'GET', target }).toString('latin1');
const CONNECT = 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n';

t.test('a CONNECT behind requests that are not answered is refused after them', async (t) => {
  const { postern } = await startFlow(t, { respond: ({ url }, res) => void setTimeout(() => res.end(`<${url}>`), 20) });
  for (const before of [get('/profile/1'), get('/profile/0') + get('/profile/1')]) {
    const client = new RawClient(t, postern.port);
    client.write(before + CONNECT);
    await client.closed;
    t.match(client.text, /<\/profile\/1>HTTP\/1\.1 405 /);
  }
  const gone = new RawClient(t, postern.port);
  gone.write(get('/profile/1') + CONNECT);
  await sent(gone);
  gone.socket.resetAndDestroy();
  await gone.closed;
  const last = new RawClient(t, postern.port);
  last.write(get('/profile/2'));
  await last.until('</profile/2>');
});

/** Lets the event loop turn until what was sent on has certainly been met: nothing tells of it. */
async function turns(metric: (sample: string) => Promise<number>, until: () => boolean = () => true): Promise<void> {
  for (let i = 0; i < 20 || !until(); i += 1) await metric('postern_requests_in_flight{api="integration"}');
}

/** What was written is on its way. */
const sent = async (client: RawClient): Promise<void> => {
  while (client.socket.connecting || client.socket.writableLength > 0)
    await new Promise((resolve) => setImmediate(resolve));
};

t.test('a request behind an answer that waits and is large', async (t) => {
  for (const more of [1, 3]) {
    const waiting: (() => void)[] = [];
    const { postern, backend } = await startFlow(t, {
      respond: ({ url }, res) => {
        const answer = (): void => void res.end(url === '/profile/2' ? '2'.repeat(100_000) : `<${url}>`);
        if (url === '/profile/1') waiting.push(answer);
        else answer();
      },
    });
    const client = new RawClient(t, postern.port);
    client.write(get('/profile/1') + get('/profile/2'));
    await turns(postern.metric, () => backend.requests.length === 2);
    client.write(Array.from({ length: more }, (_, i) => get(`/profile/${i + 3}`)).join(''));
    await sent(client);
    await turns(postern.metric);
    waiting[0]?.();
    await client.until(`</profile/${more + 2}>`);
    t.match(client.text, /^HTTP\/1\.1 200 [^]*<\/profile\/1>HTTP\/1\.1 200 [^]*22HTTP\/1\.1 200 [^]*<\/profile\/3>/);
  }
});

t.test('what comes behind a last answer is no request, whatever waited behind that', async (t) => {
  const { postern, backend } = await startFlow(t, {
    // An answer without a length is the last one to a client that knows no chunks.
    respond: ({ url }, res) => {
      if (url === '/profile/1') res.write('x'.repeat(4_000_000), () => res.end());
    },
  });
  const client = new RawClient(t, postern.port);
  const old = `GET /profile/1 HTTP/1.0\r\nConnection: keep-alive\r\nHost: a\r\nAuthorization: Bearer ${SERVER_SECRET}\r\n\r\n`;
  client.write(old + get('/profile/2'));
  client.socket.on('data', () => client.write('GET /own HTTP/1.1\r\nHost: a\r\n\r\n'));
  await client.closed;
  t.notMatch(client.text, ' 401 ');
  t.ok(backend.requests.length <= 2);
});

t.test('bodies of many packets, one behind the other', async (t) => {
  const { postern } = await startFlow(t, { respond: ({ url, body }, res) => void res.end(`<${url} ${body.length}>`) });
  const lengths = [30_183, 41_159, 35_928, 73_027, 27_201, 45_758];
  for (let round = 0; round < lengths.length * 2; round += 1) {
    const client = new RawClient(t, postern.port);
    const bodies = [...lengths, ...lengths].slice(round % lengths.length, (round % lengths.length) + 5);
    const post = (length: number, i: number): string =>
      written({ target: `/a/${i}`, body: 'x'.repeat(length) }).toString('latin1') + get('/profile/1');
    client.write(bodies.map(post).join('') + get('/profile/last'));
    await client.until('</profile/last 0>');
    t.same(
      [...client.text.matchAll(/<\/a\/\d (\d+)>/g)].map(([, length]) => Number(length)),
      bodies,
    );
    client.socket.destroy();
  }
});
