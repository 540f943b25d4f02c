import t from 'tap';
import type { Key } from '../../src/keys/key.ts';
import { parseAddress } from '../../src/lib/address.ts';
import { compileTrustedProxies } from '../../src/policy/trusted-proxies.ts';
import { readHeaders } from '../../src/policy/header-facts.ts';
import type { ApiRules, Ruleset } from '../../src/policy/ruleset.ts';
import { refusal, type Refusal } from '../../src/refusal.ts';
import type { Exchange } from '../../src/request/exchange.ts';
import { answerHeaders, upstreamRequest } from '../../src/request/fields.ts';
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
