import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import t from 'tap';
import { serveHalfClosed } from '../../src/data-port/half-closed.ts';
import { serveExchanges } from '../support/exchanges.ts';
import { RawClient } from '../support/upstream.ts';

void t.test('a client that has closed its side is asked whether it still reads, and then answered', async (t) => {
  const { port, server } = await serveExchanges(t, ({ res }) => void setTimeout(() => res.end('late'), 1500));
  serveHalfClosed(server);
  const client = new RawClient(t, port);
  client.socket.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
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
