/** What a caller gets with each refusal that can be brought about over one connection: a table from outside. */
import t from 'tap';
import {
  codeOf,
  EVENTS_KEY,
  EVENTS_SECRET,
  SERVER_KEY,
  SERVER_SECRET,
  startFlow,
  WEB_KEY,
  WEB_SECRET,
  written,
} from '../support/flow.ts';

const FAR = { id: 'far', type: 'read-write', secret: 'secret-of-the-far-key', allowFrom: ['203.0.113.7'] };
const OFF = { id: 'off', type: 'read-write', secret: 'secret-of-the-off-key', enabled: false };
const OLD = { id: 'old', type: 'read-write', secret: 'secret-of-the-old-key', expiresAt: '2020-01-01T00:00:00Z' };
const PAGE = {
  id: 'page',
  type: 'write-only',
  secret: 'secret-of-the-page-key',
  allowedOrigins: ['https://a.example'],
};
const KEYS = [SERVER_KEY, WEB_KEY, EVENTS_KEY, FAR, OFF, OLD, PAGE];

const JSON_TYPE = 'Content-Type: application/json';
const BATCH = '/event/ingest/batch';
const lines = (...text: readonly string[]): string => `${text.join('\r\n')}\r\n\r\n`;
const AUTHORIZED = `Authorization: Bearer ${SERVER_SECRET}`;

interface Case {
  readonly code: string;
  readonly status: number;
  readonly bytes: string | Buffer;
  /** Whether the connection closes, whatever the client asked for. */
  readonly closes?: boolean;
}

const events = (body: string, fields: readonly string[] = [JSON_TYPE], target = '/event/ingest') =>
  written({ secret: EVENTS_SECRET, target, body, fields });

const CASES: Readonly<Record<string, Case>> = {
  'no Host': { code: 'malformed_request', status: 400, closes: true, bytes: lines('GET / HTTP/1.1', AUTHORIZED) },
  'a fragment': {
    code: 'malformed_request',
    status: 400,
    closes: true,
    bytes: lines('GET /#a HTTP/1.1', 'Host: a', AUTHORIZED),
  },
  'two credentials': {
    code: 'malformed_request',
    status: 400,
    closes: true,
    bytes: lines('GET / HTTP/1.1', 'Host: a', AUTHORIZED, AUTHORIZED),
  },
  'a body on GET': {
    code: 'malformed_request',
    status: 400,
    closes: true,
    bytes: lines('GET / HTTP/1.1', 'Host: a', AUTHORIZED, 'Content-Length: 1'),
  },
  'a dot segment that is encoded twice': {
    code: 'ambiguous_path',
    status: 400,
    bytes: written({ method: 'GET', target: '/a/%252e%252e/b' }),
  },
  'no JSON': { code: 'invalid_json', status: 400, bytes: events('{') },
  'an event that is a list': { code: 'invalid_event_body', status: 400, bytes: events('[]') },
  'two names': { code: 'ambiguous_body', status: 400, bytes: events('{"name":"login","Name":"x"}') },
  'no credential': { code: 'missing_credential', status: 401, bytes: written({ method: 'GET', secret: null }) },
  'an unknown credential': {
    code: 'invalid_credential',
    status: 401,
    bytes: written({ method: 'GET', secret: 'wrong' }),
  },
  'a disabled key': { code: 'invalid_credential', status: 401, bytes: written({ method: 'GET', secret: OFF.secret }) },
  'an expired key': { code: 'invalid_credential', status: 401, bytes: written({ method: 'GET', secret: OLD.secret }) },
  'another address': { code: 'ip_not_allowed', status: 403, bytes: written({ method: 'GET', secret: FAR.secret }) },
  'a page with a key for servers': {
    code: 'browser_not_allowed',
    status: 403,
    bytes: written({ method: 'GET', fields: ['Origin: https://a.example'] }),
  },
  'a page of another origin': {
    code: 'origin_not_allowed',
    status: 403,
    bytes: written({ secret: PAGE.secret, body: '{}', fields: ['Origin: https://b.example'] }),
  },
  'reading with a key for writing': {
    code: 'method_not_allowed',
    status: 403,
    bytes: written({ method: 'GET', secret: WEB_SECRET }),
  },
  'another route than those of its events': {
    code: 'route_not_allowed',
    status: 403,
    bytes: events('{}', [JSON_TYPE], '/x'),
  },
  'another event': { code: 'event_not_allowed', status: 403, bytes: events('{"name":"other"}') },
  'a batch of other events': {
    code: 'event_not_allowed',
    status: 403,
    bytes: events('{"events":[{"name":"other"}]}', [JSON_TYPE], BATCH),
  },
  'an API that is not there': {
    code: 'no_route',
    status: 404,
    bytes: written({ target: '/metrics/query', body: '{}' }),
  },
  TRACE: {
    code: 'method_not_supported',
    status: 405,
    closes: true,
    bytes: lines('TRACE / HTTP/1.1', 'Host: a', AUTHORIZED),
  },
  'a body that is too large': {
    code: 'body_too_large',
    status: 413,
    closes: true,
    bytes: lines('POST / HTTP/1.1', 'Host: a', AUTHORIZED, 'Content-Length: 2001'),
  },
  'another type': {
    code: 'unsupported_media_type',
    status: 415,
    bytes: events('{"name":"login"}', ['Content-Type: text/html']),
  },
  'another coding': {
    code: 'unsupported_encoding',
    status: 415,
    bytes: events('{"name":"login"}', [JSON_TYPE, 'Content-Encoding: x-other']),
  },
  'another expectation': {
    code: 'expectation_failed',
    status: 417,
    closes: true,
    bytes: lines('POST / HTTP/1.1', 'Host: a', AUTHORIZED, 'Content-Length: 0', 'Expect: other'),
  },
  'too many fields': {
    code: 'header_fields_too_large',
    status: 431,
    closes: true,
    bytes: lines('GET / HTTP/1.1', 'Host: a', AUTHORIZED, ...Array.from({ length: 1000 }, () => 'A: b')),
  },
  'another transfer coding': {
    code: 'not_implemented',
    status: 501,
    closes: true,
    bytes: lines('POST / HTTP/1.1', 'Host: a', AUTHORIZED, 'Transfer-Encoding: gzip, chunked'),
  },
  'another version': {
    code: 'version_not_supported',
    status: 505,
    closes: true,
    bytes: lines('GET / HTTP/1.2', 'Host: a'),
  },
};

const sidecar = startFlow(t, { keys: KEYS, api: { maxBodyBytes: 2000 } });

for (const [what, { code, status, bytes, closes = false }] of Object.entries(CASES))
  t.test(`${code}: ${what}`, async (t) => {
    const { raw, backend, postern } = await sidecar;
    const received = backend.requests.length;
    const answer = await raw(bytes);
    t.same([answer.status, codeOf(answer)], [status, code]);
    t.equal(answer.headers['content-type'], 'application/problem+json');
    t.equal(answer.headers['cache-control'], 'no-store');
    t.equal(answer.headers['content-length'], String(answer.body.length));
    t.match(answer.headers['x-request-id'], /^[A-Za-z0-9._-]{8,}$/);
    t.equal(answer.headers['www-authenticate'], status === 401 ? 'Bearer' : undefined);
    t.equal(answer.headers['allow'], status === 405 ? 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' : undefined);
    t.equal(answer.headers['connection'], closes ? 'close' : 'keep-alive');
    const document = JSON.parse(answer.body) as Record<string, unknown>;
    t.same(Object.keys(document), ['type', 'title', 'status', 'code', 'detail', 'requestId']);
    t.same(
      [document['type'], document['status'], document['requestId']],
      ['about:blank', status, answer.headers['x-request-id']],
    );
    t.notMatch(answer.text, /secret-of/);
    t.equal(backend.requests.length, received, 'nothing of it reaches the backend');
    t.match(postern.lines.at(-1), { msg: 'rejected', status, requestId: answer.headers['x-request-id'] });
    t.notMatch(JSON.stringify(postern.lines.at(-1)), /secret-of/);
  });

t.test('wrong credentials get one wording, whatever is wrong with them', async (t) => {
  const { raw } = await sidecar;
  const told = new Set<string>();
  for (const secret of ['wrong', OFF.secret, OLD.secret]) {
    const { body, headers } = await raw(written({ method: 'GET', secret }));
    told.add(JSON.stringify([{ ...(JSON.parse(body) as object), requestId: '' }, headers['www-authenticate']]));
  }
  t.equal(told.size, 1);
});

t.test('after a refusal that does not close, the next request on the connection is served', async (t) => {
  const { raw } = await sidecar;
  for (const [what, { bytes, closes = false, code }] of Object.entries(CASES)) {
    if (closes) continue;
    const next = written({ method: 'GET', target: '/profile/1', fields: ['Connection: close'] });
    const { text } = await raw(Buffer.concat([Buffer.from(bytes), next]), { untilClose: true });
    t.match(text, new RegExp(`"code":"${code}"[^]*HTTP/1\\.1 204 `), what);
  }
});
