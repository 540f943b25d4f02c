/** What a connection remembers of a request that is over. */
import type { Socket } from 'node:net';
import t from 'tap';
import { readHeaders } from '../../src/policy/header-facts.ts';
import { connectionOf, placeOf, remember, visitOf, type Connection } from '../../src/request/connection.ts';
import type { Facts } from '../../src/policy/facts.ts';
import { NOWHERE, type Passage, type Place } from '../../src/request/passage.ts';
import { apiRules, bearer, factsOf, judged, key, passageOf, rulesOf } from '../support/passages.ts';

const RULES = rulesOf([key('k')]);
const INTEGRATION = RULES.apis[0];
const EMPTY: Connection = { open: null, section: null, visit: null };

function passed(target: string, fields: readonly string[] = bearer('k'), rules = RULES): Passage {
  const passage = passageOf(factsOf({ target, method: 'GET' }, fields), rules);
  judged(passage);
  return passage;
}

function rememberedOf(passage: Passage, connection: Connection = { ...EMPTY }): Connection {
  remember(connection, passage);
  return connection;
}

t.test('each socket has its own', async (t) => {
  const [one, other] = [{} as Socket, {} as Socket];
  t.equal(connectionOf(one), connectionOf(one));
  t.not(connectionOf(one), connectionOf(other));
  t.same(connectionOf(one), EMPTY);
});

t.test('the header section and the place, and no key, credential or body', async (t) => {
  const passage = passed('/profile/1?a=b');
  const { section, visit } = rememberedOf(passage);
  t.equal(section?.headers, passage.facts.headers);
  t.match(visit, { target: '/profile/1?a=b', method: 'GET', path: '/profile/1', query: '?a=b', host: 'api.test' });
  t.equal(visit?.api, INTEGRATION);
  const held = new Set<unknown>();
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || held.has(value) || value === INTEGRATION) return;
    held.add(value);
    Object.values(value).forEach(walk);
  };
  walk({ section, visit });
  for (const unwanted of [RULES, RULES.keys, passage, passage.facts, passage.identity, passage.identity?.key])
    t.notOk(held.has(unwanted));
});

t.test('what is equal is kept as it was', async (t) => {
  const connection = rememberedOf(passed('/profile/1'));
  const { section, visit } = connection;
  const again = passageOf(
    factsOf({ target: '/profile/1', method: 'GET', headers: section?.headers as never }, bearer('k')),
    RULES,
  );
  Object.assign(again, { path: visit?.path, query: visit?.query, api: visit?.api, route: visit?.route });
  remember(connection, again);
  t.equal(connection.section, section);
  t.equal(connection.visit, visit);
  remember(connection, passed('/profile/2'));
  t.not(connection.visit, visit);
  t.equal(connection.visit?.path, '/profile/2');
});

const many = Array.from({ length: 300 }, (_, n) => [`X-${n}`, 'a']).flat();
const LARGE: Readonly<Record<string, readonly string[]>> = {
  'many fields': many,
  'a long value': ['X-A', 'a'.repeat(7000)],
  'a long name': ['X'.repeat(7000), 'a'],
};
for (const [what, fields] of Object.entries(LARGE))
  t.test(`a large header section is not remembered: ${what}`, async (t) => {
    const before = rememberedOf(passed('/profile/1'));
    const { section, visit } = rememberedOf(passed('/profile/1', [...fields, ...bearer('k')]), before);
    t.equal(section, null);
    t.equal(visit?.path, '/profile/1', 'its place is');
  });

t.test('a long target or Host is not remembered, even one whose path is short', async (t) => {
  t.equal(rememberedOf(passed(`/profile?${'q'.repeat(7000)}`)).visit, null);
  t.equal(rememberedOf(passed(`/${'p'.repeat(4000)}`)).visit, null);
  const rawHeaders = ['Host', 'h'.repeat(7000)];
  const facts = factsOf({ target: '/profile', method: 'GET', rawHeaders, headers: readHeaders(rawHeaders) });
  const passage = passageOf(facts, RULES);
  judged(passage);
  t.same(rememberedOf(passage), EMPTY);
});

t.test('a request that found no route leaves its header section alone', async (t) => {
  const rules = rulesOf([key('k')], { integration: apiRules({ hosts: new Set(['other.test']) }) });
  const { section, visit } = rememberedOf(passed('/profile', bearer('k'), rules), rememberedOf(passed('/profile')));
  t.ok(section);
  t.equal(visit, null);
});

t.test(
  'the next request goes where the last one went, if it asks for the same of the same configuration',
  async (t) => {
    const before = passed('/profile/1?a=b');
    const { visit } = rememberedOf(before);
    const now = (change: Partial<Facts> = {}) => factsOf({ target: '/profile/1?a=b', method: 'GET', ...change });
    t.equal(placeOf(visit, now(), RULES), visit);
    t.equal(placeOf(visit, now(), { ...RULES, keys: rulesOf([key('other')]).keys }), visit, 'whatever keys there are');
    const others: Readonly<Record<string, Place>> = {
      'nowhere before': placeOf(null, now(), RULES),
      'another target': placeOf(visit, now({ target: '/profile/1?a=c' }), RULES),
      'another method': placeOf(visit, now({ method: 'POST' }), RULES),
      'another Host': placeOf(visit, now({ headers: readHeaders(['Host', 'b.test']) }), RULES),
      'other quirks': placeOf(visit, now(), { ...RULES, pathQuirks: new Set() }),
      'other APIs': placeOf(visit, now(), { ...RULES, apis: [...RULES.apis] }),
    };
    for (const [what, place] of Object.entries(others)) t.equal(place, NOWHERE, what);
  },
);

t.test('no visit is kept to an endpoint of Postern, to no API, or by a path that is judged anew', async (t) => {
  t.ok(visitOf(passed('/profile/1')));
  t.equal(visitOf(Object.assign(passed('/profile/1'), { endpoint: 'preflight' })), null);
  t.equal(visitOf(Object.assign(passed('/profile/1'), { api: null })), null);
  t.equal(visitOf(Object.assign(passed('/profile/1'), { isAmbiguous: true })), null);
});

t.test('another place takes the place of the last one, whatever of it is other', async (t) => {
  const connection = rememberedOf(passed('/profile/1?a'));
  for (const target of ['/profile/1?b', '/profile/1', '/profile/2', '/event/ingest']) {
    remember(connection, passed(target));
    t.equal(connection.visit?.target, target);
  }
  const other = passed('/event/ingest');
  remember(connection, Object.assign(other, { route: null }));
  t.equal(connection.visit?.route, null);
});
