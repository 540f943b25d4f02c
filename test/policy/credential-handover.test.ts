import t from 'tap';
import { handOver, type Handover } from '../../src/policy/credential-handover.ts';
import type { Facts } from '../../src/policy/facts.ts';
import type { CredentialLocation, UpstreamAuthorization } from '../../src/policy/ruleset.ts';
import { compileNameReader } from '../../src/policy/query.ts';
import { apiRules, factsOf } from '../support/passages.ts';

const HEADER: CredentialLocation = { kind: 'header', name: 'x-api-key' };
const QUERY: CredentialLocation = { kind: 'query', name: 'api_key', isName: compileNameReader('api_key') };
const LITERAL = { kind: 'literal', value: 'up&stream' } as const;
const FIELDS = ['A', '1', 'X-Api-Key', 's3', 'B', '2'];

const hand = (
  facts: Facts,
  query: string,
  credential: readonly CredentialLocation[],
  authorization: UpstreamAuthorization,
): Handover => handOver({ facts, query, bodyHandedOver: false }, apiRules({ credential, authorization }));

t.test('with bearer alone nothing is copied', async (t) => {
  const facts = factsOf({}, ['Authorization', 'Bearer x']);
  for (const authorization of [{ kind: 'strip' }, { kind: 'pass' }, LITERAL] as const) {
    const handover = hand(facts, '?a=b', [{ kind: 'bearer' }, { kind: 'basic-username' }], authorization);
    t.equal(handover.rawHeaders, facts.rawHeaders);
    t.same([handover.query, handover.authorization], ['?a=b', authorization]);
  }
});

t.test('strip takes the credential out, every other byte stays', async (t) => {
  const handover = hand(factsOf({}, FIELDS), '?x=%zz&api_key=s3&y', [HEADER, QUERY], { kind: 'strip' });
  t.same(handover, {
    rawHeaders: ['Host', 'api.test', 'A', '1', 'B', '2'],
    query: '?x=%zz&y',
    authorization: { kind: 'strip' },
  });
  t.equal(hand(factsOf(), '?api%5Fkey=s3', [QUERY], { kind: 'strip' }).query, '');
  t.equal(hand(factsOf(), '?api_key2=s3', [QUERY], { kind: 'strip' }).query, '?api_key2=s3');
});

t.test('a literal takes its place, and is not sent twice', async (t) => {
  const handover = hand(factsOf({}, FIELDS), '?api_key=s3&y=1', [HEADER, QUERY], LITERAL);
  t.same(handover, {
    rawHeaders: ['Host', 'api.test', 'A', '1', 'X-Api-Key', 'up&stream', 'B', '2'],
    query: '?api_key=up%26stream&y=1',
    authorization: { kind: 'strip' },
  });
  t.same(hand(factsOf({}, ['Authorization', 'Bearer x', ...FIELDS]), '', [HEADER], LITERAL).authorization, LITERAL);
  t.same(hand(factsOf(), '', [HEADER], LITERAL).authorization, LITERAL, 'nothing to replace');
});

t.test('pass leaves everything', async (t) => {
  const facts = factsOf({}, FIELDS);
  t.same(hand(facts, '?api_key=s3', [HEADER, QUERY], { kind: 'pass' }), {
    ...{ rawHeaders: facts.rawHeaders, query: '?api_key=s3', authorization: { kind: 'pass' } },
  });
});

t.test('an API in report mode passes the credential on', async (t) => {
  const facts = factsOf({}, FIELDS);
  const api = apiRules({ credential: [HEADER], authorization: LITERAL, enforcement: 'report' });
  t.same(handOver({ facts, query: '', bodyHandedOver: false }, api), {
    ...{ rawHeaders: facts.rawHeaders, query: '', authorization: { kind: 'pass' } },
  });
});

t.test('a literal that went out in the body is not sent twice', async (t) => {
  const api = apiRules({ authorization: LITERAL });
  const handed = (fields: readonly string[]) =>
    handOver({ facts: factsOf({}, fields), query: '', bodyHandedOver: true }, api).authorization;
  t.same(handed([]), { kind: 'strip' });
  t.same(handed(['Authorization', 'Bearer x']), LITERAL);
});
