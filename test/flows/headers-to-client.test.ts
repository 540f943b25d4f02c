import t from 'tap';
import { startFlow, written } from '../support/flow.ts';

t.test('status, reason and headers of the backend, in its order and spelling, less hop-by-hop', async (t) => {
  const { raw } = await startFlow(t, {
    respond: (_req, res) =>
      void res
        .writeHead(207, 'Many Things', [
          'zEBRA',
          '1',
          'Set-Cookie',
          'a=1',
          'Set-Cookie',
          'b=2',
          'X-Hop',
          'x',
          'Connection',
          'X-Hop',
          'Keep-Alive',
          'timeout=1',
          'Proxy-Authenticate',
          'x',
          'X-Request-Id',
          'of-the-backend',
          'Postern-Removed-Events',
          '9',
          'Postern-X',
          'x',
          'Server',
          's',
          'x-latin',
          'caf\u00e9',
          'Content-Length',
          '2',
          'Location',
          'http://elsewhere.test/',
        ])
        .end(Buffer.from('ok')),
  });
  const answer = await raw(written({ fields: ['X-Request-Id: mine'], body: '{}' }));
  const lines = (answer.text.split('\r\n\r\n')[0] ?? '').split('\r\n');
  t.equal(lines[0], 'HTTP/1.1 207 Many Things');
  t.same(
    lines.slice(1).filter((line) => !/^(?:date|connection|keep-alive):/i.test(line)),
    [
      'zEBRA: 1',
      'Set-Cookie: a=1',
      'Set-Cookie: b=2',
      'Server: s',
      'x-latin: caf\u00e9',
      'Content-Length: 2',
      'Location: http://elsewhere.test/',
      'X-Request-Id: mine',
    ],
  );
  t.equal(answer.body, 'ok');
  t.equal(answer.text.match(/^date:/gim)?.length, 1);
});

t.test('redirects, errors, 204 and 304 are passed on as they are', async (t) => {
  const { raw, backend } = await startFlow(t, {
    respond: ({ url }, res) => {
      const status = Number(url.slice(1));
      if (status === 304) res.writeHead(304, { ETag: '"x"' }).end();
      else if (status === 204) res.writeHead(204).end();
      else res.writeHead(status, { Location: '/elsewhere', 'Content-Length': 4 }).end('body');
    },
  });
  for (const status of [200, 201, 204, 301, 304, 307, 400, 401, 403, 404, 418, 429, 500, 502, 503, 504]) {
    const answer = await raw(written({ method: 'GET', target: `/${status}` }));
    t.equal(answer.status, status);
    t.equal(answer.body, status === 204 || status === 304 ? '' : 'body');
  }
  t.equal(backend.requests.length, 16, 'nothing was followed or retried');
});
