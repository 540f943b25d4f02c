import t from 'tap';
import { codeOf, startFlow, written } from '../support/flow.ts';
import { v2Header } from '../support/proxy-header.ts';

const KEY = {
  id: 'office',
  type: 'read-write',
  secret: 'secret-of-the-office',
  allowFrom: ['203.0.113.7', '2001:db8::7'],
};
const request = (...fields: readonly string[]) =>
  written({ secret: KEY.secret, fields: ['Connection: close', ...fields], body: '{}' });
const after = (header: string | Buffer, ...fields: readonly string[]) =>
  Buffer.concat([Buffer.from(header as string, 'latin1'), request(...fields)]);

t.test('a trusted proxy names the client by a header before the request', async (t) => {
  const { raw, backend, postern } = await startFlow(t, {
    keys: [KEY],
    listen: { proxyProtocol: true, trustedProxies: ['127.0.0.0/8'] },
  });
  const v2 = v2Header(0x21, 0x11, [203, 0, 113, 7, 127, 0, 0, 1, 0xc0, 0, 0, 80]);
  const v2tlv = v2Header(0x21, 0x11, [203, 0, 113, 7, 127, 0, 0, 1, 0xc0, 0, 0, 80, 0xee, 0, 1, 5]);
  for (const header of ['PROXY TCP4 203.0.113.7 127.0.0.1 49152 80\r\n', v2, v2tlv]) {
    t.equal((await raw(Buffer.concat([Buffer.from(header as string), request()]))).status, 204);
    t.equal(backend.requests.at(-1)?.headers['x-forwarded-for'], '203.0.113.7');
  }
  t.equal((await raw(after('PROXY TCP6 2001:db8::7 ::1 49152 80\r\n'))).status, 204);
  t.equal(
    codeOf(await raw(after('PROXY TCP4 192.0.2.66 127.0.0.1 49152 80\r\n', 'X-Forwarded-For: 203.0.113.7'))),
    'ip_not_allowed',
  );
  t.match(postern.lines.at(-1), { clientIp: '192.0.2.66' });
  t.equal(codeOf(await raw(after('PROXY UNKNOWN\r\n'))), 'ip_not_allowed', 'the proxy itself');
  t.equal(
    (await raw(after('PROXY TCP4 127.0.0.2 127.0.0.1 49152 80\r\n', 'X-Forwarded-For: 203.0.113.7'))).status,
    204,
    'a proxy behind the proxy is believed in turn',
  );
  for (const header of [
    '',
    'PROXY TCP4 203.0.113.7\r\n',
    'PROXY TCP4 203.0.0113.7 127.0.0.1 1 2\r\n',
    'proxy TCP4 203.0.113.7 127.0.0.1 1 2\r\n',
  ])
    t.match(await raw(after(header), { untilClose: true }), { text: '', closed: true }, JSON.stringify(header));
  t.match(postern.lines.at(-1), { msg: 'proxy_header_refused', peer: '127.0.0.1' });
});

t.test('from anybody else it is a broken request', async (t) => {
  const { raw, backend } = await startFlow(t, {
    keys: [KEY],
    listen: { proxyProtocol: true, trustedProxies: ['192.0.2.1'] },
  });
  const answer = await raw(after('PROXY TCP4 203.0.113.7 127.0.0.1 49152 80\r\n'), { untilClose: true });
  t.ok(answer.status >= 400 && answer.closed);
  t.equal(codeOf(await raw(request())), 'ip_not_allowed');
  t.equal(backend.requests.length, 0);
});
