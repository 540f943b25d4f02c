import t from 'tap';
import { admittedOrigins, isPreflight, keyAdmitsOrigin, preflightHeaders, readableBy } from '../../src/policy/cors.ts';
import { factsOf, key, snapshotOf } from '../support/passages.ts';

const ORIGIN = 'https://a.example';

t.test('a key admits the origins that it names, if it is for pages at all', async (t) => {
  t.equal(keyAdmitsOrigin(key('k', { allowedOrigins: new Set([ORIGIN]) }), ORIGIN), true);
  t.equal(keyAdmitsOrigin(key('k', { allowedOrigins: new Set([ORIGIN]) }), `${ORIGIN}:8443`), false);
  t.equal(keyAdmitsOrigin(key('k'), 'null'), true);
  t.equal(keyAdmitsOrigin(key('k', { type: 'read-write', allowBrowsers: true }), ORIGIN), false);
});

t.test('the origins of all keys, by snapshot and version', async (t) => {
  const origins = (...names: string[]) => ({ allowedOrigins: new Set(names) });
  const keys = snapshotOf([
    key('a', origins('x', 'y')),
    key('b', origins('y', 'z')),
    key('c', { ...origins('off'), enabled: false }),
    key('d', { type: 'read-write' }),
  ]);
  t.same([...(admittedOrigins(keys) ?? [])], ['x', 'y', 'z']);
  t.equal(admittedOrigins(keys), admittedOrigins(keys), 'computed once');
  const grown = { ...keys, byId: new Map(keys.byId) };
  t.same([...(admittedOrigins(grown) ?? [])].length, 3);
  grown.byId.set('e', key('e', origins('new')));
  t.equal(admittedOrigins(grown)?.has('new'), false);
  t.equal(admittedOrigins(Object.assign(grown, { version: 2 }))?.has('new'), true);
  t.equal(admittedOrigins(snapshotOf([key('a', origins('x')), key('b')])), null, 'some key is for every origin');
  t.equal(admittedOrigins(snapshotOf([]))?.size, 0);
});

t.test('what a preflight is', async (t) => {
  const fields = ['Origin', ORIGIN, 'Access-Control-Request-Method', 'POST'];
  t.equal(isPreflight(factsOf({ method: 'OPTIONS' }, fields)), true);
  t.equal(isPreflight(factsOf({ method: 'POST' }, fields)), false);
  t.equal(isPreflight(factsOf({ method: 'OPTIONS' }, fields.slice(0, 2))), false);
  t.equal(isPreflight(factsOf({ method: 'OPTIONS' }, fields.slice(2))), false);
});

t.test('its answer allows of the asked headers those that are allowed', async (t) => {
  const rules = { allowedHeaders: new Set(['authorization', 'x-a']), maxAgeSeconds: 60 };
  const headers = (asked: readonly string[]) => preflightHeaders(factsOf({}, ['Origin', ORIGIN, ...asked]), rules);
  t.same(headers(['Access-Control-Request-Headers', ' X-A,x-b , authorization,X-a,']), [
    ...['Access-Control-Allow-Origin', ORIGIN, 'Access-Control-Allow-Methods', 'POST'],
    ...['Access-Control-Allow-Headers', 'x-a, authorization', 'Access-Control-Max-Age', '60', 'Vary', 'Origin'],
  ]);
  t.notOk(headers([]).includes('Access-Control-Allow-Headers'));
});

t.test('what lets a page read an answer', async (t) => {
  t.same(readableBy(ORIGIN), [
    ...['Access-Control-Allow-Origin', ORIGIN],
    ...['Access-Control-Expose-Headers', 'Postern-Removed-Events, X-Request-Id, Retry-After', 'Vary', 'Origin'],
  ]);
});
