import t from 'tap';
import type { Key } from '../../src/keys/key.ts';
import { parseAddress } from '../../src/lib/address.ts';
import { compileTrustedProxies } from '../../src/policy/trusted-proxies.ts';
import { compileNameReader } from '../../src/lib/query.ts';
import { readHeaders } from '../../src/policy/header-facts.ts';
import type { ApiRules, Ruleset } from '../../src/policy/ruleset.ts';
import { refusal, type Refusal } from '../../src/refusal.ts';
import type { Exchange } from '../../src/request/exchange.ts';
import { answerHeaders, keptHeaders, quotaHeaders, targetOf, upstreamRequest } from '../../src/request/fields.ts';
import { isRouted, type Routed } from '../../src/request/passage.ts';
import type { Upstream } from '../../src/upstream/pool.ts';
import { exchangeWith } from '../support/exchanges.ts';
import { apiRules, bearer, everywhere, factsOf, judged, key, rulesOf } from '../support/passages.ts';

const UPSTREAM = { host: 'backend.test:9000', preserveHost: false } as Upstream;
const ORIGIN = 'https://a.example';

interface Setting {
  readonly api?: Partial<ApiRules>;
  readonly rules?: Partial<Ruleset>;
  readonly key?: Partial<Key>;
  readonly target?: string;
  readonly fields?: readonly string[];
  readonly exchange?: Partial<Exchange>;
}

/** An exchange that passed every step. */
function admitted(setting: Setting = {}): Routed<Exchange> {
  const { api, rules, key: change, target = '/event/ingest?a=%zz', fields = bearer('k'), exchange } = setting;
  const ruleset = rulesOf([key('k', change)], { integration: apiRules(api), ...rules });
  const facts = { ...factsOf({ target }, fields), headers: readHeaders(['Host', 'api.test', ...fields]) };
  const passing = exchangeWith(facts, ruleset);
  if (judged(passing) !== 'passed' || !isRouted(passing)) throw new Error('not admitted');
  return Object.assign(passing, exchange);
}

const valueOf = (list: readonly string[], name: string): string | undefined => {
  const at = list.findIndex((entry, i) => i % 2 === 0 && entry.toLowerCase() === name.toLowerCase());
  return at === -1 ? undefined : list[at + 1];
};

t.test('the backend gets the normalized path, the query as it came, and who asks', async (t) => {
  const request = upstreamRequest(admitted({ target: '/event/inge%73t/?a=%zz' }), UPSTREAM);
  t.match(request, {
    method: 'POST',
    target: '/event/ingest/?a=%zz',
    host: 'backend.test:9000',
    body: null,
    contentLength: null,
    holder: 'k',
  });
  const sent = (name: string) => valueOf(request.headers, name);
  t.same(
    [
      'X-Forwarded-For',
      'X-Forwarded-Proto',
      'X-Forwarded-Host',
      'X-Request-Id',
      'Postern-Key-Id',
      'Postern-Key-Type',
      'Authorization',
    ].map(sent),
    ['192.0.2.1', 'http', 'api.test', 'id-1', 'k', 'write-only', undefined],
  );
});

t.test('Authorization by the configuration, and left alone in front of a legacy API', async (t) => {
  const authorization = (api: Partial<ApiRules>) =>
    valueOf(upstreamRequest(admitted({ api }), UPSTREAM).headers, 'Authorization');
  t.equal(authorization({ authorization: everywhere({ kind: 'pass' }) }), 'Bearer secret-of-k');
  t.equal(authorization({ authorization: everywhere({ kind: 'literal', value: 'Bearer up' }) }), 'Bearer up');
  t.equal(
    authorization({ authorization: everywhere({ kind: 'literal', value: 'Bearer up' }), enforcement: 'report' }),
    'Bearer secret-of-k',
  );
});

t.test('the scheme of a trusted proxy alone is believed; Host is the backend\u2019s unless preserved', async (t) => {
  const fields = [...bearer('k'), 'X-Forwarded-Proto', 'https'];
  const proto = (rules: Partial<Ruleset>) =>
    valueOf(upstreamRequest(admitted({ fields, rules }), UPSTREAM).headers, 'X-Forwarded-Proto');
  t.equal(proto({}), 'http');
  const has = (address: unknown): boolean => JSON.stringify(address) === JSON.stringify(parseAddress('192.0.2.1'));
  t.equal(proto({ trustedProxies: { ...compileTrustedProxies([]), has } }), 'https');
  t.equal(upstreamRequest(admitted(), { ...UPSTREAM, preserveHost: true }).host, 'api.test');
});

t.test('the body: none, a stream or bytes', async (t) => {
  const body = Buffer.from('{}');
  t.equal(upstreamRequest(admitted({ exchange: { body } }), UPSTREAM).body, body);
  const streamed = admitted({ exchange: { body: 'stream' }, fields: [...bearer('k'), 'Content-Length', '7'] });
  t.equal(upstreamRequest(streamed, UPSTREAM).body, streamed.req);
  t.equal(upstreamRequest(streamed, UPSTREAM).contentLength, 7);
});

t.test('the client gets the backend\u2019s headers, its request id and the number of cut events', async (t) => {
  const raw = ['X-Request-Id', 'theirs', 'Content-Type', 'a/b', 'Postern-Removed-Events', '9'];
  const cut = answerHeaders(admitted({ exchange: { removedEvents: 2, bodyChanged: true } }), raw);
  t.same(cut, ['Content-Type', 'a/b', 'X-Request-Id', 'id-1', 'Postern-Removed-Events', '2']);
  const one = answerHeaders(admitted({ exchange: { removedEvents: 1 } }), raw);
  t.equal(valueOf(one, 'Postern-Removed-Events'), '1');
  t.equal(valueOf(answerHeaders(admitted(), raw), 'Postern-Removed-Events'), undefined);
  const uncut = admitted({ exchange: { removedEvents: 2 } });
  uncut.wouldReject = refusal('event_not_allowed', '');
  const reported = answerHeaders(uncut, raw);
  t.equal(valueOf(reported, 'Postern-Removed-Events'), undefined, 'nothing was cut');
});

t.test('CORS headers for the pages of keys that pages may use', async (t) => {
  const raw = ['Access-Control-Allow-Origin', '*'];
  const allowed = (setting: Setting, wouldReject: Refusal | null = null) => {
    const exchange = admitted({ fields: [...bearer('k'), 'Origin', ORIGIN], ...setting });
    exchange.wouldReject ??= wouldReject;
    return valueOf(answerHeaders(exchange, raw), 'Access-Control-Allow-Origin');
  };
  t.equal(allowed({}), ORIGIN);
  t.equal(allowed({ fields: bearer('k') }), undefined);
  t.equal(allowed({ key: { type: 'read-write', allowBrowsers: true } }), ORIGIN);
  t.equal(allowed({ fields: bearer('k'), key: { type: 'read-write' } }), '*', 'no page may use it: the backend knows');
  t.equal(allowed({}, refusal('event_not_allowed', '')), ORIGIN, 'as under enforcement');
  t.equal(allowed({ key: { mode: 'report', allowedOrigins: new Set() } }), '*', 'as the backend says');
});

t.test('where events were judged, no cookie that may hold others goes on', async (t) => {
  const cookies = (exchange: Partial<Exchange>) => {
    const fields = [...bearer('k'), 'Cookie', 'events=x; a=b'];
    return valueOf(upstreamRequest(admitted({ fields, exchange }), UPSTREAM).headers, 'Cookie');
  };
  t.equal(cookies({ eventsJudged: true }), 'a=b');
  t.equal(cookies({ eventsJudged: false }), 'events=x; a=b');
  t.equal(cookies({ eventsJudged: true, route: null }), 'events=x; a=b', 'of no route nobody knows the names');
});

t.test('a body that was judged goes without its coding, and a changed one without its digests', async (t) => {
  const fields = [...bearer('k'), 'Content-Encoding', 'gzip', 'Content-MD5', 'x'];
  const sent = (exchange: Partial<Exchange>) => {
    const { headers } = upstreamRequest(admitted({ fields, exchange }), UPSTREAM);
    return ['Content-Encoding', 'Content-MD5', 'Content-Type'].map((name) => valueOf(headers, name));
  };
  t.same(sent({}), ['gzip', 'x', undefined]);
  t.same(sent({ bodyJudged: true }), [undefined, 'x', undefined]);
  t.same(sent({ bodyJudged: true, bodyChanged: true }), [undefined, undefined, undefined]);
  t.same(sent({ typeOfUntyped: 'application/json' }), ['gzip', 'x', 'application/json']);
});

t.test('a method in a header field reaches a legacy backend alone', async (t) => {
  const fields = [...bearer('k'), 'X-HTTP-Method-Override', 'PUT'];
  const override = (api: Partial<ApiRules>) =>
    valueOf(upstreamRequest(admitted({ fields, api }), UPSTREAM).headers, 'X-HTTP-Method-Override');
  t.equal(override({}), undefined);
  t.equal(override({ enforcement: 'report' }), 'PUT');
});

t.test('the target is that of the route, without a credential in its query', async (t) => {
  const inQuery: Partial<ApiRules> = {
    credential: [{ kind: 'query', name: 'api_key', isName: compileNameReader('api_key') }],
  };
  const keyed = { api: inQuery, target: '/event/ingest?a=1&api_key=secret-of-k', fields: [] };
  t.equal(targetOf(admitted(keyed)), '/event/ingest?a=1');
  t.equal(upstreamRequest(admitted(keyed), UPSTREAM).target, '/event/ingest?a=1');
  t.equal(targetOf(admitted({ target: '/elsewhere?b' })), '/elsewhere?b', 'no route');
  const rewritten = admitted();
  Object.assign(rewritten, { route: { ...rewritten.route, target: '/v2/in' } });
  t.equal(targetOf(rewritten), '/v2/in?a=%zz');
  t.equal(upstreamRequest(rewritten, UPSTREAM).target, '/v2/in?a=%zz');
});

t.test('who asks is told to the backend where a key is known', async (t) => {
  const nobody = upstreamRequest(admitted({ exchange: { identity: null } }), UPSTREAM);
  t.same([nobody.holder, valueOf(nobody.headers, 'Postern-Key-Id')], ['', undefined]);
  t.equal(upstreamRequest(admitted({ fields: [...bearer('k'), 'Content-Length', '7'] }), UPSTREAM).contentLength, 7);
});

const LIMIT = { requests: 100, windowSeconds: 60 };
const LEFT = { remaining: 41, resetSeconds: 7 };
const SAID = ['RateLimit-Policy', '"key";q=100;w=60', 'RateLimit', '"key";r=41;t=7'];

t.test('what is left of a limit is said in place of what the backend says of its own', async (t) => {
  const limited = (exchange: Partial<Exchange> = { quota: LEFT }) => admitted({ key: { rateLimit: LIMIT }, exchange });
  t.same(quotaHeaders(limited()), SAID);
  t.same(quotaHeaders(limited({ quota: null })), [], 'not asked yet');
  t.same(quotaHeaders(limited({ quota: LEFT, identity: null })), []);
  t.same(quotaHeaders(admitted({ exchange: { quota: LEFT } })), [], 'a key without a limit');
  const theirs = ['RateLimit', 'x', 'ratelimit-policy', 'y', 'X-A', 'b'];
  t.same(answerHeaders(limited(), theirs), ['X-A', 'b', 'X-Request-Id', 'id-1', ...SAID]);
  t.same(answerHeaders(admitted({ exchange: { quota: null } }), theirs), [...theirs, 'X-Request-Id', 'id-1']);
});

t.test('of a kept answer each gets what is its own', async (t) => {
  const kept = ['X-A', 'b', 'Content-Length', '2'];
  const plain: Setting = { key: { type: 'read-write' }, exchange: { quota: null } };
  const own = (setting: Setting) => keptHeaders(admitted({ ...plain, ...setting }), kept).slice(kept.length);
  t.same(keptHeaders(admitted(plain), kept), [...kept, 'X-Request-Id', 'id-1']);
  t.same(own({ exchange: { quota: null, removedEvents: 2 } }), ['X-Request-Id', 'id-1', 'Postern-Removed-Events', '2']);
  const limited = { key: { type: 'read-write', rateLimit: LIMIT }, exchange: { quota: LEFT } } as const;
  t.same(own(limited), ['X-Request-Id', 'id-1', ...SAID]);
  const ofPage = own({ key: { type: 'write-only' }, fields: [...bearer('k'), 'Origin', ORIGIN] });
  t.equal(valueOf(ofPage, 'Access-Control-Allow-Origin'), ORIGIN);
});
