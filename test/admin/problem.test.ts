import t from 'tap';
import {
  ADMIN_PROBLEMS,
  fieldFindings,
  invalid,
  isAdminProblem,
  problem,
  problemDocument,
} from '../../src/admin/problem.ts';

t.test('the document has the status and title of its code, and keeps headers to itself', async (t) => {
  const document = { type: 'about:blank', title: 'Id Taken', status: 409, code: 'id_taken', detail: 'It is taken.' };
  t.strictSame(problemDocument(problem('id_taken', 'It is taken.')), document);
  t.strictSame(problemDocument({ ...problem('id_taken', 'It is taken.'), headers: { etag: '"1"' } }), document);
  const findings = [{ field: 'id', message: 'id is wrong.' }];
  t.strictSame(problemDocument({ ...problem('id_taken', 'It is taken.'), findings }), { ...document, findings });
});

t.test('every code is a refusal, and its title is its name in words', async (t) => {
  for (const [code, { status, title }] of Object.entries(ADMIN_PROBLEMS)) {
    t.ok(status >= 400 && status < 600, code);
    t.equal(title.toLowerCase().replaceAll(' ', '_'), code);
    t.match(title, /^[A-Z][a-z]+(?: [A-Z][a-z]+)*$/);
  }
});

t.test('a finding is a whole sentence about its field, or about all that was sent', async (t) => {
  t.strictSame(
    fieldFindings([
      { path: ['allowFrom', 1, 'address'], message: 'is missing' },
      { path: ['enabeld'], message: 'is not a known field; did you mean "enabled"?', atKey: true },
      { path: [], message: 'must be a mapping with fields' },
      { path: ['__proto__', 0], message: 'is not a known field' },
    ]),
    [
      { field: 'allowFrom[1].address', message: 'allowFrom[1].address is missing.' },
      { field: 'enabeld', message: 'enabeld is not a known field; did you mean "enabled"?' },
      { field: '', message: 'It must be an object with fields.' },
      { field: '__proto__[0]', message: '__proto__[0] is not a known field.' },
    ],
  );
  t.strictSame(fieldFindings([]), []);
});

t.test('of several findings the first is the detail, and all are told', async (t) => {
  const findings = fieldFindings([
    { path: ['b'], message: 'is missing' },
    { path: ['a'], message: 'is missing' },
  ]);
  t.strictSame(invalid('invalid_request', findings), {
    code: 'invalid_request',
    detail: 'b is missing.',
    findings,
  });
  t.strictSame(invalid('invalid_definition', []), { code: 'invalid_definition', detail: '', findings: [] });
});

t.test('an answer that shows what looks like a refusal is none', async (t) => {
  const refusal = problem('not_found', '');
  t.ok(isAdminProblem(refusal));
  for (const answer of [{ status: 200, body: refusal }, { status: 200, code: 'not_found' }, { detail: 'x' }, {}, []])
    t.notOk(isAdminProblem(answer), JSON.stringify(answer));
});

t.test('of very many findings a hundred are told, and how many more there are', async (t) => {
  const many = (count: number) =>
    fieldFindings(Array.from({ length: count }, (_, n) => ({ path: [`f${n}`], message: 'is missing' })));
  t.equal(many(100).length, 100);
  t.equal(many(100).at(-1)?.field, 'f99');
  t.same(many(101).slice(99), [
    { field: 'f99', message: 'f99 is missing.' },
    { field: '', message: 'It has 1 more mistakes.' },
  ]);
  t.equal(many(5000).length, 101);
});

t.test('each code by itself has its status', async (t) => {
  const codes = new Map<number, string[]>();
  for (const [code, { status }] of Object.entries(ADMIN_PROBLEMS))
    codes.set(status, [...(codes.get(status) ?? []), code]);
  t.same(
    [...codes].map(([status, those]) => `${status} ${those.join(' ')}`),
    [
      '400 malformed_request',
      '401 missing_token invalid_token',
      '403 foreign_origin forbidden',
      '404 not_found',
      '405 method_not_allowed',
      '409 id_taken in_use last_secret read_only not_editable not_observing malformed_definition',
      '412 precondition_failed',
      '413 body_too_large',
      '415 unsupported_media_type',
      '421 misdirected_request',
      '422 invalid_request invalid_definition idempotency_key_reused',
      '428 precondition_required',
      '429 too_many_failures',
      '500 internal_error',
      '503 source_unavailable too_many_followers',
    ],
  );
});
