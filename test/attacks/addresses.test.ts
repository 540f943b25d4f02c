import net from 'node:net';
import t from 'tap';
import { field, request, runAttacks, type Attack } from '../support/attack.ts';
import { startBackend } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';

const OFFICE = 'secret-of-the-office-key';
const AUTH = `Authorization: Bearer ${OFFICE}`;
const HOST = 'Host: a';
const ALLOWED = '203.0.113.7';

const from = (name: string, fields: readonly string[], forwardedFor?: string): Attack => ({
  name: `${name}: ${fields.join(' / ')}`,
  bytes: request('GET /profile/1 HTTP/1.1', [HOST, AUTH, ...fields]),
  answers: [forwardedFor === undefined ? 403 : 204],
  ...(forwardedFor === undefined
    ? {}
    : {
        forwarded: ['GET /profile/1'],
        check: (t, seen) => void t.equal(field(seen, 'x-forwarded-for'), forwardedFor),
      }),
});

const keys = [{ id: 'office', type: 'read-write', secret: OFFICE, allowFrom: [`${ALLOWED}/32`, '2001:db8:1::/48'] }];

t.test('behind a trusted proxy the client is the right-most address that no proxy has', async (t) => {
  const backend = await startBackend(t);
  const postern = await startPostern(t, {
    config: {
      listen: { trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] },
      apis: { integration: { upstream: backend.url } },
    },
    keys,
  });
  const xff = (value: string, forwarded?: string): Attack =>
    from('X-Forwarded-For', [`X-Forwarded-For: ${value}`], forwarded);
  await runAttacks(t, { port: postern.port, backend }, [
    xff(ALLOWED, `${ALLOWED}, 127.0.0.1`),
    xff(`${ALLOWED}, 198.51.100.1`),
    xff(`198.51.100.1, ${ALLOWED}`, `${ALLOWED}, 127.0.0.1`),
    xff(`evil, ${ALLOWED}, 10.1.2.3`, `${ALLOWED}, 10.1.2.3, 127.0.0.1`),
    xff(`${ALLOWED}:4711`, `${ALLOWED}, 127.0.0.1`),
    xff(`::ffff:${ALLOWED}`, `${ALLOWED}, 127.0.0.1`),
    xff(`[2001:db8:1::1]:4711`, '2001:db8:1::1, 127.0.0.1'),
    xff('2001:DB8:1:0:0:0:0:1', '2001:db8:1::1, 127.0.0.1'),
    from(
      'two fields are one list',
      [`X-Forwarded-For: 198.51.100.1`, `X-Forwarded-For: ${ALLOWED}`],
      `${ALLOWED}, 127.0.0.1`,
    ),
    from('two fields are one list', [`X-Forwarded-For: ${ALLOWED}`, 'X-Forwarded-For: 198.51.100.1']),
    from('no field', []),
    ...[
      '',
      ',',
      'unknown',
      '203.0.113.7,',
      ', 203.0.113.7,',
      '203.0.113.07',
      '203.0.113.7.',
      '203.0.113',
      '0xcb.0.113.7',
      '0313.0.113.7',
      '3405803783',
      '203.0.113.7/32',
      '203.0.113.7%eth0',
      '203.0.113.7:',
      '203.0.113.7:99999',
      '203.0.113.7:x',
      '"203.0.113.7"',
      '[203.0.113.7]',
      'for=203.0.113.7',
      '203.0.113.7 198.51.100.1',
      '203.0.113.7;198.51.100.1',
      '::203.0.113.7',
      '64:ff9b::203.0.113.7',
      '2002:cb00:7107::1',
      '2001:db8:1::1%lo',
      '2001:db8:1:::1',
      '2001:db8:2::1',
      'localhost',
      '203。0。113。7'.replaceAll('。', '\xa1'),
    ].map((value) => xff(value)),
    xff(Array.from({ length: 40 }, () => '10.0.0.1').join(', ')),
    xff([ALLOWED, ...Array.from({ length: 32 }, () => '10.0.0.1')].join(', ')),
    ...[
      'Forwarded: for=203.0.113.7',
      `X-Real-IP: ${ALLOWED}`,
      `True-Client-IP: ${ALLOWED}`,
      `CF-Connecting-IP: ${ALLOWED}`,
      `X-Client-IP: ${ALLOWED}`,
      `X-Cluster-Client-IP: ${ALLOWED}`,
      `X_Forwarded_For: ${ALLOWED}`,
      `X-Forwarded: ${ALLOWED}`,
      `Forwarded-For: ${ALLOWED}`,
      `Client-IP: ${ALLOWED}`,
      `Via: 1.1 ${ALLOWED}`,
    ].map((line) => from('another field', [line])),
    from('another field beside the list', ['X-Forwarded-For: 198.51.100.1', `X-Real-IP: ${ALLOWED}`]),
    from('Connection takes the list away', ['Connection: X-Forwarded-For', 'X-Forwarded-For: 198.51.100.1']),
  ]);
});

t.test('nobody else’s list is believed', async (t) => {
  const backend = await startBackend(t);
  const postern = await startPostern(t, {
    config: { listen: { trustedProxies: ['10.0.0.0/8'] }, apis: { integration: { upstream: backend.url } } },
    keys,
  });
  await runAttacks(t, { port: postern.port, backend }, [
    from('a client names itself', [`X-Forwarded-For: ${ALLOWED}`]),
    from('a client names a proxy too', [`X-Forwarded-For: ${ALLOWED}, 10.0.0.1`]),
    from('a client names itself twice', [`X-Forwarded-For: ${ALLOWED}`, `X-Forwarded-For: ${ALLOWED}`]),
    {
      ...from('a PROXY line that nobody asked for', []),
      bytes: `PROXY TCP4 ${ALLOWED} 127.0.0.1 1 80\r\n${request('GET /profile/1 HTTP/1.1', [HOST, AUTH])}`,
      answers: [400],
    },
  ]);
});

t.test('a PROXY header that is broken or missing closes the connection without an answer', async (t) => {
  const backend = await startBackend(t);
  const postern = await startPostern(t, {
    config: {
      listen: { trustedProxies: ['127.0.0.0/8'], proxyProtocol: true },
      apis: { integration: { upstream: backend.url } },
    },
    keys,
  });
  const rest = request('GET /profile/1 HTTP/1.1', [HOST, AUTH, 'Connection: close']);
  const answerTo = (bytes: string): Promise<string> =>
    new Promise((resolve) => {
      let text = '';
      const socket = net.connect(postern.port, '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')));
      socket.setEncoding('latin1').on('data', (data: string) => (text += data));
      socket.on('error', () => undefined).on('close', () => resolve(text.split('\r\n', 1)[0] ?? ''));
    });
  for (const header of [
    '',
    'PROXY TCP4 203.0.113.7\r\n',
    'PROXY TCP4 203.0.113.07 127.0.0.1 1 80\r\n',
    'PROXY TCP6 203.0.113.7 ::1 1 80\r\n',
    'PROXY TCP4 203.0.113.7 127.0.0.1 1 80\n',
    'PROXY  TCP4 203.0.113.7 127.0.0.1 1 80\r\n',
    'proxy TCP4 203.0.113.7 127.0.0.1 1 80\r\n',
    '\r\n\r\n\x00\r\nQUIT\n\x31\x11\x00\x0c' + '\x00'.repeat(12),
    '\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x04\x00\x00\x00\x00',
  ])
    t.equal(await answerTo(header + rest), '', JSON.stringify(header));
  t.equal(backend.requests.length, 0);
  t.match(await answerTo(`PROXY TCP4 198.51.100.1 127.0.0.1 1 80\r\n${rest}`), / 403 /);
  t.equal(backend.requests.length, 0);
  t.match(await answerTo(`PROXY TCP4 ${ALLOWED} 127.0.0.1 1 80\r\n${rest}`), / 204 /);
  t.equal(backend.requests.length, 1);
  t.match(await answerTo(`PROXY UNKNOWN\r\n${rest}`), / 403 /);
});
