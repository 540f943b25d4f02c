import t from 'tap';
import { allowed, refusal, refused, REFUSALS } from '../src/refusal.ts';

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
    ambiguous_path: 400,
    invalid_json: 400,
    invalid_event_body: 400,
    ambiguous_body: 400,
    missing_credential: 401,
    invalid_credential: 401,
    ip_not_allowed: 403,
    browser_not_allowed: 403,
    origin_not_allowed: 403,
    method_not_allowed: 403,
    route_not_allowed: 403,
    event_not_allowed: 403,
    no_route: 404,
    request_timeout: 408,
    body_too_large: 413,
    unsupported_media_type: 415,
    unsupported_encoding: 415,
    rate_limited: 429,
    header_fields_too_large: 431,
    upstream_unreachable: 502,
    not_ready: 503,
    overloaded: 503,
    upstream_timeout: 504,
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

t.test('titles are codes in words, where a word does not say it better', async (t) => {
  const others: Readonly<Record<string, string>> = {
    ip_not_allowed: 'Address Not Allowed',
    cors_not_allowed: 'Preflight Refused',
  };
  const inWords = (code: string): string => code.replaceAll('_', ' ');
  for (const [code, { title }] of Object.entries(REFUSALS))
    if (code in others) t.equal(title, others[code]);
    else t.equal(title.toLowerCase(), inWords(code));
});

t.test('decisions', async (t) => {
  t.same(allowed(1), { ok: true, value: 1 });
  const reason = refusal('no_route', 'why');
  t.same(reason, { code: 'no_route', reason: 'no_route', why: 'why' });
  t.equal(refused(reason).refusal, reason);
});

/** Written out: what a code means to callers, to the log and to the connection changes on purpose alone. */
const TABLE = `
  malformed_request        400 info close
  ambiguous_path           400 info
  invalid_json             400 info
  invalid_event_body       400 info
  ambiguous_body           400 info
  invalid_request          400 info
  missing_credential       401 info
  invalid_credential       401 warn
  invalid_client           401 warn
  address_denied           403 warn
  ip_not_allowed           403 warn
  browser_not_allowed      403 warn
  origin_not_allowed       403 warn
  cors_not_allowed         403 info
  method_not_allowed       403 info
  route_not_allowed        403 info
  query_not_allowed        403 info
  event_not_allowed        403 info
  no_route                 404 info
  method_not_supported     405 info close
  request_timeout          408 info close
  body_too_large           413 info
  unsupported_media_type   415 info
  unsupported_encoding     415 info
  expectation_failed       417 info close
  rate_limited             429 info
  header_fields_too_large  431 info close
  internal_error           500 info close
  not_implemented          501 info close
  upstream_unreachable     502 warn
  not_ready                503 warn
  overloaded               503 warn
  upstream_timeout         504 warn
  version_not_supported    505 info close`;

t.test('each code by itself: its status, its level, and whether the connection closes', async (t) => {
  const promised = TABLE.trim()
    .split('\n')
    .map((line) => line.trim().split(/ +/));
  const known = Object.entries(REFUSALS).map(([code, entry]) => [
    code,
    String(entry.status),
    entry.level,
    ...(entry.closes ? ['close'] : []),
  ]);
  t.same(known, promised);
});

t.test('a rule is named where one decided', async (t) => {
  t.same(refusal('no_route', 'why', 'a rule'), { code: 'no_route', reason: 'no_route', why: 'why', rule: 'a rule' });
});
