import fc from 'fast-check';
import t from 'tap';
import { compileApiChoice } from '../../src/policy/api-choice.ts';
import { foldPath, readPath } from '../../src/lib/path-reading.ts';
import type { ApiChoice } from '../../src/policy/ruleset.ts';
import { apiRules } from '../support/passages.ts';

interface Written {
  readonly paths?: readonly string[];
  readonly hosts?: readonly string[];
  readonly enforcement?: 'enforce' | 'report';
  readonly tokenPath?: string;
}

/** Which API is found, by name; null: none. */
function finding(written: Record<string, Written>): (path: string, host?: string) => string | null {
  const { find } = choiceOf(written);
  return (path, host = 'api.test') => find(host, path)?.name ?? null;
}

const choiceOf = (written: Record<string, Written>): ApiChoice =>
  compileApiChoice(
    Object.entries(written).map(([name, { paths, hosts, enforcement = 'enforce', tokenPath }]) => ({
      rules: apiRules({
        name,
        enforcement,
        hosts: hosts === undefined ? null : new Set(hosts),
        tokenPath: tokenPath ?? null,
      }),
      paths: paths ?? null,
    })),
  );

const METRICS = [
  ...'/metrics /metrics/ /metrics/x /METRICS/query /Metrics /metrics// /metrics%2Fquery /metric%C5%BF /metr%2569cs'.split(
    ' ',
  ),
  ...'/metrics;a=b /metrics;x/query /metrics%3Bx /metrics%3Fx /metrics%23 /%EF%BD%8Detrics/x /m%C3%A9trics /met%C2%ADrics'.split(
    ' ',
  ),
];

t.test('what is under /metrics in any reading is of the API named metrics', async (t) => {
  const find = finding({ integration: {}, metrics: {} });
  for (const path of METRICS) t.equal(find(path), 'metrics', path);
  for (const path of [
    '/',
    '/metric',
    '/profile',
    '/profile/1',
    '/metricsx',
    '/x/metrics',
    '/metrics-x',
    '/x%2Fmetrics',
    '/event/metrics/',
    '/%6D',
  ])
    t.equal(find(path), 'integration', path);
  const alone = finding({ integration: {} });
  for (const path of METRICS) t.equal(alone(path), null, `${path} is nobody's`);
  t.equal(alone('/x/metrics'), 'integration');
});

t.test('/metrics is left alone, unless an API writes its paths or is in report mode', async (t) => {
  for (const path of ['/metrics', '/Metrics/query', '/metrics%2Fa']) {
    t.equal(finding({ a: { paths: ['/'] } })(path), 'a', path);
    t.equal(finding({ a: { enforcement: 'report' } })(path), 'a', path);
    t.equal(finding({ a: {}, b: { hosts: ['api.test'], paths: ['/'] } })(path), 'b', path);
    t.equal(finding({ a: {}, b: { hosts: ['other.test'], paths: ['/'] } })(path), null, path);
    t.equal(finding({ a: {}, metrics: { hosts: ['other.test'] } })(path), null, path);
    t.equal(finding({ a: {}, metrics: { paths: ['/stats'] } })(path), 'a', path);
    t.equal(finding({ a: {}, b: { paths: ['/metrics/query', '/metrics'] } })(path), 'b', path);
  }
});

t.test('the longest prefix in whole segments decides, in any letter case and with a slash at its end', async (t) => {
  const find = finding({ root: { paths: ['/'] }, v1: { paths: ['/v1'] }, users: { paths: ['/v1/users/', '/people'] } });
  for (const path of [
    '/v1/users',
    '/V1/Users/',
    '/v1/users/7/orders',
    '/people',
    '/PEOPLE/7',
    '/v1%2Fusers',
    '/v1;a/users',
  ])
    t.equal(find(path), 'users', path);
  for (const path of ['/v1', '/v1/', '/v1/usersx', '/v1/user', '/v1/x/users']) t.equal(find(path), 'v1', path);
  for (const path of ['/', '/v10', '/v', '/x/v1', '/peoples']) t.equal(find(path), 'root', path);
  const rootless = finding({ v1: { paths: ['/v1/a'] } });
  for (const path of ['/', '/v1', '/v1/b', '/a']) t.equal(rootless(path), null, path);
});

t.test('an API that names the Host comes before one that names none, but not before a longer prefix', async (t) => {
  const find = finding({
    any: { paths: ['/', '/deep/er'] },
    named: { paths: ['/', '/deep'], hosts: ['api.test', '[2001:db8::1]'] },
    other: { paths: ['/only'], hosts: ['other.test'] },
  });
  for (const host of ['api.test', 'API.test:80', 'api.test.', 'api.test.:80', '[2001:db8::1]:8080', '[2001:DB8::1]'])
    t.same(
      ['/', '/deep/x', '/deep/er/x', '/only'].map((path) => find(path, host)),
      ['named', 'named', 'any', 'named'],
      host,
    );
  t.same(
    ['/', '/deep', '/only/x'].map((path) => find(path, 'other.test')),
    ['any', 'any', 'other'],
  );
  for (const host of ['', 'x.test', 'xapi.test', 'api.test.evil', '[2001:db8::2]', ':80'])
    t.same(
      ['/', '/only'].map((path) => find(path, host)),
      ['any', 'any'],
      host,
    );
});

t.test('a path that is under two prefixes of equal length in two readings is nobody\u2019s', async (t) => {
  // No prefix that may be written is like the second: NUL stands for a slash that is data.
  const find = finding({ a: { paths: ['/k/v'] }, b: { paths: ['/k\0v'] }, root: { paths: ['/'] } });
  t.equal(find('/k%2Fv'), null);
  t.equal(find('/k/v'), 'a');
});

t.test('whichever reading is a token endpoint decides', async (t) => {
  const find = finding({ a: { paths: ['/a'], tokenPath: '/a/token' }, deep: { paths: ['/a%3Btoken', '/a/x'] } });
  t.equal(find('/a%2Ftoken'), 'a');
  const longer = finding({ a: { paths: ['/a'], tokenPath: '/a/token' }, deep: { paths: ['/a/token;x'] } });
  t.equal(longer('/a/token;x'), 'a', 'also where another reading is under a longer prefix');
  t.equal(longer('/a/token;x/y'), 'deep');
  const hosted = finding({ a: { paths: ['/'], hosts: ['a.test'], tokenPath: '/t/token' }, b: { paths: ['/'] } });
  t.equal(hosted('/t%2Ftoken', 'a.test'), 'a');
  t.equal(hosted('/t%2Ftoken', 'b.test'), 'b');
});

t.test('no reading of a path is under a longer prefix than the one that was found', async (t) => {
  const prefixes = ['/', '/a', '/a/b', '/a/b/c', '/b', '/metrics/x'];
  const find = finding(Object.fromEntries(prefixes.map((path, n) => [`api-${n}`, { paths: [path] }])));
  const part = fc.constantFrom('/', 'a', 'B', 'c', '%2F', '%252f', ';p', '%3f', '//', 'm%65trics', 'x', '%61');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
      const path = `/${parts.join('')}`;
      const lengths = readPath(path).flatMap((reading) => {
        const folded = `${foldPath(reading)}/`;
        return prefixes
          .map(foldPath)
          .filter((prefix) => folded.startsWith(`${prefix}/`))
          .map(({ length }) => length);
      });
      const found = find(path);
      if (found === null) return;
      t.equal(foldPath(prefixes[Number(found.slice(4))] as string).length, Math.max(...lengths), path);
    }),
  );
});

t.test('an ambiguous path is of the API in report mode to which each of its readings leads, or of none', async (t) => {
  const tolerant = (written: Record<string, Written>, hosts = 'api.test') => {
    const { findTolerant } = choiceOf(written);
    return (path: string, host = hosts) => findTolerant(host, path)?.name ?? null;
  };
  const report = { enforcement: 'report' } as const;
  const alone = tolerant({ a: report });
  for (const path of ['/a/../b', '/%00', '/%ff//', '/a%', '/metrics/../x', '//h/metrics'])
    t.equal(alone(path), 'a', path);
  t.equal(tolerant({ a: {} })('/a//b'), null, 'not in enforcement');

  const beside = tolerant({ integration: report, metrics: {} });
  for (const path of ['/a//b', '/a/../b', '/a%2fb', '/a/metrics//x', '/metricsx//'])
    t.equal(beside(path), 'integration', path);
  for (const path of [
    '/metrics//x',
    '/a/../metrics',
    '/a/..%2fMETRICS',
    '/%00',
    '/a%',
    '//metrics',
    '/x\\..\\m%65trics;a',
  ])
    t.equal(beside(path), null, path);

  const part = tolerant({ a: { ...report, paths: ['/public'] } });
  t.equal(part('/public/a//b'), 'a');
  t.equal(part('/public//a'), 'a');
  for (const path of ['/public/../secret', '/public/%2e%2e/secret', '/public/%00', '/secret//a', '/public\\..\\x'])
    t.equal(part(path), null, `${path} could be served by nobody`);

  const two = tolerant({ a: { ...report, paths: ['/a'] }, b: { ...report, paths: ['/b'] } });
  t.equal(two('/a/x//y'), 'a');
  t.equal(two('/a/../b'), null);

  const byHost = tolerant({ a: { ...report, hosts: ['a.test'] }, b: { hosts: ['b.test'] } });
  t.equal(byHost('/%00', 'a.test'), 'a');
  t.equal(byHost('/%00', 'b.test'), null);
  t.equal(byHost('/%00', 'c.test'), null);

  const issuing = tolerant({ a: { ...report, tokenPath: '/token' } });
  t.equal(issuing('/a//b'), 'a');
  for (const path of ['//token', '/x/../token', '/TOKEN;a', '/%00']) t.equal(issuing(path), null, path);
});

t.test('whatever an ambiguous path is let through as, a lenient reader finds nothing else by it', async (t) => {
  const { findTolerant, find } = choiceOf({
    legacy: { enforcement: 'report', paths: ['/legacy'] },
    guarded: { paths: ['/legacy/admin', '/x'] },
  });
  const part = fc.constantFrom(
    'legacy',
    'admin',
    'x',
    '/',
    '//',
    '..',
    '.',
    '%2e%2e',
    '%2F',
    '\\',
    ';a',
    '%5C',
    '%252e',
  );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
        const path = `/legacy/${parts.join('')}`;
        if (findTolerant('api.test', path) === null) return true;
        // What a backend on Node makes of it, decoded once, twice, or not at all.
        return [path, decodeURIComponent(path), decodeURIComponent(decodeURIComponent(path))].every((text) => {
          const { pathname } = new URL(text.replaceAll(/;[^/\\]*/g, '').replaceAll(/[/\\]{2,}/g, '/'), 'http://a');
          return find('api.test', pathname.replaceAll(/[. ]+(?=\/|$)/g, ''))?.name === 'legacy';
        });
      }),
      { numRuns: 3000 },
    ),
  );
});
