/** The samples of docs/behind-a-proxy.md, with the real programs in front: who the client is, and that nothing is changed or held up. */
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { startFlow } from '../support/flow.ts';
import { PROXIES, startProxy } from '../support/proxies.ts';

/** Not the proxy's own: a client on another address of the loopback. */
const CLIENT = '127.0.0.2';
const KEY = { id: 'office', type: 'read-write', secret: 'secret-of-the-office-key', allowFrom: [CLIENT] };
const LARGE = Buffer.alloc(300_000, 'a');

interface Asked {
  readonly path?: string;
  readonly from?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

t.test('the samples run, tell who the client is, and change nothing', async (t) => {
  for (const [name, program] of Object.entries(PROXIES))
    await t.test(name, async (t) => {
      let finish = (): void => undefined;
      const { backend, postern } = await startFlow(t, {
        keys: [KEY],
        listen: { trustedProxies: ['127.0.0.1'] },
        respond: (req, res) => {
          if (req.url !== '/stream') return void res.writeHead(200).end(String(req.body.length));
          res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n');
          finish = () => res.end('data: last\n\n');
        },
      });
      const port = await startProxy(t, program, postern.port);
      const ask = async ({ path = '/', from = CLIENT, headers = {}, body }: Asked): Promise<IncomingMessage> => {
        const req = http.request({
          host: '127.0.0.1',
          port,
          path,
          method: body === undefined ? 'GET' : 'POST',
          localAddress: from,
          agent: false,
          headers: { host: 'api.test', authorization: `Bearer ${KEY.secret}`, ...headers },
        });
        req.end(body);
        const [res] = (await once(req, 'response')) as [IncomingMessage];
        return res;
      };
      const seen = () => backend.requests.at(-1);

      const answer = await ask({ path: '/v1/caf%C3%A9?a=%2F&b=1' });
      t.equal(answer.statusCode, 200);
      await text(answer);
      t.equal(seen()?.url, '/v1/caf%C3%A9?a=%2F&b=1');
      t.match(seen()?.headers['x-forwarded-for'], new RegExp(`^${CLIENT.replaceAll('.', '\\.')}\\b`));
      t.equal(seen()?.headers['x-forwarded-proto'], 'http');
      t.equal(seen()?.headers['x-forwarded-host'], 'api.test');

      const forged = await ask({ from: '127.0.0.3', headers: { 'x-forwarded-for': CLIENT } });
      t.equal(forged.statusCode, 403, 'nobody can say that he is another');
      await text(forged);
      t.equal(postern.lines.at(-1)?.['clientIp'], '127.0.0.3');

      const odd = await ask({ path: '/a%2Fb' });
      t.equal(odd.statusCode, 400, 'an ambiguous path arrives as it was sent');
      t.match(await text(odd), '"code":"ambiguous_path"');

      const uploaded = await ask({ path: '/upload', body: LARGE, headers: { 'transfer-encoding': 'chunked' } });
      t.equal(await text(uploaded), String(LARGE.length));

      const stream = await ask({ path: '/stream' });
      const [first] = (await once(stream, 'data')) as [Buffer];
      t.equal(first.toString(), 'data: first\n\n', 'the beginning of an answer comes before its end');
      finish();
      t.equal(await text(stream), 'data: last\n\n');
    });
});
