import { createHash } from 'node:crypto';
import t from 'tap';
import { field, request, runAttacks, type Attack } from '../support/attack.ts';
import { startBackend } from '../support/backend.ts';
import { SERVER_KEY, SERVER_SECRET, startFlow, written } from '../support/flow.ts';
import { startPostern } from '../support/postern.ts';

const SERVER = 'secret-of-the-server-key';
const WEB = 'secret-of-the-web-key';
const ANY = 'secret-of-the-key-of-any-origin';
const OLD = 'secret-that-has-expired';
const OFF = 'secret-of-a-key-that-is-off';
const METRICS = 'secret-of-the-metrics-key';
const HOST = 'Host: a';
const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

const withFields = (name: string, fields: readonly string[], status: number): Attack => ({
  name: `${name}: ${fields.join(' / ')}`,
  bytes: request('GET /profile/1 HTTP/1.1', [HOST, ...fields]),
  answers: [status],
});
const bearer = (value: string): Attack => withFields('Authorization', [`Authorization: ${value}`], 401);

const WRONG: readonly Attack[] = [
  withFields('no credential', [], 401),
  ...[
    '',
    'Bearer',
    'Bearer ',
    'Basic',
    SERVER,
    `Token ${SERVER}`,
    `Bearer${SERVER}`,
    `Bearer:${SERVER}`,
    `Bearer\t${SERVER}`,
    `Bearer, ${SERVER}`,
    `Bearer "${SERVER}"`,
    `Bearer ${SERVER},`,
  ].map(bearer),
  ...[
    `Bearer ${SERVER} x`,
    `Bearer x ${SERVER}`,
    `Bearer ${SERVER}\xa0`,
    `Bearer ${SERVER}\t.`,
    `Bearer ${SERVER.toUpperCase()}`,
    `Bearer ${SERVER.slice(0, -1)}`,
    `Bearer ${SERVER}x`,
  ].map(bearer),
  ...[
    `Bearer ${hash(SERVER)}`,
    `Bearer sha256:${hash(SERVER)}`,
    `Bearer SHA256:${hash(SERVER)}`,
    'Bearer null',
    'Bearer undefined',
    'Bearer constructor',
    'Bearer __proto__',
    'Bearer toString',
  ].map(bearer),
  ...[
    'Bearer server',
    'Bearer *',
    'Bearer %',
    `Bearer ${encodeURIComponent(`${SERVER}/`)}`,
    `Basic ${Buffer.from(`${SERVER}:`).toString('base64')}`,
    `Basic ${Buffer.from(`:${SERVER}`).toString('base64')}`,
  ].map(bearer),
  ...[
    `Bearer ${OLD}`,
    `Bearer ${OFF}`,
    `Bearer ${METRICS}`,
    `Digest username="${SERVER}"`,
    `Negotiate ${SERVER}`,
    `Bearer ${'a'.repeat(8000)}`,
  ].map(bearer),
  withFields('the credential elsewhere', [`X-API-Key: ${SERVER}`], 401),
  withFields('the credential in a cookie', [`Cookie: Authorization=Bearer ${SERVER}`], 401),
  withFields('the credential in a look-alike', [`Authorization_: Bearer ${SERVER}`], 401),
  withFields('the credential for a proxy', [`Proxy-Authorization: Bearer ${SERVER}`], 401),
  {
    name: 'the credential in the query',
    bytes: request(`GET /profile/1?access_token=${SERVER} HTTP/1.1`, [HOST]),
    answers: [401],
  },
  {
    name: 'the credential in the body',
    bytes: request(
      'POST /profile HTTP/1.1',
      [HOST, 'Content-Type: application/x-www-form-urlencoded'],
      `access_token=${SERVER}`,
    ),
    answers: [401],
  },
];

const page = (key: string, fields: readonly string[], status: number, target = '/profile'): Attack => ({
  name: `${key} ${target} ${fields.join(' / ')}`,
  bytes: request(`POST ${target} HTTP/1.1`, [HOST, `Authorization: Bearer ${key}`, ...fields], '{}'),
  answers: [status],
  ...(status === 204 ? { forwarded: [`POST ${target} {}`] } : {}),
});

const ORIGINS: readonly Attack[] = [
  page(WEB, ['Origin: https://app.example'], 204),
  page(WEB, [], 204),
  ...[
    'null',
    '',
    'https://app.example.evil.example',
    'https://evil-app.example',
    'https://app.example:443',
    'https://app.example:8443',
    'http://app.example',
    'https://app.example/',
    'https://APP.example',
    'https://app.example.',
    'https://app.example@evil.example',
    'https://xapp.example',
    'https://sub.app.example',
    'https://app_example',
    'app.example',
    '//app.example',
    'https://app.example, https://evil.example',
    'https://evil.example https://app.example',
    '*',
    'file://',
    'https://app.example\x09x',
    'https://\xe1pp.example',
  ].map((origin) => page(WEB, [`Origin: ${origin}`], 403)),
  page(WEB, ['Origin: https://app.example', 'Origin: https://evil.example'], 403),
  page(WEB, ['Origin: https://app.example', 'Origin: https://app.example'], 403),
  page(SERVER, ['Origin: https://app.example'], 403),
  page(SERVER, ['Origin: null'], 403),
  page(SERVER, ['Origin:'], 403),
  page(SERVER, ['Sec-Fetch-Site: cross-site'], 403),
  page(SERVER, ['Sec-Fetch-Site: none'], 403),
  page(SERVER, ['sec-fetch-site:'], 403),
  page(ANY, ['Origin: https://anything.example'], 204),
];

const preflight = (fields: readonly string[], status: number, target = '/event/ingest'): Attack => ({
  name: `preflight ${target} ${fields.join(' / ')}`,
  bytes: request(`OPTIONS ${target} HTTP/1.1`, [HOST, ...fields]),
  answers: [status],
});
const ASKS = 'Access-Control-Request-Method: POST';

const PREFLIGHTS: readonly Attack[] = [
  preflight(['Origin: https://app.example', ASKS], 204),
  preflight(
    ['Origin: https://app.example', 'Access-Control-Request-Method: DELETE', 'Access-Control-Request-Headers: x-evil'],
    204,
  ),
  ...['https://evil.example', 'null', '', 'https://app.example.evil.example', 'https://APP.example'].map((origin) =>
    preflight([`Origin: ${origin}`, ASKS], 403),
  ),
  preflight(['Origin: https://app.example', 'Origin: https://evil.example', ASKS], 403),
  preflight([ASKS], 401),
  preflight(['Origin: https://app.example'], 401),
  preflight(['Origin: https://app.example', ASKS], 404, '/metrics/query'),
  preflight(['Origin: https://app.example', ASKS], 400, '/a/../b'),
];

t.test('a credential is its secret, in its place, from an admitted page', async (t) => {
  const backend = await startBackend(t);
  const keys = [
    { id: 'server', type: 'read-write', secret: SERVER },
    { id: 'web', type: 'write-only', secret: WEB, allowedOrigins: ['https://app.example'] },
    { id: 'old', type: 'read-write', secrets: [{ value: OLD, expiresAt: '2020-01-01T00:00:00Z' }] },
    { id: 'off', type: 'read-write', secret: OFF, enabled: false },
    { id: 'metrics', type: 'metrics', secret: METRICS, apiKey: 'api-key-of-the-metrics-key' },
  ];
  const config = { apis: { integration: { upstream: backend.url } } };
  const postern = await startPostern(t, { config, keys });
  const target = { port: postern.port, backend };
  await runAttacks(t, target, [...WRONG, ...ORIGINS.filter(({ name }) => !name.startsWith(ANY)), ...PREFLIGHTS]);
  const open = await startPostern(t, { config, keys: [...keys, { id: 'any', type: 'write-only', secret: ANY }] });
  await runAttacks(t, { port: open.port, backend }, [...ORIGINS, ...WRONG]);
});

t.test('a credential in a header of its own has one place and one spelling', async (t) => {
  const backend = await startBackend(t);
  const postern = await startPostern(t, {
    config: {
      apis: {
        integration: {
          upstream: backend.url,
          credential: ['header:x-api-key', 'query:api_key'],
          authorization: 'the-key-of-the-backend',
        },
      },
    },
    keys: [{ id: 'server', type: 'read-write', secret: SERVER }],
  });
  const sent = (
    name: string,
    lines: readonly string[],
    query: string,
    status: number,
    check?: Attack['check'],
  ): Attack => ({
    name,
    bytes: request(`GET /profile/1${query} HTTP/1.1`, [HOST, ...lines]),
    answers: [status],
    ...(check === undefined ? {} : { check }),
  });
  const replaced: Attack['check'] = (t, seen) => {
    t.equal(field(seen, 'x-api-key'), 'the-key-of-the-backend');
    for (const name of ['x_api_key', 'x.api.key', 'X_API-KEY']) t.equal(field(seen, name), undefined, name);
  };
  await runAttacks(t, { port: postern.port, backend }, [
    sent('repeated in the header', [`X-API-Key: ${SERVER}`, `x-api-key: ${SERVER}`], '', 400),
    sent('repeated in the query', [], `?api_key=${SERVER}&api_key=${SERVER}`, 400),
    sent('repeated in the query in another encoding', [], `?api_key=${SERVER}&api%5fkey=x`, 400),
    sent('two that differ', [`X-API-Key: ${SERVER}`], '?api_key=x', 401),
    sent('only a look-alike', [`X_API_Key: ${SERVER}`], '', 401),
    sent('in Authorization', [`Authorization: Bearer ${SERVER}`], '', 401),
    {
      ...sent(
        'a look-alike beside it',
        [`X-API-Key: ${SERVER}`, 'X_API_Key: the-master-key', 'x.api.key: the-master-key', 'X_API-KEY: the-master-key'],
        '',
        204,
        replaced,
      ),
      forwarded: ['GET /profile/1'],
    },
  ]);
});

t.test('no form brings a second credential beside its JSON', async (t) => {
  const limited = 'secret-of-the-limited-key';
  for (const [preset, path, fields] of [
    ['mixpanel', '/track', ['api_key', 'token', 'API_KEY']],
    ['mixpanel', '/engage', ['api_key', 'token']],
    ['posthog', '/e/', ['token', 'api_key']],
    ['posthog', '/flags/', ['token', 'api_key', 'Token']],
  ] as const) {
    const flow = await startFlow(t, {
      api: { preset },
      keys: [SERVER_KEY, { id: 'limited', type: 'write-only', secret: limited, allowedEvents: ['login'] }],
    });
    const send = async (rest: string): Promise<number> => {
      const event = JSON.stringify({ event: 'login', token: limited, properties: { token: limited } });
      const fields = ['Content-Type: application/x-www-form-urlencoded', `Authorization: Bearer ${limited}`];
      const body = `data=${encodeURIComponent(event)}${rest}`;
      return (await flow.raw(written({ target: path, secret: null, fields, body }))).status;
    };
    t.equal(await send(''), 204, `${preset} ${path}`);
    for (const field of fields) t.equal(await send(`&${field}=${SERVER_SECRET}`), 400, `${preset} ${path} ${field}`);
    t.equal(flow.backend.requests.length, 1);
  }
});
