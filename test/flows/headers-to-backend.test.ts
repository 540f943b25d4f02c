import t from 'tap';
import { EVENTS_SECRET, SERVER_SECRET, startFlow, written } from '../support/flow.ts';

t.test('what passes keeps its order, its spelling and its repetitions', async (t) => {
  const { raw, backend, postern } = await startFlow(t);
  await raw(
    written({
      target: '/profile/%7euser?q=%zz&a=b%20c',
      fields: [
        'zEBRA: 1',
        'Accept: */*',
        'X-Multi: a',
        'cookie: s=1',
        'X-Multi: b',
        'x-latin: caf\u00e9',
        'X-Empty:',
        'traceparent: 00-a-b-01',
        'tracestate: x=1',
        'Content-Type: application/json',
        'Accept-Version: 9.9.9',
      ],
      body: '{}',
    }),
  );
  const [request] = backend.requests;
  t.equal(request?.url, '/profile/~user?q=%zz&a=b%20c');
  t.same(pairs(request?.rawHeaders), [
    ['zEBRA', '1'],
    ['Accept', '*/*'],
    ['X-Multi', 'a'],
    ['cookie', 's=1'],
    ['X-Multi', 'b'],
    ['x-latin', 'caf\u00e9'],
    ['X-Empty', ''],
    ['traceparent', '00-a-b-01'],
    ['tracestate', 'x=1'],
    ['Content-Type', 'application/json'],
    ['Accept-Version', '9.9.9'],
    ['X-Forwarded-For', '127.0.0.1'],
    ['X-Forwarded-Proto', 'http'],
    ['X-Forwarded-Host', 'api.test'],
    ['X-Request-Id', request?.headers['x-request-id']],
    ['Postern-Key-Id', 'server'],
    ['Postern-Key-Type', 'read-write'],
  ]);
  t.equal(request?.headers['content-length'], '2');
  t.equal(request?.headers.host, `127.0.0.1:${backend.port}`);
  t.not(request?.headers.host, `127.0.0.1:${postern.port}`);
});

t.test('nothing that a lenient backend would believe gets through', async (t) => {
  const { raw, backend } = await startFlow(t);
  const hopByHop = [
    'Connection: keep-alive, X-Hop, X-Request-Id, Postern-Key-Id',
    'X-Hop: x',
    'Keep-Alive: x',
    'TE: trailers',
    'Proxy-Connection: x',
    'Proxy-Authorization: x',
    'Trailer: X-T',
  ];
  const names = [
    'Postern-Key-Id',
    'postern_key_id',
    'POSTERN.KEY.TYPE',
    'Postern-Anything',
    'X_Forwarded_For',
    'X.Forwarded.Host',
    'x_request_id',
    'X-Forwarded-Proto',
    'X-Forwarded-Host',
    'X-Original-URL',
    'X-Rewrite-URL',
    'X-Forwarded-Uri',
    'X-Forwarded-Prefix',
    'Forwarded',
    'X-Real-IP',
    'X_Real_IP',
    'True-Client-IP',
    'CF-Connecting-IP',
    'X-Client-IP',
    'X-Cluster-Client-IP',
    'X-HTTP-Method-Override',
    'Content_Type',
    'Authorization_',
    'X-Kept',
  ];
  await raw(written({ fields: [...hopByHop, ...names.map((name) => `${name}: forged`)], body: '{}' }));
  const seen = pairs(backend.requests[0]?.rawHeaders);
  t.same(
    seen.filter(([, value]) => value === 'forged').map(([name]) => name),
    ['Authorization_', 'X-Kept'],
  );
  for (const name of ['X-Hop', 'Keep-Alive', 'TE', 'Proxy-Connection', 'Proxy-Authorization', 'Trailer'])
    t.notOk(
      seen.some(([seenName, value]) => seenName?.toLowerCase() === name.toLowerCase() && value === 'x'),
      name,
    );
  t.match(backend.requests[0]?.headers, {
    'postern-key-id': 'server',
    'x-request-id': /./,
    'x-forwarded-host': 'api.test',
  });
});

t.test(
  'the request id is the client\u2019s if it can do no harm, else a new one, and the same everywhere',
  async (t) => {
    const { raw, backend } = await startFlow(t);
    const kept = ['a', 'A-b_c.9', 'x'.repeat(128)];
    for (const id of kept) {
      const answer = await raw(written({ fields: [`X-Request-Id: ${id}`], body: '{}' }));
      t.equal(answer.headers['x-request-id'], id);
      t.equal(backend.requests.at(-1)?.headers['x-request-id'], id);
    }
    for (const id of ['', 'a b', 'x'.repeat(129), 'a"b', 'a/b', 'caf\u00e9']) {
      const answer = await raw(written({ fields: [`X-Request-Id: ${id}`], body: '{}' }));
      t.match(answer.headers['x-request-id'], /^[A-Za-z0-9._-]{1,128}$/);
      t.not(answer.headers['x-request-id'], id);
      t.equal(backend.requests.at(-1)?.headers['x-request-id'], answer.headers['x-request-id']);
    }
  },
);

t.test('a trusted proxy is believed by two fields alone, and about users, who are not judged here', async (t) => {
  const { raw, backend } = await startFlow(t, { listen: { trustedProxies: ['127.0.0.1'] } });
  const user = ['X-Forwarded-User: kim', 'Remote-User: kim', 'X-Forwarded-Email: kim@a.test'];
  const others = [
    'X-Forwarded-Port: 8443',
    'X-Forwarded-Ssl: off',
    'X-Scheme: http',
    'X-Real-IP: 192.0.2.9',
    'Client-IP: 192.0.2.9',
  ];
  await raw(
    written({ fields: ['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-Proto: https', ...user, ...others], body: '{}' }),
  );
  const names = backend.requests[0]?.rawHeaders.filter((_, i) => i % 2 === 0);
  t.match(backend.requests[0]?.headers, {
    'x-forwarded-for': '192.0.2.1, 127.0.0.1',
    'x-forwarded-proto': 'https',
    'x-forwarded-user': 'kim',
    'remote-user': 'kim',
    'x-forwarded-email': 'kim@a.test',
  });
  for (const line of others) t.notOk(names?.includes(line.split(':')[0] as string), line);
});

t.test('a trusted proxy is believed about the scheme, if it says one of two', async (t) => {
  const { raw, backend } = await startFlow(t, { listen: { trustedProxies: ['127.0.0.1'] } });
  for (const [said, sent] of [
    ['https', 'https'],
    ['http', 'http'],
    ['HTTPS', 'http'],
    ['https, http', 'http'],
    ['ws', 'http'],
    ['', 'http'],
  ] as const) {
    await raw(written({ fields: [`X-Forwarded-Proto: ${said}`, 'X-Forwarded-For: 192.0.2.1'], body: '{}' }));
    t.match(
      backend.requests.at(-1)?.headers,
      { 'x-forwarded-proto': sent, 'x-forwarded-for': '192.0.2.1, 127.0.0.1' },
      said,
    );
  }
  const twice = ['X-Forwarded-Proto: https', 'X-Forwarded-For: 192.0.2.1', 'x-forwarded-proto: http'];
  for (const fields of [twice, twice.toReversed()]) {
    await raw(written({ fields, body: '{}' }));
    t.equal(
      backend.requests.at(-1)?.headers['x-forwarded-proto'],
      'http',
      'said twice, it may be the client who said it',
    );
  }
});

t.test('Authorization and Host as the configuration says', async (t) => {
  for (const [api, authorization] of [
    [{ authorization: 'pass' }, `Bearer ${SERVER_SECRET}`],
    [{ authorization: 'strip' }, undefined],
    [{ authorization: 'Bearer of-the-upstream', preserveHost: true }, 'Bearer of-the-upstream'],
  ] as const) {
    const { raw, backend } = await startFlow(t, { api });
    await raw(written({ body: '{}' }));
    t.equal(backend.requests[0]?.headers.authorization, authorization);
    t.equal(backend.requests[0]?.headers.host, 'preserveHost' in api ? 'api.test' : `127.0.0.1:${backend.port}`);
  }
});

/** Without what HTTP/1.1 connections need: Host, Connection and the framing. */
function pairs(rawHeaders: readonly string[] = []): (string | undefined)[][] {
  const all = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name, rawHeaders[i + 1]]] : []));
  return all.filter(([name = '']) => !['host', 'connection', 'content-length'].includes(name.toLowerCase()));
}

t.test('the session of the console never reaches a backend', async (t) => {
  const { raw, backend } = await startFlow(t);
  for (const [cookie, left] of [
    ['postern_session=abc', undefined],
    ['a=1; postern_session=abc; b=2', 'a=1; b=2'],
    ['postern_session=abc; b=2', 'b=2'],
  ] as const)
    for (const name of ['Cookie', 'cookie', 'COOKIE']) {
      t.equal((await raw(written({ fields: [`${name}: ${cookie}`], body: '{}' }))).status, 204);
      t.equal(backend.requests.at(-1)?.headers.cookie, left, `${name}: ${cookie}`);
      t.notMatch(backend.requests.at(-1)?.rawHeaders.join(), 'postern_session');
    }
});

t.test('what describes a body does not go on with another one, in no spelling', async (t) => {
  const { raw, backend } = await startFlow(t);
  const names = ['Content-MD5', 'Digest', 'Content-Digest', 'Repr-Digest'];
  const folded = ['Content_MD5', 'Content_Digest', 'Repr_Digest', 'content.digest', 'REPR_DIGEST', 'Content_Encoding'];
  const send = (body: string) =>
    raw(
      written({
        secret: EVENTS_SECRET,
        target: '/event/ingest/batch',
        body,
        fields: ['Content-Type: application/json', ...[...names, ...folded].map((name) => `${name}: x`)],
      }),
    );
  const sent = () => {
    const { rawHeaders } = backend.requests.at(-1) as { rawHeaders: readonly string[] };
    return rawHeaders.filter((name, i) => i % 2 === 0 && [...names, ...folded].includes(name));
  };
  t.equal((await send('{"events":[{"name":"login"},{"name":"x"}]}')).status, 204);
  t.equal(backend.requests.at(-1)?.body.toString(), '{"events":[{"name":"login"}]}');
  t.same(sent(), []);
  t.equal((await send('{"events":[{"name":"login"}]}')).status, 204);
  t.same(sent(), names, 'as it was sent, the body is what they say');
});

/** Written out: what a client sends under one of these names, in whatever spelling, is not what a backend may get. */
const NEVER = [
  'Keep-Alive',
  'Proxy-Connection',
  'Proxy-Authenticate',
  'Proxy-Authorization',
  'TE',
  'HTTP2-Settings',
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'X-Forwarded-Host',
  'X-Original-URL',
  'X-Rewrite-URL',
  'X-Forwarded-Uri',
  'X-Forwarded-Prefix',
  'Forwarded',
  'X-Real-IP',
  'True-Client-IP',
  'CF-Connecting-IP',
  'X-Client-IP',
  'X-Cluster-Client-IP',
  'X-HTTP-Method-Override',
  'X-HTTP-Method',
  'X-Method-Override',
  'Trailer',
  'Proxy',
  'Postern-Key-Id',
  'Postern-Key-Type',
  'Postern-Anything',
];

t.test(
  'each name that is Postern\u2019s, the connection\u2019s or means another request is dropped, in each spelling',
  async (t) => {
    const { raw, backend } = await startFlow(t);
    for (const name of NEVER) {
      const spellings = [
        name,
        name.toLowerCase(),
        name.toUpperCase(),
        name.replaceAll('-', '_'),
        name.replace('-', '.'),
      ];
      const fields = [...new Set(spellings)].map((spelling) => `${spelling}: 203.0.113.99`);
      t.equal((await raw(written({ fields, body: '{}' }))).status, 204, name);
      t.notMatch(backend.requests.at(-1)?.rawHeaders.join('\n'), /203\.0\.113\.99/, name);
    }
  },
);

t.test('each name that was judged goes on in its own spelling, and in no other', async (t) => {
  const { raw, backend } = await startFlow(t);
  for (const name of ['Content-Type', 'Cache-Control', 'Access-Control-Request-Headers'])
    for (const spelling of [name, name.replaceAll('-', '_'), name.replace('-', '.'), name.replace('-', '~')]) {
      t.equal((await raw(written({ fields: [`${spelling}: text/x-mark`], body: '{}' }))).status, 204, spelling);
      const sent = backend.requests.at(-1)?.rawHeaders.includes('text/x-mark');
      t.equal(sent, spelling === name, spelling);
    }
  for (const spelling of ['Content_Encoding', 'Sec_Fetch_Site', 'Access_Control_Request_Method', 'Authorization_']) {
    await raw(written({ fields: [`${spelling}: x-mark`], body: '{}' }));
    const isOther = spelling === 'Authorization_';
    t.equal(backend.requests.at(-1)?.rawHeaders.includes('x-mark'), isOther, spelling);
  }
});

t.test('an identifier of the client goes on if it can do no harm, up to 128 characters', async (t) => {
  const { raw, backend } = await startFlow(t);
  const idFor = async (value: string) => {
    const answer = await raw(written({ fields: [`X-Request-Id: ${value}`], body: '{}' }));
    t.equal(backend.requests.at(-1)?.headers['x-request-id'], answer.headers['x-request-id'], 'one for all');
    return answer.headers['x-request-id'];
  };
  for (const value of ['a', 'A.b_c-9', 'x'.repeat(128)]) t.equal(await idFor(value), value);
  for (const value of ['x'.repeat(129), 'a b', 'a,b', 'a"b', 'a/b', '\u00e9'])
    t.match(await idFor(value), /^[\w-]{12}\.[a-z0-9]+$/, value);
});
