import net from 'node:net';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import t from 'tap';
import { field } from '../support/attack.ts';
import type { RecordedRequest } from '../support/backend.ts';
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

/** Headers of a trusted proxy that tell no address of the client. */
const ADDRESSLESS: readonly (readonly [string, Buffer])[] = [
  ['UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n')],
  ['UNKNOWN with addresses', Buffer.from('PROXY UNKNOWN 203.0.113.7 127.0.0.1 49152 80\r\n')],
  ['UNSPEC', v2Header(0x21, 0x00, [203, 0, 113, 7, 127, 0, 0, 1, 0xc0, 0, 0, 80])],
  ['UNIX', v2Header(0x21, 0x31, Array<number>(216).fill(0))],
];

const TLS = { certFile: resolve('test/fixtures/tls/cert.pem'), keyFile: resolve('test/fixtures/tls/key.pem') };

for (const tls of [null, TLS])
  t.test(`a client whose address is not told cannot choose one, ${tls === null ? 'plain' : 'over TLS'}`, async (t) => {
    const anywhere = { ...KEY, id: 'anywhere', secret: 'secret-of-anywhere', allowFrom: 'anywhere' };
    const { postern, backend } = await startFlow(t, {
      keys: [KEY, { ...KEY, id: 'balancer', secret: 'secret-of-balancer', allowFrom: ['127.0.0.0/8'] }, anywhere],
      listen: { proxyProtocol: true, trustedProxies: ['127.0.0.0/8'], tls },
    });
    const claims = ['X-Forwarded-For: 203.0.113.7', 'X-Forwarded-Proto: https', 'Connection: close'];
    const send = async (header: Buffer, secret: string): Promise<string> => {
      const socket = net.connect(postern.port, '127.0.0.1');
      t.teardown(() => socket.destroy());
      socket.write(header);
      const stream = tls === null ? socket : connectTls({ socket, rejectUnauthorized: false });
      stream.write(written({ secret, fields: claims, body: '{}' }));
      return text(stream);
    };
    for (const [name, header] of ADDRESSLESS) {
      for (const secret of [KEY.secret, 'secret-of-balancer']) {
        t.match(
          await send(header, secret),
          /ip_not_allowed/,
          `${name}: neither the claimed address nor the balancer's`,
        );
        t.match(postern.lines.at(-1), { clientIp: 'unknown' });
      }
      t.match(await send(header, anywhere.secret), /^HTTP\/1\.1 204 /);
      const forwarded = backend.requests.at(-1) as RecordedRequest;
      t.equal(field(forwarded, 'x-forwarded-for'), 'unknown', name);
      t.equal(field(forwarded, 'x-forwarded-proto'), tls === null ? 'http' : 'https', name);
    }
    t.match(
      await send(v2Header(0x20, 0x00, []), KEY.secret),
      /^HTTP\/1\.1 204 /,
      'LOCAL is the proxy, which is believed',
    );
  });

t.test('from anybody else, or where none is expected, it is a broken request that says so', async (t) => {
  for (const listen of [{ proxyProtocol: true, trustedProxies: ['192.0.2.1'] }, {}]) {
    const { raw, backend, postern } = await startFlow(t, { keys: [KEY], listen });
    const v2 = v2Header(0x21, 0x11, [203, 0, 113, 7, 127, 0, 0, 1, 0xc0, 0, 0, 80]);
    for (const bytes of [after('PROXY TCP4 203.0.113.7 127.0.0.1 49152 80\r\n'), Buffer.concat([v2, request()])]) {
      const answer = await raw(bytes, { untilClose: true });
      t.same([answer.status, codeOf(answer), answer.closed], [400, 'malformed_request', true]);
      t.match(answer.body, /PROXY protocol header/);
      t.match(postern.lines.at(-1), {
        reason: 'malformed_request',
        rule: 'listen.proxyProtocol',
        clientIp: '127.0.0.1',
      });
    }
    t.equal(codeOf(await raw('PROXYING / HTTP/1.1\r\n\r\n', { untilClose: true })), 'not_implemented', 'no header');
    t.equal(codeOf(await raw(request())), 'ip_not_allowed');
    t.equal(backend.requests.length, 0);
  }
});
