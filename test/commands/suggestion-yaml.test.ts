import fc from 'fast-check';
import t from 'tap';
import { parse } from 'yaml';
import { routesYaml, suggestionYaml, type SuggestedKey } from '../../src/commands/suggestion-yaml.ts';

const lastSeen = '2026-03-02T09:14:11.000Z';
const key = (change: Partial<SuggestedKey> = {}): SuggestedKey => ({
  id: 'shop',
  fields: {},
  because: {},
  notSuggested: {},
  tooLittle: null,
  ...change,
});

t.test('each line with what it rests on', (t) => {
  const yaml = suggestionYaml([
    key({
      fields: {
        type: 'read-write',
        allowedRoutes: ['GET /v1/orders/:id'],
        allowedOrigins: [],
        allowBrowsers: null,
        rateLimit: { requests: 4, windowSeconds: 60 },
      },
      because: {
        type: [{ value: 'GET', requests: 2, lastSeen }],
        allowedRoutes: [{ value: 'GET /v1/orders/:id', requests: 1, lastSeen }],
        rateLimit: [{ value: 'requests in the busiest minute', requests: 2, lastSeen }],
      },
      notSuggested: { allowedEvents: 'truncated', allowFrom: 'something new' },
      tooLittle: 'Only 2 good requests were observed, fewer than 100.',
    }),
  ]);
  t.equal(
    yaml,
    [
      'keys:',
      '  - id: shop',
      '    # Only 2 good requests were observed, fewer than 100.',
      `    type: read-write # GET: 2 good requests, last ${lastSeen}`,
      '    allowedRoutes:',
      `      - GET /v1/orders/:id # 1 good request, last ${lastSeen}`,
      '    allowedOrigins: [] # none was seen',
      '    allowBrowsers: null # keys of this type have no such field',
      `    rateLimit: { requests: 4, windowSeconds: 60 } # requests in the busiest minute: 2, last ${lastSeen}`,
      '    # allowedEvents: not suggested, there was more than could be kept',
      '    # allowFrom: not suggested, something new',
    ].join('\n'),
  );
  t.end();
});

t.test(
  'whatever a client called its events, it is text to a YAML parser, in one line, and harmless on a terminal',
  (t) => {
    const name = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }),
      fc.constantFrom(
        'true',
        '1',
        'null',
        '- x',
        'a: b',
        '# no',
        '\u001b[2J',
        '\u202eabc',
        'a\nb: c',
        '"',
        "'",
        '__proto__',
        '*x',
        '!!js',
      ),
    );
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 8 }), (names) => {
          const because = names.map((value) => ({ value, requests: 1, lastSeen }));
          const yaml = suggestionYaml([key({ fields: { allowedEvents: names }, because: { allowedEvents: because } })]);
          const read = parse(yaml) as { keys: { allowedEvents: string[] }[] };
          const same = JSON.stringify(read.keys[0]?.allowedEvents) === JSON.stringify(names);
          return same && yaml.split('\n').length === 3 + names.length && !/[^\n\P{C}]/u.test(yaml);
        }),
        { numRuns: 500 },
      ),
    );
    t.end();
  },
);

t.test('what it rests on may not be told of each', (t) => {
  const because = { allowedEvents: [{ value: 'a', requests: 1, lastSeen }] };
  const yaml = suggestionYaml([key({ fields: { allowedEvents: ['a', 'b'], mode: 'report' }, because })]);
  t.same(yaml.split('\n').slice(2), [
    '    allowedEvents:',
    `      - a # 1 good request, last ${lastSeen}`,
    '      - b',
    '    mode: report',
  ]);
  t.end();
});

t.test('why a field is not suggested is told in words', (t) => {
  const reasons = [
    'nothing_seen',
    'truncated',
    'unknown_address',
    'unlisted_routes',
    'unreadable_events',
    'forms',
    'origins_unknown',
    'not_expressible',
    'constructor',
  ];
  const notSuggested = Object.fromEntries(reasons.map((reason, i) => [`field${i}`, reason]));
  const lines = suggestionYaml([key({ notSuggested })])
    .split('\n')
    .slice(2);
  t.equal(lines.length, reasons.length);
  for (const [i, line] of lines.entries())
    t.match(
      line,
      i === 8
        ? /^ {4}# field8: not suggested, constructor$/
        : /^ {4}# field\d: not suggested, [^_]* [^_]*( _method[^_]*)?$/,
    );
  t.end();
});

t.test('each method that a key may use makes a route, in order, and no other', (t) => {
  const methods = ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'POST', 'GET', 'TRACE', 'HEAD'];
  const yaml = routesYaml(
    [
      ...methods.map((method) => ({ method, path: '/a', listed: false, good: 1, lastSeen })),
      { method: 'HEAD', path: '/b', listed: false, good: 1, lastSeen },
    ],
    0,
  );
  t.same(
    [...yaml.matchAll(/method: (\w+), path: (\S+)/g)].map(([, method, path]) => `${method} ${path}`),
    ['DELETE /a', 'GET /a', 'PATCH /a', 'POST /a', 'PUT /a', 'HEAD /b'],
  );
  t.end();
});

t.test('that routes are missing is said', (t) => {
  const yaml = routesYaml([{ method: 'GET', path: '/a', listed: false, good: 1, lastSeen }], 3);
  t.equal(yaml.split('\n')[0], '# Some routes are missing: there were more than could be kept.');
  t.same(parse(yaml), { routes: [{ method: 'GET', path: '/a' }] });
  t.end();
});

t.test('routes by path, each parameter with a name of its own, HEAD where GET does not stand for it', (t) => {
  const route = (method: string, path: string, listed = false) => ({ method, path, listed, good: 3, lastSeen });
  const yaml = routesYaml(
    [
      route('POST', '/b'),
      route('GET', '/a/:id/b/:id', true),
      route('HEAD', '/a/:id/b/:id'),
      route('HEAD', '/b'),
      route('OPTIONS', '/b'),
    ],
    0,
  );
  t.same(parse(yaml), {
    routes: [
      { method: 'GET', path: '/a/:id/b/:id2' },
      { method: 'HEAD', path: '/b' },
      { method: 'POST', path: '/b' },
    ],
  });
  t.match(yaml, /\{ method: GET, path: \/a\/:id\/b\/:id2 \} # 3 good requests, last .*; listed already/);
  t.end();
});

t.test('routes that fit the same paths are one, so that the configuration takes them', (t) => {
  const route = (path: string, good: number, listed = false, at = lastSeen, method = 'GET') => ({
    method,
    path,
    listed,
    good,
    lastSeen: at,
  });
  const yaml = routesYaml(
    [
      route('/Reports/:id', 2),
      route('/reports/:id', 3),
      route('/REPORTS/:id', 1, false, '2026-03-03T00:00:00.000Z'),
      route('/reports/:id', 1, false, lastSeen, 'HEAD'),
      route('/v1/users/:id', 9),
      route('/v1/users/:user', 1, true),
    ],
    0,
  );
  t.same(parse(yaml), {
    routes: [
      { method: 'GET', path: '/reports/:id' },
      { method: 'GET', path: '/v1/users/:user' },
    ],
  });
  t.match(yaml, /path: \/reports\/:id \} # 6 good requests, last 2026-03-03T/);
  t.match(yaml, /path: \/v1\/users\/:user \} # 10 good requests, last .*; listed already/);
  t.end();
});
