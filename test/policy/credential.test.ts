import t from 'tap';
import { compileMemberSearch } from '../../src/event-filter/member-value.ts';
import { compileNameReader } from '../../src/lib/query.ts';
import type { BodyText } from '../../src/policy/body-credential.ts';
import { findCredential, identify, objectionToUnjudged } from '../../src/policy/credential.ts';
import type { CredentialLocation } from '../../src/policy/ruleset.ts';
import { allowed } from '../../src/refusal.ts';
import { factsOf, key, NOON, sha256, snapshotOf } from '../support/passages.ts';

const BEARER: CredentialLocation = { kind: 'bearer' };
const BASIC: CredentialLocation = { kind: 'basic-username' };
const HEADER: CredentialLocation = { kind: 'header', name: 'x-api-key' };
const QUERY: CredentialLocation = { kind: 'query', name: 'api_key', isName: compileNameReader('api_key') };
const BODY: CredentialLocation = { kind: 'body', name: 'api_key', find: compileMemberSearch('api_key') };

function find(locations: readonly CredentialLocation[], fields: readonly string[] = [], query = ''): string {
  return findWithBody(null, locations, fields, query);
}
function findWithBody(
  bodyText: BodyText,
  locations: readonly CredentialLocation[],
  fields: readonly string[] = [],
  query = '',
): string {
  const found = findCredential({ facts: factsOf({}, fields), query, bodyText }, locations);
  return found.ok ? found.value.text : `! ${found.refusal.code}`;
}
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

t.test('Bearer', async (t) => {
  for (const value of ['Bearer s3', 'bearer   s3', 'BEARER s3'])
    t.equal(find([BEARER], ['Authorization', value]), 's3', value);
  t.equal(find([BEARER], ['Authorization', 'Bearer a b']), 'a b');
  for (const value of ['Bearer', 'Bearer ', 'Bearers3', 'Bearer\ts3', 'Basic s3', 's3', ''])
    t.equal(find([BEARER], ['Authorization', value]), '! missing_credential', value);
  t.equal(find([BEARER]), '! missing_credential');
});

t.test('the user name of Basic', async (t) => {
  t.equal(find([BASIC], ['Authorization', basic('s3:')]), 's3');
  t.equal(find([BASIC], ['Authorization', basic('s3:password')]), 's3');
  for (const value of [basic(':p'), basic('s3'), 'Basic !', 'Basic', 'Bearer czM6'])
    t.equal(find([BASIC], ['Authorization', value]), '! missing_credential', value);
});

t.test('text beyond ASCII is the same credential in every place', async (t) => {
  const bytes = Buffer.from('gr\u00fc\u00df').toString('latin1');
  t.equal(find([BEARER], ['Authorization', `Bearer ${bytes}`]), bytes);
  t.equal(find([BASIC], ['Authorization', basic('gr\u00fc\u00df:')]), bytes);
  t.equal(find([QUERY], [], '?api_key=gr%C3%BC%C3%9F'), bytes);
  t.equal(findWithBody(allowed(Buffer.from('{"api_key":"gr\u00fc\u00df"}')), [BODY]), bytes);
});

t.test('a header and a query parameter', async (t) => {
  t.equal(find([HEADER], ['X-API-Key', 's3']), 's3');
  t.equal(find([HEADER], ['X-Api-Key', '']), '! missing_credential');
  t.equal(find([HEADER], ['X-Api-Key', 's3', 'x-api-key', 's3']), '! malformed_request', 'repeated');
  t.equal(find([QUERY], [], '?a=b&api%5fkey=s%33&c'), 's3');
  for (const other of [
    'API_KEY',
    'api.key',
    'api%20key',
    'api[key',
    'api_key%00x',
    '+api_key',
    'api_key[]',
    '%2561pi_key',
  ])
    for (const query of [`?${other}=s3`, `?api_key=s3&${other}=s3`, `?${other}=s4&api_key=s3`, `?x;${other}=s3`])
      t.equal(find([QUERY], [], query), '! malformed_request', query);
  t.equal(find([BEARER, QUERY], ['Authorization', 'Bearer s3'], '?api.key=s4'), '! malformed_request');
  t.equal(find([QUERY], [], '?api_key=s3;api_key=s3'), '! malformed_request');
  t.equal(find([QUERY], [], '?api_keys=a&my_api_key=b&api_key=s3'), 's3');
  t.equal(find([QUERY], [], '?api_key=s3&api_key=s3'), '! malformed_request');
});

t.test('several places: the first that holds one, and no two that differ', async (t) => {
  const all = [BEARER, HEADER, QUERY];
  t.equal(find(all, ['X-Api-Key', 's3'], '?api_key=s3'), 's3');
  t.equal(find(all, [], '?api_key=s3'), 's3');
  t.equal(find(all, ['Authorization', 'Bearer s3', 'X-Api-Key', 's4']), '! invalid_credential');
});

t.test('the body, once it was read, and no other credential beside it', async (t) => {
  t.equal(find([BEARER, BODY]), '! missing_credential', 'not read');
  const withBody = (body: string, ...fields: readonly string[]): string[] =>
    [
      [BEARER, BODY],
      [BODY, BEARER],
    ].map((places) => findWithBody(allowed(Buffer.from(body)), places, fields));
  const both = (result: string): string[] => [result, result];
  t.same(withBody('{"api_key":"s3"}'), both('s3'));
  t.same(withBody('{}'), both('! missing_credential'));
  t.same(withBody('{"api_key":3}'), both('! missing_credential'));
  t.same(withBody('{"api_key":"s3"}', 'Authorization', 'Bearer s3'), both('s3'));
  t.same(withBody('{"api_key":null}', 'Authorization', 'Bearer s3'), both('s3'));
  t.same(withBody('{"api_key":"s4"}', 'Authorization', 'Bearer s3'), both('! invalid_credential'));
  t.same(withBody('{"api_key":3}', 'Authorization', 'Bearer s3'), both('! invalid_credential'));
  t.same(withBody('{"api_key":"s3","API_KEY":"s4"}', 'Authorization', 'Bearer s3'), both('! ambiguous_body'));
});

t.test('a digest leads to a key that may be used, or to a refusal that names the key for the operator', async (t) => {
  const keys = snapshotOf([
    key('k'),
    key('off', { enabled: false, expiresAt: NOON - 1 }),
    key('late', { expiresAt: NOON }),
    key('soon', { expiresAt: NOON + 1 }),
  ]);
  const ask = (digest: string, now = NOON, snapshot = keys) => {
    const decision = identify(digest, snapshot, now);
    return decision.ok
      ? decision.value.key.id
      : `${decision.refusal.code} ${decision.refusal.reason} ${decision.refusal.keyId}`;
  };
  t.equal(ask(sha256('secret-of-k')), 'k');
  t.equal(ask(sha256('secret-of-soon')), 'soon');
  t.equal(ask(sha256('secret-of-late')), 'invalid_credential expired late');
  t.equal(ask(sha256('secret-of-off')), 'invalid_credential disabled off');
  for (const digest of [sha256('x'), '', 'constructor', '__proto__'])
    t.equal(ask(digest), 'invalid_credential unknown ');
  const rotated = key('r', { secrets: [{ id: 'old', digest: 'd', expiresAt: NOON }] });
  const held = {
    ...keys,
    bySecret: new Map([['d', { key: rotated, secret: rotated.secrets[0] as (typeof rotated.secrets)[0] }]]),
  };
  t.equal(ask('d', NOON - 1, held), 'r');
  t.equal(ask('d', NOON, held), 'invalid_credential expired r');
});

t.test('a user name of one letter is one', async (t) => {
  t.equal(find([BASIC], ['Authorization', basic('s:')]), 's');
  t.equal(find([BASIC], ['Authorization', basic(':s')]), '! missing_credential');
  t.equal(find([BASIC], ['Authorization', `x${basic('s:')}`]), '! missing_credential', 'nor is another scheme Basic');
});

t.test('the operator reads where a repeated credential stands', async (t) => {
  const why = (location: CredentialLocation, fields: readonly string[], query = '') => {
    const found = findCredential({ facts: factsOf({}, fields), query, bodyText: null }, [location]);
    return found.ok ? '' : found.refusal.why;
  };
  t.equal(
    why(HEADER, ['X-Api-Key', 'a', 'X-Api-Key', 'b']),
    'the credential in header x-api-key is repeated, or spelt in two ways',
  );
  t.equal(why(QUERY, [], '?api_key=a&api_key=b'), 'the credential in query api_key is repeated, or spelt in two ways');
});

t.test('where nobody is judged, only what could not be taken out is in the way', async (t) => {
  const objection = (
    kind: 'query' | 'body',
    query: string,
    fields: readonly string[] = [],
    bodyText: BodyText = null,
  ) => objectionToUnjudged({ facts: factsOf({}, fields), query, bodyText }, [HEADER, QUERY, BODY], kind)?.code ?? null;
  t.equal(objection('query', ''), null);
  t.equal(objection('query', '?api_key=s3'), null);
  for (const query of ['?api_key=s3&api_key=s3', '?API_KEY=s3', '?api_key=s3&api.key=s3'])
    t.equal(objection('query', query), 'malformed_request', query);
  const repeated = ['X-Api-Key', 'a', 'X-Api-Key', 'b'];
  t.equal(objection('query', '', repeated), null, 'places of another kind are not asked');
  const body = (text: string): BodyText => allowed(Buffer.from(text));
  t.equal(objection('body', '?API_KEY=s3', repeated, body('{"api_key":"s3"}')), null);
  t.equal(objection('body', '', [], body('{"api_key":"s3","API_KEY":"s4"}')), 'ambiguous_body');
  t.equal(objection('body', '', [], body('{"api_key":"a","x":1}')), null);
  t.equal(objectionToUnjudged({ facts: factsOf({}, repeated), query: '', bodyText: null }, [HEADER], 'query'), null);
});
