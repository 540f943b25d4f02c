import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { createOriginGuard } from '../../src/admin/origin-guard.ts';

interface Sent {
  readonly rawHeaders: readonly string[];
  readonly localAddress?: string;
  readonly method?: string;
  readonly url?: string;
}

const requestOf = ({ rawHeaders, localAddress = '127.0.0.1', method = 'GET', url = '/api/keys' }: Sent) => {
  const headers: Record<string, string> = {};
  for (let i = 0; i < rawHeaders.length; i += 2)
    headers[(rawHeaders[i] as string).toLowerCase()] ??= rawHeaders[i + 1] as string;
  return { rawHeaders, headers, method, url, socket: { localAddress } } as unknown as IncomingMessage;
};

function verdicts(options: { host: string; hosts?: string[] }, localAddress = '127.0.0.1') {
  const guard = createOriginGuard({ hosts: [], ...options });
  return (...rawHeaders: string[]) => guard(requestOf({ rawHeaders, localAddress }))?.code ?? 'passed';
}

t.test('a Host is missing, repeated or no host', async (t) => {
  const of = verdicts({ host: '127.0.0.1' });
  t.equal(of('Host', 'localhost'), 'passed');
  t.equal(of(), 'misdirected_request');
  t.equal(of('Host', ''), 'misdirected_request');
  t.equal(of('Host', 'localhost', 'host', 'localhost'), 'misdirected_request');
  for (const host of ['localhost@evil', 'localhost/', 'localhost:', 'localhost:123456', '[::1', '::1', 'a b', '*'])
    t.equal(of('Host', host), 'misdirected_request', host);
});

t.test('a port on one address answers to that address', async (t) => {
  const of = verdicts({ host: '10.0.0.5', hosts: ['admin.example.com'] }, '10.0.0.5');
  t.equal(of('Host', '10.0.0.5:9090'), 'passed');
  t.equal(of('Host', 'admin.example.com'), 'passed');
  for (const host of ['localhost', '127.0.0.1:9090', '[::1]:9090', '10.0.0.6', '0.0.0.0'])
    t.equal(of('Host', host), 'misdirected_request', host);
  t.equal(verdicts({ host: '::1' })('Host', '[::1]:9090'), 'passed');
  t.equal(verdicts({ host: '::ffff:192.0.2.1' })('Host', '[::ffff:192.0.2.1]:9'), 'passed');
  t.equal(verdicts({ host: 'Admin.Internal' })('Host', 'admin.internal'), 'passed');
});

t.test('a port on every address answers to the address that was connected to', async (t) => {
  for (const host of ['0.0.0.0', '::']) {
    const of = verdicts({ host }, '::ffff:192.168.1.5');
    for (const name of ['192.168.1.5:9090', 'localhost:9090', '127.0.0.1', '[::1]'])
      t.equal(of('Host', name), 'passed', name);
    for (const name of ['192.168.1.6', '0.0.0.0', '[::]', 'rebound.example'])
      t.equal(of('Host', name), 'misdirected_request', name);
  }
  t.equal(verdicts({ host: '::' }, '2001:db8::5')('Host', '[2001:db8::5]:9090'), 'passed');
});

t.test('an origin is that of the Host, or a published name', async (t) => {
  const of = verdicts({ host: '127.0.0.1', hosts: ['admin.example.com'] });
  const from = (origin: string, host = 'localhost:9090') => of('Host', host, 'Origin', origin);
  t.equal(from('http://localhost:9090'), 'passed');
  t.equal(from('https://LOCALHOST:9090'), 'passed');
  t.equal(from('https://admin.example.com'), 'passed', 'behind a proxy that names the Host anew');
  for (const origin of [
    'http://localhost',
    'http://localhost:9091',
    'null',
    '',
    'http://',
    'https://admin.example.com:444',
    'http://localhost:9090/',
    'file://',
  ])
    t.equal(from(origin), 'foreign_origin', origin);
});

t.test('what browsers say of where a request comes from', async (t) => {
  const guard = createOriginGuard({ host: '127.0.0.1', hosts: [] });
  const of = (site: string, more: Partial<Sent> = {}, fetch: string[] = []) =>
    guard(requestOf({ rawHeaders: ['Host', 'localhost', 'Sec-Fetch-Site', site, ...fetch], ...more }))?.code ??
    'passed';
  const opened = ['Sec-Fetch-Mode', 'navigate', 'Sec-Fetch-Dest', 'document'];
  t.equal(of('same-origin'), 'passed');
  t.equal(of('none'), 'passed');
  for (const site of ['same-site', 'cross-site', '']) {
    t.equal(of(site), 'foreign_origin');
    t.equal(of(site, { url: '/' }), 'foreign_origin');
    t.equal(of(site, { url: '/' }, opened), 'passed');
    for (const url of ['/api', '/api/keys', '/api?x']) t.equal(of(site, { url }, opened), 'foreign_origin', url);
    t.equal(of(site, { url: '/', method: 'POST' }, opened), 'foreign_origin');
  }
});

t.test('behind a proxy that drops the port, the browser has to say that the origin is its own', async (t) => {
  const of = verdicts({ host: '127.0.0.1', hosts: ['admin.example.com'] });
  const from = (origin: string, ...fetch: string[]) => of('Host', 'admin.example.com', 'Origin', origin, ...fetch);
  const own = ['Sec-Fetch-Site', 'same-origin'];
  t.equal(from('https://admin.example.com:8443', ...own), 'passed');
  t.equal(from('https://Admin.Example.com:8443', ...own), 'passed');
  t.equal(from('https://admin.example.com:8443'), 'foreign_origin', 'it does not say so');
  t.equal(from('https://admin.example.com:8443', 'Sec-Fetch-Site', 'none'), 'foreign_origin');
  for (const origin of [
    'https://localhost:8443',
    'https://evil.example',
    'https://',
    'null',
    'https://a b:1',
    'xhttps://admin.example.com:8443',
    'https://admin.example.com:8443/',
    'ftp://admin.example.com:8443',
  ])
    t.equal(from(origin, ...own), 'foreign_origin', origin);
});

t.test('a page that is opened is a document, and nothing else', async (t) => {
  const guard = createOriginGuard({ host: '127.0.0.1', hosts: [] });
  const of = (mode: string, dest: string) =>
    guard(
      requestOf({
        rawHeaders: [
          'Host',
          'localhost',
          'Sec-Fetch-Site',
          'cross-site',
          'Sec-Fetch-Mode',
          mode,
          'Sec-Fetch-Dest',
          dest,
        ],
        url: '/',
      }),
    )?.code ?? 'passed';
  t.equal(of('navigate', 'document'), 'passed');
  for (const [mode, dest] of [
    ['navigate', 'iframe'],
    ['no-cors', 'document'],
    ['no-cors', 'script'],
  ] as const)
    t.equal(of(mode, dest), 'foreign_origin', `${mode} ${dest}`);
});

t.test('a port on loopback is reached under each name of loopback', async (t) => {
  for (const host of ['::1', '127.0.0.1', '127.0.0.53', 'localhost'])
    for (const name of ['localhost:9090', '127.0.0.1', '[::1]:9090'])
      t.equal(verdicts({ host }, '10.0.0.9')('Host', name), 'passed', `${host} by ${name}`);
  for (const host of ['127.0.0.1.evil.example', '1127.0.0.1', '127.0.0'])
    t.equal(verdicts({ host }, '10.0.0.9')('Host', 'localhost'), 'misdirected_request', host);
});

t.test('a malformed Host is refused also where it is not known what was connected to', async (t) => {
  for (const host of ['a b', '', 'localhost:'])
    t.equal(verdicts({ host: '::' }, '')('Host', host), 'misdirected_request');
  t.equal(verdicts({ host: '::' }, '')(), 'misdirected_request');
  t.equal(verdicts({ host: '::' }, '')('Host', 'localhost'), 'passed');
});
