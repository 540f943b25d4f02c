import t from 'tap';
import { codeOf, SERVER_KEY, startFlow, WEB_KEY, written } from '../support/flow.ts';

const ORIGIN = 'https://shop.example';

const preflight = (origin: string, ...fields: readonly string[]) =>
  written({
    method: 'OPTIONS',
    target: '/event/ingest/batch',
    secret: null,
    fields: [`Origin: ${origin}`, 'Access-Control-Request-Method: POST', ...fields],
  });

t.test('Postern answers a preflight itself', async (t) => {
  const { raw, backend } = await startFlow(t, {
    keys: [SERVER_KEY, { ...WEB_KEY, allowedOrigins: [ORIGIN] }],
    api: { cors: { allowedHeaders: ['Authorization', 'content-type'], maxAgeSeconds: 60 } },
  });
  const answer = await raw(preflight(ORIGIN, 'Access-Control-Request-Headers: Content-Type,authorization, x-evil'));
  t.equal(answer.status, 204);
  t.match(answer.headers, {
    'access-control-allow-origin': ORIGIN,
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'content-type, authorization',
    'access-control-max-age': '60',
    vary: 'Origin',
    'x-request-id': /./,
  });
  t.equal(answer.headers['content-length'], undefined);
  t.equal(answer.headers['access-control-allow-credentials'], undefined);
  t.notOk('access-control-allow-headers' in (await raw(preflight(ORIGIN))).headers);
  t.notOk(
    'access-control-allow-headers' in (await raw(preflight(ORIGIN, 'Access-Control-Request-Headers: x-evil'))).headers,
  );
  t.equal(backend.requests.length, 0);
});

t.test('an origin that no enabled key for pages admits is refused', async (t) => {
  const { raw, postern } = await startFlow(t, {
    keys: [
      { ...WEB_KEY, allowedOrigins: [ORIGIN] },
      {
        id: 'off',
        type: 'write-only',
        enabled: false,
        secret: 'secret-of-a-disabled-key',
        allowedOrigins: ['https://off.example'],
      },
      { id: 'server', type: 'read-write', secret: 'secret-of-a-server', allowedOrigins: ['https://evil.example'] },
    ],
  });
  for (const origin of ['https://evil.example', 'https://off.example', 'null', `${ORIGIN}.evil`, '']) {
    const answer = await raw(preflight(origin));
    t.same([answer.status, codeOf(answer)], [403, 'cors_not_allowed'], origin);
    t.equal(answer.headers['access-control-allow-origin'], undefined);
  }
  t.equal((await raw(preflight(ORIGIN, 'Origin: https://evil.example'))).status, 403, 'two origins are none');
  t.equal((await raw(preflight(ORIGIN))).status, 204);

  postern.writeKeys([{ ...WEB_KEY, allowedOrigins: ['https://evil.example'] }]);
  await postern.sidecar.reload();
  t.equal((await raw(preflight('https://evil.example'))).status, 204, 'a reload changes the origins');
  t.equal((await raw(preflight(ORIGIN))).status, 403);
});

t.test('cookies are allowed to origins that an enabled key names, where the API allows them at all', async (t) => {
  const keys = [
    { ...WEB_KEY, allowedOrigins: [ORIGIN] },
    { id: 'every', type: 'write-only', secret: 'secret-for-every-page' },
    {
      id: 'off',
      type: 'write-only',
      enabled: false,
      secret: 'secret-of-a-disabled-key',
      allowedOrigins: ['https://off.example'],
    },
  ];
  for (const [allowCredentials, named] of [
    [true, 'true'],
    [false, undefined],
  ] as const) {
    const { raw } = await startFlow(t, { keys, api: { cors: { allowCredentials } } });
    for (const [origin, expected] of [
      [ORIGIN, named],
      ['https://other.example', undefined],
      ['https://off.example', undefined],
      ['null', undefined],
    ] as const) {
      const { status, headers } = await raw(preflight(origin));
      t.same([status, headers['access-control-allow-credentials']], [204, expected], origin);
    }
    const refused = await raw(written({ secret: null, fields: [`Origin: ${ORIGIN}`] }));
    t.equal(refused.headers['access-control-allow-credentials'], named);
    const every = await raw(written({ secret: 'secret-for-every-page', fields: [`Origin: ${ORIGIN}`], body: '{}' }));
    t.equal(every.headers['access-control-allow-credentials'], undefined);
    const own = await raw(written({ secret: WEB_KEY.secret, fields: [`Origin: ${ORIGIN}`], body: '{}' }));
    t.equal(own.headers['access-control-allow-credentials'], named);
  }
});

t.test('any origin, if some key is for every page', async (t) => {
  const { raw } = await startFlow(t);
  for (const origin of [ORIGIN, 'null'])
    t.match((await raw(preflight(origin))).headers, { 'access-control-allow-origin': origin });
});

t.test('OPTIONS that is no preflight needs a credential, and is nobody\u2019s method', async (t) => {
  const { raw, backend } = await startFlow(t);
  for (const fields of [[], [`Origin: ${ORIGIN}`], ['Access-Control-Request-Method: POST']]) {
    const answer = await raw(written({ method: 'OPTIONS', secret: null, fields }));
    t.equal(codeOf(answer), 'missing_credential');
  }
  t.equal(backend.requests.length, 0);
});

t.test('a preflight has to be well-formed like any other request', async (t) => {
  const { raw } = await startFlow(t);
  const to = (target: string) => raw(preflight(ORIGIN).toString('latin1').replace('/event/ingest/batch', target));
  t.equal(codeOf(await to('/a/../b')), 'ambiguous_path');
  t.equal(codeOf(await to('/metrics/query')), 'no_route');
});
