import fc from 'fast-check';
import t, { type Test } from 'tap';
import {
  duration,
  headerName,
  hostName,
  instant,
  listenHost,
  plainPath,
  redisUrl,
  secretHash,
  secretText,
  secretValue,
  text,
  trustedProxy,
  upstreamUrl,
  whole,
} from '../../src/config/values.ts';

const accepts = (schema: { safeParse: (value: unknown) => { success: boolean } }, value: unknown): boolean =>
  schema.safeParse(value).success;

function table(
  t: Test,
  schema: Parameters<typeof accepts>[0],
  right: readonly unknown[],
  wrong: readonly unknown[],
): void {
  for (const value of right) t.ok(accepts(schema, value), `takes ${JSON.stringify(value)}`);
  for (const value of wrong) t.notOk(accepts(schema, value), `refuses ${JSON.stringify(value)}`);
}

t.test('what each kind of value takes and refuses', async (t) => {
  table(
    t,
    hostName,
    ['example.com', 'a', 'a.', 'xn--bcher-kva.example', 'bücher.example', '10.0.0.1', '[::1]', '_svc.example'],
    [
      '',
      '*.example.com',
      'a..b',
      '.a',
      '.',
      'a..',
      '10.0.0.1.',
      '１２７.0.0.1',
      'a。b',
      'exa\u00admple',
      'a:80',
      'http://a',
      '::1',
      '[::1',
      '1.2.3',
      '010.0.0.1',
      'a b',
      '256.1.1.1',
      '0x7f.1',
      '[fe80::1%eth0]',
      '[127.0.0.1]',
      '[::1]]',
      '[]',
    ],
  );
  t.ok(accepts(hostName, 'xn--zzzzzzzzz99999'), 'what is ASCII is not looked into');
  t.equal(hostName.parse('Bücher.Example.'), 'xn--bcher-kva.example', 'as it is looked up, and as it stands in Host');
  t.equal(upstreamUrl.parse('UNIX:/Run/App.sock'), 'unix:/Run/App.sock', 'a path is kept as it is');
  t.equal(upstreamUrl.parse('http://Bücher.example.:9000/'), 'http://xn--bcher-kva.example.:9000');
  table(
    t,
    listenHost,
    ['0.0.0.0', '::', '::1', 'localhost', 'localhost.'],
    ['', '*', '[::]', 'fe80::1%eth0', '0.0.0.0:80', '127.1'],
  );
  table(
    t,
    upstreamUrl,
    [
      'http://a',
      'https://a:8443',
      'http://127.0.0.1:9000/',
      'http://[::1]:9000',
      'http://my_service:9000',
      'http://svc.ns.svc.cluster.local.:9000',
      'http://bücher.example',
      'http://例え.test:8080',
      'unix:/run/x.sock',
      'unix:run/x.sock',
      'UNIX:/run/x.sock',
    ],
    [
      'a:80',
      '//a',
      'http:/a',
      'http://',
      'http://a/x',
      'http://a?x',
      'http://a#x',
      'http://u@a',
      'http://a:0',
      'http://a:65536',
      'http://a\\b',
      'http://a b',
      'http://127.1',
      'http://0x7f000001',
      'http://2130706433',
      'http://127.0.0.1.',
      'http://a..',
      'http://.',
      'http://xn--a-ü',
      'http://xn--zzzzzzzzz99999',
      'http://a\u200db',
      'http://[::1',
      'http://[fe80::1%25eth0]',
      'http://[fe80::1%eth0]',
      'unix:',
      'unix://run/x.sock',
      'unix:///run/x.sock',
      'unix:/run/x\0.sock',
      'https+unix:/run/x.sock',
      'http://a\n',
      ' http://a',
      'http://exa mple',
    ],
  );
  table(
    t,
    redisUrl(true),
    ['redis://a', 'rediss://u:p%40@a:6379/2', 'redis://[::1]:6379', 'redis://:pw@a'],
    ['http://a', 'redis://', 'redis://a/x', 'redis://a?x=1', 'redis://a b', 'REDIS:a'],
  );
  table(t, redisUrl(false), ['redis://a', 'redis://a:1/'], ['redis://a/2']);
  table(
    t,
    secretText,
    ['a', 'a b', '~!', 'x'.repeat(4096)],
    ['', ' a', 'a ', 'a\tb', 'a\n', 'ä', '\u0000', 'x'.repeat(4097), 1],
  );
  table(
    t,
    instant,
    ['2027-01-01T00:00:00Z', '2027-01-01T00:00:00.5+02:00', '2028-02-29T23:59:59Z'],
    [
      '2027-01-01',
      '2027-01-01 00:00:00Z',
      '2027-02-29T00:00:00Z',
      '2027-01-01T24:00:00Z',
      '2027-01-01T00:00:00',
      'never',
    ],
  );
});

t.test('what is taken for an upstream is a URL that means the same once more', (t) => {
  const host = fc.oneof(
    fc.domain(),
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.stringMatching(/^[a-z0-9._\u00df-\u00ff\u3002\uff0e-]{1,12}$/),
  );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(host, (name) => {
        const read = upstreamUrl.safeParse(`http://${name}:9000`);
        if (!read.success) return true;
        const { hostname } = new URL(read.data);
        return upstreamUrl.parse(read.data) === read.data && hostName.parse(name) === hostname.replace(/\.$/, '');
      }),
      { numRuns: 2000 },
    ),
  );
  t.end();
});

t.test('limits of hosts, ports and paths', async (t) => {
  for (const host of ['a.0x', 'a.0x1f', '0x7f', 'a.1', '256.1.1.1', '1.2.3']) t.notOk(accepts(hostName, host), host);
  for (const host of ['1a', '0x1g', 'a.0xg', '1.2.3.4']) t.ok(accepts(hostName, host), host);
  for (const url of ['http://a:0', 'http://a:65536', 'http://a:', 'http://a:123456'])
    t.notOk(accepts(upstreamUrl, url), url);
  for (const url of ['http://a:1', 'http://a:65535', 'http://a']) t.ok(accepts(upstreamUrl, url), url);
  t.equal(upstreamUrl.parse('http://a:80/'), 'http://a');
  for (const path of ['/', '/a', '/a/']) t.ok(accepts(plainPath, path), path);
  for (const path of ['', 'a', '/a?b', '/%61', '/a b', '//', '/a/..', '/é']) t.notOk(accepts(plainPath, path), path);
});

t.test('a path holds nothing but plain visible ASCII', async (t) => {
  for (let code = 0; code < 0x300; code++) {
    const unit = String.fromCharCode(code);
    const taken = [`/a${unit}`, `/a${unit}b`, `${unit}a`].filter((path) => accepts(plainPath, path));
    t.ok(
      taken.every((path) => /^\/[!-~]*$/.test(path) && !/[%?#;\\]/.test(path)),
      `U+${code.toString(16)}`,
    );
  }
});

t.test('a header is named without what stands around its name, in one case', async (t) => {
  table(t, headerName, ['X-Api-Key', 'a', "!#$%&'+.^_`|~0-9z"], ['', 'a:', 'a b', '*', 'a*', 'ä', 'a\n', '(a)', 1]);
  t.equal(headerName.parse('X-Api-Key'), 'x-api-key');
});

t.test('a secret and its hash are told apart', async (t) => {
  const hash = `sha256:${'aB'.repeat(32)}`;
  table(
    t,
    secretHash,
    [hash, hash.toLowerCase()],
    [`${hash}0`, `x${hash}`, `${hash}\n`, hash.slice(0, -1), 'sha256:', 1],
  );
  table(t, secretValue, ['a secret', `x${hash}`, `${hash}0`], [hash, hash.toUpperCase().replace('SHA', 'sha'), '']);
  t.equal(secretHash.parse(hash), hash, 'as it was written');
});

t.test('numbers have two bounds, and whole ones no fraction', async (t) => {
  table(t, whole(1, 9), [1, 9], [0, 10, 1.5, '1', null, NaN]);
  table(t, duration(0.5, 2), [0.5, 1.25, 2], [0.49, 2.01, '1', Infinity]);
  table(t, text(), ['a', ' '], ['', 1, null]);
  table(t, trustedProxy, ['unix', '::1', '10.0.0.0/8'], ['Unix', '10.0.0.1/8', 'localhost']);
});
