import t from 'tap';
import type { ApiRules } from '../../src/policy/ruleset.ts';
import { corsHeadersFor, mayHaveCredentials } from '../../src/request/cors-headers.ts';
import { apiRules, factsOf, key, passageOf, rulesOf } from '../support/passages.ts';

const ORIGIN = 'https://a.example';
const named = key('named', { allowedOrigins: new Set([ORIGIN]) });

function allowed(fields: readonly string[], identified: ReturnType<typeof key> | null = null, keys = [named]) {
  const passage = passageOf(factsOf({}, fields), rulesOf(keys));
  if (identified !== null)
    passage.identity = { key: identified, secret: identified.secrets[0] as (typeof identified.secrets)[0] };
  return corsHeadersFor(passage)[1] ?? null;
}

t.test('before the key is known: any origin that some key admits', async (t) => {
  t.equal(allowed(['Origin', ORIGIN]), ORIGIN);
  t.equal(allowed(['Origin', 'https://b.example']), null);
  t.equal(allowed(['Origin', 'https://b.example'], null, [named, key('all')]), 'https://b.example');
  t.equal(allowed([]), null);
  t.equal(allowed(['Origin', ORIGIN, 'Origin', ORIGIN]), null);
});

t.test('then: the origins of the key itself', async (t) => {
  t.equal(allowed(['Origin', ORIGIN], named), ORIGIN);
  t.equal(allowed(['Origin', ORIGIN], key('other', { allowedOrigins: new Set() })), null);
  t.equal(allowed(['Origin', ORIGIN], key('reads', { type: 'read-write', allowBrowsers: true })), ORIGIN);
  t.equal(allowed(['Origin', ORIGIN], key('server', { type: 'read-write' })), null);
});

t.test('a page reads answers to requests with cookies where its origin is named, and the API says so', async (t) => {
  const credentials = (
    identified: ReturnType<typeof key> | null,
    keys = [named],
    cors: Partial<ApiRules['cors']> = { allowCredentials: true },
  ) => {
    const api = apiRules();
    const rules = rulesOf(keys, { integration: { ...api, cors: { ...api.cors, ...cors } } });
    const passage = passageOf(factsOf({}, ['Origin', ORIGIN]), rules);
    passage.api = rules.apis[0] ?? null;
    if (identified !== null)
      passage.identity = { key: identified, secret: identified.secrets[0] as (typeof identified.secrets)[0] };
    t.equal(mayHaveCredentials(passage, ORIGIN), corsHeadersFor(passage).includes('Access-Control-Allow-Credentials'));
    return mayHaveCredentials(passage, ORIGIN);
  };
  const all = key('all');
  t.equal(credentials(null), true, 'before the key is known: some key names it');
  t.equal(credentials(null, [all]), false, 'every origin is none by name');
  t.equal(credentials(named), true);
  t.equal(credentials(all, [named, all]), false, 'then: the key itself');
  t.equal(credentials(named, [named], { allowCredentials: false }), false);
  t.equal(mayHaveCredentials(passageOf(factsOf(), rulesOf([named])), ORIGIN), false, 'of no API');
});

t.test('before the key is known, only keys of the API count', async (t) => {
  const rules = rulesOf([key('elsewhere', { apis: new Set(['other']) })]);
  const passage = passageOf(factsOf({}, ['Origin', ORIGIN]), rules);
  t.equal(corsHeadersFor(passage)[1], ORIGIN, 'of no API all do');
  passage.api = rules.apis[0] ?? null;
  t.same(corsHeadersFor(passage), []);
});
