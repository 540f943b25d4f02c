import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { candidatesOf, createFileReader, parseHosts, parseResolver } from '../../src/lib/resolver-files.ts';

void t.test('a hosts file: several names a line, several addresses a name, comments, any case', (t) => {
  const hosts = parseHosts(
    '127.0.0.1\tlocalhost  Backend # a comment\n::1 localhost\n#10.0.0.1 no\n10.0.0.2 backend.\n10.0.0.2 backend\nnonsense here\n',
  );
  t.same(hosts.get('localhost'), ['127.0.0.1', '::1']);
  t.same(hosts.get('backend'), ['127.0.0.1', '10.0.0.2']);
  t.equal(hosts.get('no'), undefined);
  t.equal(hosts.get('here'), undefined);
  const marked = parseHosts('10.0.0.3 c #\n10.0.0.4 d#\n#\n');
  t.same([...marked.keys()], ['c', 'd'], 'a mark without a comment');
  t.same(parseHosts('10.0.0.1 a.b.example.').get('a.b.example'), ['10.0.0.1']);
  t.end();
});

void t.test('a resolver file as in a pod', (t) => {
  const settings = parseResolver(
    'search ns.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5 timeout:1 attempts:3\n',
    'pod',
  );
  t.same(settings, {
    servers: ['10.96.0.10'],
    search: ['ns.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
    ndots: 5,
    timeoutMs: 1000,
    attempts: 3,
  });
  t.same(candidatesOf('api', settings), [
    'api.ns.svc.cluster.local',
    'api.svc.cluster.local',
    'api.cluster.local',
    'api',
  ]);
  t.same(candidatesOf('api.ns.svc.cluster.local.', settings), ['api.ns.svc.cluster.local'], 'a final dot');
  t.equal(candidatesOf('a.b.c.d.e.f', settings)[0], 'a.b.c.d.e.f', 'enough dots');
  t.end();
});

void t.test('what the C library does without, with odd and with too many lines', (t) => {
  t.same(parseResolver('', 'm.example.com'), {
    servers: ['127.0.0.1'],
    search: ['example.com'],
    ndots: 1,
    timeoutMs: 5000,
    attempts: 2,
  });
  t.same(parseResolver('domain a\nsearch b c\n', 'm').search, ['b', 'c'], 'the last counts');
  t.same(parseResolver('search .\n', 'm.example.com').search, [], 'the root is no domain to search');
  t.same(parseResolver('; nameserver 1.1.1.1\n#nameserver 2.2.2.2\nnameserver fe80::1%eth0\n', 'm').servers, [
    'fe80::1%eth0',
  ]);
  t.same(parseResolver('nameserver dns.example\nnameserver\nnameserver 10.0.0.1\n', 'm').servers, ['10.0.0.1']);
  t.same(parseResolver('search a#b c;d\n', 'm').search, ['a#b', 'c;d'], 'a comment is a whole line');
  t.same(parseResolver('search a. b.c.\n', 'm').search, ['a', 'b.c']);
  t.same(parseResolver('domain a b\n', 'm').search, ['a']);
  t.same(parseResolver('options ndots:x timeout:99 attempts:0 ndots:1234567\n', 'm').timeoutMs, 30_000);
  t.match(parseResolver('options attempts:0 xndots:4 ndots:3x\n', 'm'), { attempts: 1, ndots: 1 });
  const many = parseResolver(
    ['1', '2', '3', '4'].map((n) => `nameserver 10.0.0.${n}`).join('\n') + '\noptions ndots:99 timeout:0 attempts:99',
    'm',
  );
  t.match(many, { servers: ['10.0.0.1', '10.0.0.2', '10.0.0.3'], ndots: 15, timeoutMs: 1000, attempts: 5 });
  t.end();
});

void t.test('a file is read again when it changed, and may be missing', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'files-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'hosts');
  let parsed = 0;
  const read = createFileReader(path, (text) => {
    parsed += 1;
    return text;
  });
  t.equal(read(), '');
  writeFileSync(path, 'one');
  t.equal(read(), 'one');
  t.equal(read(), 'one');
  t.equal(parsed, 2);
  writeFileSync(path, 'three');
  t.equal(read(), 'three');
  t.end();
});

void t.test('any text is read, and gives names to ask for', (t) => {
  const line = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.constantFrom('nameserver 10.0.0.1', 'search a b', 'options ndots:3', 'domain', 'nameserver', 'options ndots:x'),
  );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(line), fc.domain(), (lines, host) => {
        const text = lines.join('\n');
        for (const addresses of parseHosts(text).values()) if (addresses.some((one) => isIP(one) === 0)) return false;
        const settings = parseResolver(text, 'machine');
        const names = candidatesOf(host, settings);
        return settings.servers.length > 0 && names.includes(host) && names.every((name) => name.startsWith(host));
      }),
    ),
  );
  t.end();
});
