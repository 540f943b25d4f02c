import t from 'tap';
import {
  admittedOrigins,
  isPreflight,
  keyAdmitsOrigin,
  keyNamesOrigin,
  preflightHeaders,
  readableBy,
  someKeyNamesOrigin,
} from '../../src/policy/cors.ts';
import { factsOf, key, snapshotOf } from '../support/passages.ts';

const ORIGIN = 'https://a.example';

t.test('a key admits the origins that it names, if it is for pages at all', async (t) => {
  t.equal(keyAdmitsOrigin(key('k', { allowedOrigins: new Set([ORIGIN]) }), ORIGIN), true);
  t.equal(keyAdmitsOrigin(key('k', { allowedOrigins: new Set([ORIGIN]) }), `${ORIGIN}:8443`), false);
  t.equal(keyAdmitsOrigin(key('k'), 'null'), true);
  t.equal(keyAdmitsOrigin(key('k', { type: 'read-write', allowBrowsers: true }), ORIGIN), false);
});

t.test('the origins of all keys, by snapshot', async (t) => {
  const origins = (...names: string[]) => ({ allowedOrigins: new Set(names) });
  const keys = snapshotOf([
    key('a', origins('x', 'y')),
    key('b', origins('y', 'z')),
    key('c', { ...origins('off'), enabled: false }),
    key('d', { type: 'read-write' }),
  ]);
  t.same([...(admittedOrigins(keys) ?? [])], ['x', 'y', 'z']);
  t.equal(admittedOrigins(keys), admittedOrigins(keys), 'computed once');
  const grown = snapshotOf([...keys.byId.values(), key('e', origins('new'))]);
  t.equal(admittedOrigins(grown)?.has('new'), true);
  t.equal(admittedOrigins(keys)?.has('new'), false, 'an older snapshot has the origins that it had');
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
  const rules = { allowedHeaders: new Set(['authorization', 'x-a']), maxAgeSeconds: 60, allowCredentials: true };
  const headers = (asked: readonly string[], credentials = false) =>
    preflightHeaders(factsOf({}, ['Origin', ORIGIN, ...asked]), rules, credentials);
  t.same(headers(['Access-Control-Request-Headers', ' X-A,x-b , authorization,X-a,']), [
    'Access-Control-Allow-Origin',
    ORIGIN,
    'Access-Control-Allow-Methods',
    'POST',
    'Access-Control-Allow-Headers',
    'x-a, authorization',
    'Access-Control-Max-Age',
    '60',
    'Vary',
    'Origin',
  ]);
  t.notOk(headers([]).includes('Access-Control-Allow-Headers'));
  t.notOk(headers([]).includes('Access-Control-Allow-Credentials'));
  t.same(headers([], true).slice(4, 6), ['Access-Control-Allow-Credentials', 'true']);
});

t.test('what lets a page read an answer', async (t) => {
  const plain = readableBy(ORIGIN, false);
  t.same(plain.slice(0, 3), ['Access-Control-Allow-Origin', ORIGIN, 'Access-Control-Expose-Headers']);
  t.equal(plain[3], 'Postern-Removed-Events, X-Request-Id, Retry-After');
  t.same(plain.slice(4), ['Vary', 'Origin']);
  t.same(readableBy(ORIGIN, true), [...plain, 'Access-Control-Allow-Credentials', 'true']);
});

t.test('an origin is named by the keys that say it, never by one that is for every page', async (t) => {
  const named = key('a', { allowedOrigins: new Set([ORIGIN]) });
  t.equal(keyNamesOrigin(named, ORIGIN), true);
  t.equal(keyNamesOrigin(key('b'), ORIGIN), false);
  t.equal(someKeyNamesOrigin(snapshotOf([key('b'), named]), ORIGIN), true);
  t.equal(someKeyNamesOrigin(snapshotOf([key('b'), { ...named, enabled: false }]), ORIGIN), false);
  t.equal(admittedOrigins(snapshotOf([key('b'), named])), null);
});
