import t from 'tap';
import { Rotation } from '../../src/admin/key-schemas.ts';
import { RejectionQuery, RejectionStreamQuery } from '../../src/admin/rejection-schemas.ts';
import { Question, SessionRequest } from '../../src/admin/schemas.ts';

t.test('an overlap lasts from no time to 90 days', async (t) => {
  const takes = (overlapSeconds: unknown) => Rotation.safeParse({ overlapSeconds }).success;
  for (const seconds of [0, 1, 7_776_000]) t.ok(takes(seconds), String(seconds));
  for (const seconds of [-1, 0.5, 7_776_001, '1', null, undefined]) t.notOk(takes(seconds), String(seconds));
});

t.test('a list is as long as a whole number says, and a stream has no length', async (t) => {
  const takes = (limit: unknown) => RejectionQuery.safeParse({ limit }).success;
  for (const limit of ['1', '9', '10', '100', '999999', undefined]) t.ok(takes(limit), String(limit));
  for (const limit of ['0', '01', '1000000', '-1', '1.5', 'x1', '1x', '', ['1', '2']])
    t.notOk(takes(limit), String(limit));
  t.notOk(RejectionStreamQuery.safeParse({ limit: '1' }).success);
  t.notOk(RejectionQuery.safeParse({ key: ['a', 'b'] }).success, 'given once');
  t.notOk(RejectionQuery.safeParse({ mode: 'both' }).success);
  t.notOk(RejectionQuery.safeParse({ unknown: 'x' }).success);
});

t.test('a token is bounded, and not shown in the description', async (t) => {
  t.ok(SessionRequest.safeParse({ token: 'x'.repeat(4096) }).success);
  t.notOk(SessionRequest.safeParse({ token: 'x'.repeat(4097) }).success);
  t.equal(SessionRequest.shape.token.meta()?.['writeOnly'], true);
  t.equal(Question.shape.key.meta()?.['writeOnly'], true);
});

t.test('a question names a caller in one of two ways, or none', async (t) => {
  const asked = { ip: '192.0.2.1', method: 'GET', path: '/' };
  const findings = (change: object) => {
    const read = Question.safeParse({ ...asked, ...change });
    return read.success ? [] : read.error.issues.map(({ path }) => path.join('.'));
  };
  t.same(findings({ key: 's' }), []);
  t.same(findings({ keyId: 'web' }), []);
  t.same(findings({}), []);
  t.same(findings({ key: 's', keyId: 'web' }), ['key']);
  t.same(findings({ key: 's', ip: '1.2.3' }), ['ip']);
  t.same(findings({ key: '' }), ['key']);
  t.same(findings({ key: 's', method: '' }), ['method']);
  t.same(findings({ key: 's', path: 'x'.repeat(16_385) }), ['path']);
  t.same(findings({ key: 's', path: `/${'x'.repeat(16_383)}` }), []);
  t.same(findings({ key: 's', events: Array.from({ length: 10_001 }, () => 'e') }), ['events']);
});
