import t from 'tap';
import { ListenSchema } from '../../src/config/listen-schema.ts';
import { sharesPorts } from '../../src/lib/shared-port.ts';

const wrong = (written: object): string[] =>
  (ListenSchema.safeParse(written).error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);

t.test('a limit holds for the first value beyond it', async (t) => {
  for (const [field, least, most, step] of [
    ['port', 0, 65_535, 1],
    ['requestTimeoutSeconds', 10, 3600, 0.001],
    ['headersTimeoutSeconds', 0.01, 30, 0.001],
    ['maxHeaderBytes', 4096, 1_048_576, 1],
    ['keepAliveTimeoutSeconds', 0.01, 3600, 0.001],
    ['shutdownGraceSeconds', 0, 3600, 0.001],
    ['maxConnections', 1, 1_000_000, 1],
    ['maxRequestsInFlight', 1, 1_000_000, 1],
    ['maxBodyBytesInFlight', 65_536, 1_099_511_627_776, 1],
  ] as const) {
    for (const value of [least, most]) t.same(wrong({ [field]: value }), [], `${field} ${value}`);
    for (const value of [least - step, most + step, '1'])
      t.equal(wrong({ [field]: value }).length, 1, `${field} ${value}`);
  }
  t.match(wrong({ requestTimeoutSeconds: 9.9 }), [
    /^headersTimeoutSeconds: must not be longer than `listen.requestTimeoutSeconds`/,
  ]);
  t.same(wrong({ requestTimeoutSeconds: 5, headersTimeoutSeconds: 5 }), []);
});

t.test('one place to listen on', async (t) => {
  const path = '/run/a.sock';
  t.match(ListenSchema.parse({ path }), { host: null, port: null, path });
  t.match(ListenSchema.parse({}), { host: '0.0.0.0', port: 8080, path: null });
  t.match(ListenSchema.parse({ host: '::1', port: 0 }), { host: '::1', port: 0, path: null });
  t.match(wrong({ path, port: 1 }), [/^path: cannot stand beside `listen.port`/]);
  t.match(wrong({ path, host: '::1' }), [/^path: cannot stand beside `listen.host`/]);
  t.match(wrong({ path, host: '::1', port: 1 }), [/^path: cannot stand beside `listen.host`/]);
  t.match(wrong({ path: '' }), [/^path: /]);
});

t.test('the PROXY protocol is taken from those who may speak it', async (t) => {
  const of = (trustedProxies: readonly string[], path: string | null = null) =>
    wrong({ path, trustedProxies, proxyProtocol: true });
  const why = (text: string) => [
    `proxyProtocol: must be false while \`listen.trustedProxies\` ${text}: nobody may speak it`,
  ];
  t.same(of(['10.0.0.0/8']), []);
  t.same(of(['unix', '10.0.0.0/8']), []);
  t.same(of(['unix'], '/run/a.sock'), []);
  t.same(of([]), why('is empty'));
  t.same(of(['unix']), why('names no address'));
  t.same(of(['10.0.0.0/8'], '/run/a.sock'), why('does not hold `unix`'));
  t.same(of([], '/run/a.sock'), why('is empty'));
  t.same(wrong({ trustedProxies: ['unix'], path: null }), []);
  t.equal(wrong({ trustedProxies: ['Unix'] }).length, 1);
});

t.test('a port is shared where Node can', async (t) => {
  const { node } = process.versions;
  const needs = [
    `reusePort: needs Node 23.1 or later, and this is ${node}; run Postern with a newer one, or remove the field`,
  ];
  t.same(wrong({ reusePort: true }), sharesPorts(node) ? [] : needs);
  t.same(wrong({ reusePort: false, path: '/run/a.sock' }), []);
  const versions = Object.getOwnPropertyDescriptor(process, 'versions') as PropertyDescriptor;
  t.teardown(() => Object.defineProperty(process, 'versions', versions));
  Object.defineProperty(process, 'versions', { ...versions, value: { ...process.versions, node: '23.1.0' } });
  t.same(wrong({ reusePort: true }), []);
  t.same(wrong({ reusePort: true, path: '/run/a.sock' }), [
    'reusePort: cannot stand beside `listen.path`: a socket belongs to one process',
  ]);
});

t.test('spellings of paths and who is refused', async (t) => {
  const quirks = ['encoded-slash', 'encoded-percent', 'double-slash', 'semicolon'];
  t.same(ListenSchema.parse({ allowPathQuirks: quirks }).allowPathQuirks, quirks);
  t.match(wrong({ allowPathQuirks: ['double_slash'] }), [/^allowPathQuirks.0: /]);
  t.same(wrong({ denyFrom: ['192.0.2.1', { list: 'bad' }] }), []);
  t.match(wrong({ denyFrom: ['192.0.2.1/24'] }), [/^denyFrom.0: is not usable/]);
  t.same(ListenSchema.parse({ tls: { certFile: 'a', keyFile: 'b' } }).tls, {
    certFile: 'a',
    keyFile: 'b',
    clientCaFile: null,
  });
  t.equal(wrong({ tls: { certFile: 'a' } }).length, 1);
});
