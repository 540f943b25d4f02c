import t from 'tap';
import { compileNameReader } from '../../src/lib/query.ts';
import { handOver, type Handover } from '../../src/policy/credential-handover.ts';
import type { Facts } from '../../src/policy/facts.ts';
import type { CredentialLocation, UpstreamAuthorization } from '../../src/policy/ruleset.ts';
import { apiRules, everywhere, factsOf } from '../support/passages.ts';

const HEADER: CredentialLocation = { kind: 'header', name: 'x-api-key' };
const QUERY: CredentialLocation = { kind: 'query', name: 'api_key', isName: compileNameReader('api_key') };
const LITERAL = { kind: 'literal', value: 'up&stream' } as const;
const FIELDS = ['A', '1', 'X-Api-Key', 's3', 'B', '2'];

const hand = (
  facts: Facts,
  query: string,
  credential: readonly CredentialLocation[],
  authorization: UpstreamAuthorization,
): Handover =>
  handOver({ facts, query, bodyHandedOver: false }, apiRules({ credential, authorization: everywhere(authorization) }));

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
    rawHeaders: facts.rawHeaders,
    query: '?api_key=s3',
    authorization: { kind: 'pass' },
  });
});

t.test('an API in report mode passes the credential on', async (t) => {
  const facts = factsOf({}, FIELDS);
  const api = apiRules({ credential: [HEADER], authorization: everywhere(LITERAL), enforcement: 'report' });
  t.same(handOver({ facts, query: '', bodyHandedOver: false }, api), {
    rawHeaders: facts.rawHeaders,
    query: '',
    authorization: { kind: 'pass' },
  });
});

t.test('a literal that went out in the body is not sent twice', async (t) => {
  const api = apiRules({ authorization: everywhere(LITERAL) });
  const handed = (fields: readonly string[]) =>
    handOver({ facts: factsOf({}, fields), query: '', bodyHandedOver: true }, api).authorization;
  t.same(handed([]), { kind: 'strip' });
  t.same(handed(['Authorization', 'Bearer x']), LITERAL);
});

t.test('each place gets its own, and Authorization the one of its scheme', async (t) => {
  const text = (value: string): UpstreamAuthorization => ({ kind: 'literal', value });
  const api = apiRules({
    credential: [{ kind: 'bearer' }, { kind: 'basic-username' }, HEADER, QUERY],
    authorization: {
      basic: text('Basic b'),
      bearer: text('Bearer t'),
      places: [text('Bearer t'), text('Basic b'), { kind: 'strip' }, text('q')],
    },
  });
  const handed = (fields: readonly string[], query = '') => {
    const {
      authorization,
      query: left,
      rawHeaders,
    } = handOver({ facts: factsOf({}, fields), query, bodyHandedOver: false }, api);
    return [authorization, left, rawHeaders.slice(2)];
  };
  t.same(handed(['Authorization', 'Bearer s']), [text('Bearer t'), '', ['Authorization', 'Bearer s']]);
  t.same(handed(['Authorization', 'bAsIc czo=']), [text('Basic b'), '', ['Authorization', 'bAsIc czo=']]);
  t.same(handed([], '?api_key=s'), [{ kind: 'strip' }, '?api_key=q', []]);
  t.same(handed(['X-Api-Key', 's']), [text('Bearer t'), '', []], 'taken out, so that Authorization stands for it');
  t.same(handed(['Authorization', 'Basic czo='], '?api_key=s')[0], text('Basic b'), 'a place of its own');
});

t.test('look-alikes of the header that holds the credential go, and nothing else does', async (t) => {
  const alike = ['X_Api_Key', 'x.api.key', 'X-API_KEY', 'x~api-key', 'HTTP_X_API_KEY', 'http-x-api-key'];
  const others = ['X-Api-Keys', 'XApiKey', 'X-Api', 'Y-Api-Key', 'X-Api-Kez'];
  const fields = [...alike, ...others].flatMap((name, i) => [name, String(i)]);
  const kept = others.flatMap((name, i) => [name, String(alike.length + i)]);
  for (const authorization of [{ kind: 'strip' }, { kind: 'pass' }, LITERAL] as const) {
    const { rawHeaders } = hand(factsOf({}, fields), '', [HEADER], authorization);
    t.same(rawHeaders, ['Host', 'api.test', ...kept], authorization.kind);
    for (const name of alike)
      t.same(
        hand(factsOf({}, ['A', '1', name, 's']), '', [HEADER], authorization).rawHeaders.slice(2),
        ['A', '1'],
        name,
      );
  }
  t.same(hand(factsOf({}, fields), '', [QUERY], { kind: 'strip' }).rawHeaders.slice(2), fields, 'another place');
});

t.test('a value is no name, and a name is found in every case', async (t) => {
  const tricky = ['A', 'X_Api_Key', 'B', 'x-api-key'];
  t.same(hand(factsOf({}, tricky), '', [HEADER], { kind: 'strip' }).rawHeaders.slice(2), tricky);
  for (const name of ['X-Api-Key', 'x-api-key', 'X-API-KEY'])
    t.same(hand(factsOf({}, [name, 's', name, 't']), '', [HEADER], { kind: 'strip' }).rawHeaders.slice(2), [], name);
  const other = ['Y-Api-Key', '1', 'X-Api-Kex', '2'];
  t.same(hand(factsOf({}, other), '', [HEADER], LITERAL).rawHeaders.slice(2), other, 'of the same length');
});

t.test('every parameter of the name goes, in every spelling of it', async (t) => {
  const strip = (query: string) => hand(factsOf(), query, [QUERY], { kind: 'strip' }).query;
  t.equal(strip('?api_key=1&a=b&api_key=2'), '?a=b');
  t.equal(strip('?%61pi_key=1&a=b'), '?a=b');
  t.equal(strip('?api_key'), '');
  t.equal(strip('?a=api_key'), '?a=api_key');
  for (const query of ['?', '?a&&b', '?&', '?a&'])
    t.equal(strip(query), query, 'where there is none, nothing is written anew');
  t.equal(hand(factsOf(), '?%61pi_key=1', [QUERY], LITERAL).query, '?%61pi_key=up%26stream');
});

t.test('a literal that went out in one place alone is not sent twice either', async (t) => {
  t.same(hand(factsOf({}, FIELDS), '', [HEADER, QUERY], LITERAL).authorization, { kind: 'strip' }, 'a header');
  t.same(hand(factsOf(), '?api_key=s3', [HEADER, QUERY], LITERAL).authorization, { kind: 'strip' }, 'the query');
});

t.test('nothing is copied where no name is a look-alike', async (t) => {
  const facts = factsOf({}, ['A', 'X_Api_Key', 'X-Api-Key', 's3']);
  t.equal(hand(facts, '', [HEADER], { kind: 'pass' }).rawHeaders, facts.rawHeaders);
});
