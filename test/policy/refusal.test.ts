import t from 'tap';
import { allowed, refusal, refused, REFUSALS } from '../../src/policy/refusal.ts';

t.test('each code has an error status, a public text, and a level', async (t) => {
  for (const [code, { status, title, detail, level }] of Object.entries(REFUSALS)) {
    t.match(code, /^[a-z]+(?:_[a-z]+)*$/);
    t.ok(status >= 400 && status <= 599, code);
    t.ok(title !== '' && detail.endsWith('.'), code);
    t.ok(['info', 'warn'].includes(level));
  }
});

t.test('the statuses that are promised', async (t) => {
  const statuses = Object.fromEntries(Object.entries(REFUSALS).map(([code, { status }]) => [code, status]));
  t.match(statuses, {
    ...{ ambiguous_path: 400, invalid_json: 400, invalid_event_body: 400, ambiguous_body: 400 },
    ...{ missing_credential: 401, invalid_credential: 401 },
    ...{ ip_not_allowed: 403, browser_not_allowed: 403, origin_not_allowed: 403, method_not_allowed: 403 },
    ...{ route_not_allowed: 403, event_not_allowed: 403, no_route: 404, request_timeout: 408, body_too_large: 413 },
    ...{ unsupported_media_type: 415, unsupported_encoding: 415, rate_limited: 429, header_fields_too_large: 431 },
    ...{ upstream_unreachable: 502, not_ready: 503, overloaded: 503, upstream_timeout: 504 },
  });
});

t.test('what could hide a second request closes the connection', async (t) => {
  for (const code of [
    'malformed_request',
    'not_implemented',
    'version_not_supported',
    'request_timeout',
    'header_fields_too_large',
  ] as const)
    t.equal(REFUSALS[code].closes, true, code);
});

t.test('decisions', async (t) => {
  t.same(allowed(1), { ok: true, value: 1 });
  const reason = refusal('no_route', 'why');
  t.same(reason, { code: 'no_route', reason: 'no_route', why: 'why' });
  t.equal(refused(reason).refusal, reason);
});

t.test('each status is the one that the reference page tells', async (t) => {
  const byStatus: Record<number, string[]> = {};
  for (const [code, { status }] of Object.entries(REFUSALS)) (byStatus[status] ??= []).push(code);
  const authored = Object.fromEntries(Object.entries(byStatus).map(([status, codes]) => [status, codes.toSorted()]));
  t.match(authored, {
    '404': ['no_route'],
    '405': ['method_not_supported'],
    '408': ['request_timeout'],
    '413': ['body_too_large'],
    '415': ['unsupported_encoding', 'unsupported_media_type'],
    '417': ['expectation_failed'],
    '429': ['rate_limited'],
    '431': ['header_fields_too_large'],
    '500': ['internal_error'],
    '501': ['not_implemented'],
    '502': ['upstream_unreachable'],
    '503': ['not_ready', 'overloaded'],
    '504': ['upstream_timeout'],
    '505': ['version_not_supported'],
  });
  for (const [code, { status }] of Object.entries(REFUSALS))
    if (code.endsWith('_not_allowed')) t.equal(status, 403, code);
    else if (/^(?:missing|invalid)_(?:credential|client)$/.test(code)) t.equal(status, 401, code);
    else if (/^(?:ambiguous|invalid|malformed)_/.test(code)) t.equal(status, 400, code);
});
