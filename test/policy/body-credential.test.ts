import t from 'tap';
import { ConfigSchema } from '../../src/config/schema.ts';
import {
  DIFFERENT,
  handOverBody,
  mayHoldCredential,
  NOT_TEXT,
  secretInBody,
} from '../../src/policy/body-credential.ts';
import { compileRules } from '../../src/policy/compile-rules.ts';
import type { Facts } from '../../src/policy/facts.ts';
import { readHeaders } from '../../src/policy/header-facts.ts';
import { compileRoutes, type RouteMatch } from '../../src/policy/route.ts';
import type { ApiRules, BodyLocation } from '../../src/policy/ruleset.ts';
import { allowed, refusal, refused } from '../../src/refusal.ts';

/** The rules of an API that takes a credential from these places. */
function rulesOf(credential: readonly string[], others: Record<string, unknown> = {}): ApiRules {
  const integration = { upstream: 'http://127.0.0.1:9000', credential, ...others };
  return compileRules(ConfigSchema.parse({ apis: { integration } })).apis[0] as ApiRules;
}

const LOCATION = rulesOf(['body:api_key']).credential[0] as BodyLocation;

const read = (body: string): ReturnType<typeof secretInBody> => secretInBody(allowed(Buffer.from(body)), LOCATION);

t.test('the secret in the body, in the form of a header value', async (t) => {
  t.equal(read('{"api_key":"s3cret"}'), 's3cret');
  t.equal(read('{"api_key":"s\\u0033cret"}'), 's3cret');
  t.equal(read('{"api_key":"schl\u00fcssel"}'), Buffer.from('schl\u00fcssel').toString('latin1'));
});

t.test('no secret: no member, no object, nothing in it, no bytes, nothing read', async (t) => {
  for (const body of ['{}', '[]', '"s3cret"', '{"api_key":null}', '{"api_key":""}', ''])
    t.equal(read(body), null, body);
  t.equal(secretInBody(null, LOCATION), null);
});

t.test('a member that holds something else than text', async (t) => {
  for (const value of ['1', 'true', '["s3cret"]', '{"a":"s3cret"}', '"\\ud800"'])
    t.equal(read(`{"api_key":${value}}`), NOT_TEXT, value);
});

t.test('one secret in every item is one, and two are none', async (t) => {
  const location = rulesOf(['body:[]/properties/token']).credential[0] as BodyLocation;
  const inItems = (...items: readonly string[]): ReturnType<typeof secretInBody> =>
    secretInBody(
      allowed(Buffer.from(`[${items.map((token) => `{"properties":{"token":${token}}}`).join(',')}]`)),
      location,
    );
  t.equal(inItems('"a"'), 'a');
  t.equal(inItems('"a"', '"\\u0061"', '"a"', 'null', '""'), 'a');
  t.equal(inItems(), null);
  t.equal(inItems('null', '"a"'), 'a');
  t.equal(inItems('"a"', '"b"'), DIFFERENT);
  t.equal(inItems('"a"', '"a"', '"A"'), DIFFERENT);
  t.equal(inItems('"a"', '1'), NOT_TEXT);
  t.equal(inItems('"a"', 'nullx'.slice(0, 4), '[null]'), NOT_TEXT);
});

t.test('refusals come through', async (t) => {
  t.match(read('{"api_key":"a","api_key":"a"}'), { code: 'ambiguous_body' });
  t.match(read('api_key=a'), { code: 'invalid_json' });
  const why = refusal('unsupported_encoding', 'Content-Encoding: unknown');
  t.equal(secretInBody(refused(why), LOCATION), why);
});

t.test('a body is looked into where it is announced and the API names a place in it', async (t) => {
  const facts = (...rawHeaders: readonly string[]): Facts => ({
    method: 'POST',
    target: '/',
    httpVersion: '1.1',
    rawHeaders,
    headers: readHeaders(rawHeaders),
    peer: { text: '', address: null, isUnix: false },
    secure: false,
    now: 0,
  });
  const inBody = rulesOf(['bearer', 'body:api_key']);
  const holds = (facts: Facts, api: ApiRules, route: RouteMatch | null = null): boolean =>
    mayHoldCredential({ facts, api, route });
  t.equal(holds(facts('Content-Length', '2'), inBody), true);
  t.equal(holds(facts('Transfer-Encoding', 'chunked'), inBody), true);
  t.equal(holds(facts('Content-Length', '0'), inBody), false);
  t.equal(holds(facts(), inBody), false);
  t.equal(holds(facts('Content-Length', '2'), rulesOf(['bearer', 'query:api_key'])), false);
  const opaque = compileRoutes([
    { method: 'POST', path: '/blob', backend: { opaque: true } },
    { method: 'POST', path: '/a' },
  ]);
  const on = (path: string) => holds(facts('Content-Length', '2'), inBody, opaque.match('POST', path));
  t.equal(on('/blob'), false);
  t.equal(on('/Blob/'), false);
  t.equal(on('/%EF%BD%82lob'), true, 'some backend finds something else there');
  t.equal(on('/a'), true);
});

t.test('what the backend gets in its place', async (t) => {
  const handed = (api: ApiRules, body: string): string | undefined =>
    handOverBody(Buffer.from(body), api)?.text.toString();
  const body = '{"a":1.0, "api_key":"s3cret"}';
  const literal = { authorization: 'k"ey' };
  t.equal(handed(rulesOf(['body:api_key']), body), '{"a":1.0}');
  t.equal(handed(rulesOf(['body:api_key'], literal), body), '{"a":1.0, "api_key":"k\\"ey"}');
  t.equal(handed(rulesOf(['body:api_key'], literal), '{"api_key":null}'), '{"api_key":"k\\"ey"}');
  t.equal(handed(rulesOf(['body:api_key', 'body:token']), '{"token":"s","a":1,"api_key":"s"}'), '{"a":1}');
  t.equal(handed(rulesOf(['body:api_key'], { authorization: 'pass' }), body), undefined);
  t.equal(handed(rulesOf(['body:api_key'], { ...literal, enforcement: 'report' }), body), undefined);
  t.equal(handed(rulesOf(['body:api_key']), '{"a":1}'), undefined);
  t.equal(handed(rulesOf(['body:api_key']), ''), undefined);
});

t.test('each place gets its own, and it is told whether the upstream has one in the body', async (t) => {
  const places = ['bearer', 'body:api_key', 'body:[]/properties/token', 'body:properties/token'];
  const api = rulesOf(places, {
    authorization: { 'body:api_key': 'k', 'body:properties/token': 'pass', bearer: 'Bearer b' },
  });
  const handed = (body: string) => {
    const handed = handOverBody(Buffer.from(body), api);
    return handed === null ? null : [handed.text.toString(), handed.holdsCredential];
  };
  t.same(handed('{"api_key":"s","properties":{"token":"s"}}'), ['{"api_key":"k","properties":{"token":"s"}}', true]);
  t.same(handed('[{"properties":{"token":"s","a":1}},{"properties":{"token":"s"}}]'), [
    '[{"properties":{"a":1}},{"properties":{}}]',
    false,
  ]);
  t.equal(handed('{"properties":{"token":"s"}}'), null);
});
