/** Each refusal in front of an API in report mode: the request passes as it came, or no mode lets it through, as the docs say. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { REFUSALS, type RefusalCode } from '../../src/refusal.ts';
import type { RecordedRequest } from '../support/backend.ts';
import { EVENTS_SECRET, SERVER_SECRET, startFlow, WEB_SECRET, written, codeOf, type Flow } from '../support/flow.ts';

const ORIGIN = 'https://a.example';
const FAR_SECRET = 'secret-of-the-far-key';
const SLOW_SECRET = 'secret-of-the-slow-key';
const KEYS = [
  { id: 'server', type: 'read-write', secret: SERVER_SECRET },
  { id: 'web', type: 'write-only', secret: WEB_SECRET, allowedOrigins: [ORIGIN] },
  { id: 'events', type: 'write-only', secret: EVENTS_SECRET, allowedEvents: ['login'], allowedOrigins: [ORIGIN] },
  { id: 'far', type: 'read-write', secret: FAR_SECRET, allowFrom: [] },
  { id: 'slow', type: 'read-write', secret: SLOW_SECRET, rateLimit: { requests: 1, windowSeconds: 600 } },
];
const MAX_BODY = 1000;
const LARGE = 'x'.repeat(50_000);
const OPENING = '{"name":"login","x":"';

interface Sent {
  readonly method?: string;
  readonly target?: string;
  readonly secret?: string | null;
  readonly fields?: readonly string[];
  readonly body?: string;
  /** In place of Content-Length. */
  readonly chunked?: boolean;
}

const events = (body: string, more: Sent = {}): Sent => ({ secret: EVENTS_SECRET, body, ...more });

/** What passes in report mode: in enforcement each is refused with its code. */
const PASSES: Readonly<Partial<Record<RefusalCode, readonly Sent[]>>> = {
  malformed_request: [
    { method: 'GET', body: 'a body on GET' },
    { method: 'GET', body: 'and in chunks', chunked: true },
    { method: 'HEAD', body: 'x' },
    { fields: ['Content-Type: a/b', 'Content-Type: c/d'], body: 'x' },
    { fields: ['Authorization: Basic bGVnYWN5OnB3'] },
  ],
  ambiguous_path: ['/a/../b?c=%2e&d', '/a//b', '//a', '/a;v=1/b.', '/a%2fb%5c%20', '/%2e%2e/a', '/a\\b'].map(
    (target) => ({ target, fields: ['X-Http-Method-Override: PUT'], body: '{"a":1}' }),
  ),
  invalid_json: [events('{'), events(`\ufeff{"name":"login"}`)],
  invalid_event_body: [events('[]')],
  ambiguous_body: [events('{"name":"login","Name":"x"}')],
  missing_credential: [
    { secret: null, body: 'x' },
    { secret: null, method: 'DELETE' },
  ],
  invalid_credential: [{ secret: 'a-secret-of-the-backend', body: 'x' }],
  address_denied: [{ fields: ['X-Forwarded-For: 203.0.113.9'], body: 'x' }],
  ip_not_allowed: [{ secret: FAR_SECRET, body: 'x' }],
  browser_not_allowed: [{ fields: [`Origin: ${ORIGIN}`], body: 'x' }],
  origin_not_allowed: [{ secret: WEB_SECRET, fields: ['Origin: https://b.example'], body: 'x' }],
  cors_not_allowed: [
    { method: 'OPTIONS', secret: null, fields: ['Origin: https://b.example', 'Access-Control-Request-Method: PUT'] },
  ],
  method_not_allowed: [
    { secret: WEB_SECRET, method: 'PUT', body: 'x' },
    { secret: WEB_SECRET, target: '/a?_method=PUT', body: 'x' },
  ],
  route_not_allowed: [events('{}', { target: '/other-path' })],
  query_not_allowed: [events('{"name":"login"}', { target: '/event/ingest?name=x' })],
  event_not_allowed: [events('{"name":"rogue"}')],
  body_too_large: [
    { body: LARGE },
    { body: LARGE, chunked: true },
    { body: 'x'.repeat(MAX_BODY + 1), chunked: true },
    events(`${OPENING}${LARGE}"}`),
    events(`${OPENING}${LARGE}"}`, { chunked: true }),
  ],
  unsupported_media_type: [
    events('{"name":"login"}', { fields: ['Content-Type: text/xml'] }),
    { secret: WEB_SECRET, fields: ['Content-Type: application/x-www-form-urlencoded'], body: '_method=PUT' },
  ],
  unsupported_encoding: [events('{"name":"login"}', { fields: ['Content-Encoding: compress'] })],
  rate_limited: [{ secret: SLOW_SECRET, body: 'x' }],
};

const form = 'grant_type=client_credentials&client_id=server&client_secret=wrong';
const FORM = 'Content-Type: application/x-www-form-urlencoded';

/** What no mode lets through. null: it is tested where it can be brought about. */
const NEVER: Readonly<Partial<Record<RefusalCode, readonly Buffer[] | null>>> = {
  malformed_request: [
    written({ fields: ['Transfer-Encoding: chunked'], body: 'x' }),
    written({ target: 'http://api.test/a' }),
    written({ target: '/a#b' }),
    written({ fields: ['Host: api.test'] }),
    // What Postern answers itself has to be in order.
    written({ target: '/token', fields: ['Content-Type: a/b', FORM], body: form }),
  ],
  ambiguous_path: [
    '/a/../other/x',
    '/a%2f..%2fOTHER',
    '/x;/..\\other',
    '/other//x',
    '/%2e/other',
    '/a%u002f',
    '/a/%ff//b',
    '/x//../token',
  ].map((target) => written({ target, body: 'x' })),
  invalid_client: [written({ target: '/token', fields: [FORM], body: form })],
  invalid_request: [written({ target: '/token', fields: ['Content-Type: application/json'], body: '{}' })],
  address_denied: [written({ fields: ['X-Forwarded-For: 203.0.113.66'], body: 'x' })],
  no_route: [Buffer.from('GET /a HTTP/1.1\r\nHost: nobody.test\r\n\r\n')],
  method_not_supported: [written({ method: 'TRACE' })],
  expectation_failed: [written({ fields: ['Expect: 200-ok'], body: 'x' })],
  header_fields_too_large: [written({ fields: [`Cookie: ${'c'.repeat(40_000)}`] })],
  not_implemented: [written({ fields: ['Connection: upgrade', 'Upgrade: websocket'] })],
  version_not_supported: [Buffer.from('GET /a HTTP/2.0\r\nHost: api.test\r\n\r\n')],
  request_timeout: null,
  internal_error: null,
  not_ready: null,
  overloaded: null,
  upstream_unreachable: null,
  upstream_timeout: null,
};

const start = (enforcement: 'enforce' | 'report') =>
  startFlow(t, {
    api: {
      enforcement,
      hosts: ['api.test'],
      denyFrom: ['203.0.113.9'],
      maxBodyBytes: MAX_BODY,
      token: { path: '/token' },
    },
    apis: { other: { paths: ['/other'] } },
    listen: { trustedProxies: ['127.0.0.1'], denyFrom: ['203.0.113.66'], maxHeaderBytes: 32_768 },
    keys: KEYS,
  });

function bytesOf({ chunked = false, fields = [], body = '', ...rest }: Sent): Buffer {
  if (!chunked) return written({ ...rest, fields, ...(body === '' ? {} : { body }) });
  const head = written({ ...rest, fields: [...fields, 'Transfer-Encoding: chunked'] });
  const size = Buffer.byteLength(body).toString(16);
  return Buffer.concat([head, Buffer.from(`${size}\r\n${body}\r\n0\r\n\r\n`)]);
}

/** What of the request did not arrive as it was sent. */
function changedIn(sent: Sent, received: RecordedRequest | undefined): readonly string[] {
  if (received === undefined) return ['it was not forwarded'];
  const { method = 'POST', target = '/event/ingest', secret = SERVER_SECRET, fields = [], body = '' } = sent;
  const lines: string[] = [];
  for (let i = 0; i < received.rawHeaders.length; i += 2)
    lines.push(`${received.rawHeaders[i]}: ${received.rawHeaders[i + 1]}`);
  const expected = fields.filter((line) => !line.startsWith('X-Forwarded-For'));
  if (secret !== null) expected.unshift(`Authorization: Bearer ${secret}`);
  const wrong = expected.filter((line) => !lines.includes(line));
  const repeated = ['Content-Type', 'Authorization'].filter(
    (name) =>
      lines.filter((line) => line.startsWith(`${name}: `)).length !==
      expected.filter((line) => line.startsWith(`${name}: `)).length,
  );
  if (received.method !== method || received.url !== target) wrong.push(`${received.method} ${received.url}`);
  if (received.body.toString() !== body) wrong.push(`a body of ${received.body.length} bytes`);
  return [...wrong, ...repeated];
}

t.test(
  'in report mode each refusal of a request that can be passed on whole is noted, and the request passes as it came',
  async (t) => {
    const [enforcing, reporting] = await Promise.all([start('enforce'), start('report')]);
    await Promise.all([enforcing, reporting].map(({ raw }) => raw(written({ secret: SLOW_SECRET }))));
    for (const [code, all] of Object.entries(PASSES))
      for (const sent of all) {
        const bytes = bytesOf(sent);
        const name = `${code}: ${bytes.toString('latin1').slice(0, 60)} ${bytes.length}`;
        const refused = await enforcing.raw(bytes);
        t.equal(refused.status, REFUSALS[code as RefusalCode].status, name);
        if (sent.method !== 'HEAD') t.equal(codeOf(refused), code, name);
        const before = reporting.backend.requests.length;
        t.equal((await reporting.raw(bytes)).status, 204, name);
        t.equal(reporting.backend.requests.length, before + 1, name);
        t.same(changedIn(sent, reporting.backend.requests.at(-1)), [], name);
        const { reason: told } = enforcing.postern.lines.at(-1) ?? {};
        t.match(
          reporting.postern.lines.at(-1),
          { msg: 'would_reject', mode: 'report', reason: told, status: 204, api: 'integration' },
          name,
        );
      }
    t.equal(
      await reporting.postern.metric(rejections('integration', 'ambiguous_path', 'report')),
      PASSES.ambiguous_path?.length,
    );
  },
);

const rejections = (api: string, reason: string, mode: string): string =>
  `postern_rejections_total{api="${api}",key="",reason="${reason}",mode="${mode}"}`;

t.test('what no mode lets through is refused, and counted as such', async (t) => {
  const { raw, postern, backend }: Flow = await start('report');
  for (const [code, all] of Object.entries(NEVER))
    for (const bytes of all ?? []) {
      const name = `${code}: ${bytes.toString('latin1').slice(0, 60)}`;
      t.equal((await raw(bytes)).status, REFUSALS[code as RefusalCode].status, name);
      t.match(postern.lines.at(-1), { msg: 'rejected', mode: 'enforce', reason: code }, name);
    }
  t.equal(backend.requests.length, 0);
});

t.test('every refusal is of one kind or of both, and the docs list what no mode lets through', (t) => {
  const tested = new Set([...Object.keys(PASSES), ...Object.keys(NEVER)]);
  t.same(
    Object.keys(REFUSALS).filter((code) => !tested.has(code)),
    [],
  );
  const [, list = ''] = readFileSync('docs/report-mode.md', 'utf8').split('## What no mode lets through');
  const listed = [...(list.split('\n## ')[0] ?? '').matchAll(/^\| `(\w+)`/gm)].map(([, code]) => code);
  t.same(listed.sort(), Object.keys(NEVER).sort());
  t.end();
});
