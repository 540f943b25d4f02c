import t from 'tap';
import {
  admittedOrigins,
  isPreflight,
  keyAdmitsOrigin,
  keyNamesOrigin,
  preflightHeaders,
  readableBy,
} from '../../src/policy/cors.ts';
import { factsOf, key, snapshotOf } from '../support/passages.ts';

const ORIGIN = 'https://a.example';

t.test('a key admits the origins that it names, if it is for pages at all', async (t) => {
  t.equal(keyAdmitsOrigin(key('k', { allowedOrigins: new Set([ORIGIN]) }), ORIGIN), true);
  t.equal(keyAdmitsOrigin(key('k', { allowedOrigins: new Set([ORIGIN]) }), `${ORIGIN}:8443`), false);
  t.equal(keyAdmitsOrigin(key('k'), 'null'), true);
  t.equal(keyAdmitsOrigin(key('k', { type: 'read-write' }), ORIGIN), false);
  t.equal(keyAdmitsOrigin(key('k', { type: 'read-write', allowBrowsers: true }), ORIGIN), true);
});

t.test('the origins of all keys, by snapshot', async (t) => {
  const origins = (...names: string[]) => ({ allowedOrigins: new Set(names) });
  const keys = snapshotOf([
    key('a', origins('x', 'y')),
    key('b', origins('y', 'z')),
    key('c', { ...origins('off'), enabled: false }),
    key('d', { type: 'read-write', ...origins('server') }),
  ]);
  const admitted = admittedOrigins(keys, 'integration');
  const all = ['x', 'y', 'z', 'off', 'server', 'null'];
  t.same(all.filter(admitted.admits), ['x', 'y', 'z']);
  t.same(all.filter(admitted.names), ['x', 'y', 'z']);
  t.equal(admittedOrigins(keys, 'integration'), admitted, 'made once');
  const grown = snapshotOf([...keys.byId.values(), key('e', origins('new'))]);
  t.equal(admittedOrigins(grown, 'integration').admits('new'), true);
  t.equal(admitted.admits('new'), false, 'an older snapshot has the origins that it had');
  const open = admittedOrigins(snapshotOf([key('a', origins('x')), key('b')]), 'integration');
  t.same(all.filter(open.admits), all, 'some key is for every origin');
  t.same(all.filter(open.names), ['x'], 'which names none');
  t.equal(admittedOrigins(snapshotOf([]), 'integration').admits('x'), false);
});

t.test('each API has the origins of the keys that are for it', async (t) => {
  const keys = snapshotOf([
    key('everywhere', { allowedOrigins: new Set(['x']) }),
    key('orders', { allowedOrigins: new Set(['y']), apis: new Set(['orders']) }),
    key('m', { type: 'metrics', allowBrowsers: true, allowedOrigins: new Set(['z']), apis: new Set(['metrics']) }),
  ]);
  const admitted = (api: string | null) => ['x', 'y', 'z'].filter(admittedOrigins(keys, api).admits);
  t.same(admitted('integration'), ['x']);
  t.same(admitted('orders'), ['x', 'y']);
  t.same(admitted('metrics'), ['z']);
  t.same(admitted(null), ['x', 'y', 'z'], 'before the API is known');
});

t.test('an origin has the methods of the types of key that admit it', async (t) => {
  const only = (...names: string[]) => ({ allowBrowsers: true, allowedOrigins: new Set(names) });
  const keys = snapshotOf([
    key('w', only('w', 'both')),
    key('r', { type: 'read-only', ...only('r', 'both') }),
    key('rw', { type: 'read-write', ...only('rw') }),
    key('m', { type: 'metrics', ...only('m') }),
  ]);
  const { methodsFor } = admittedOrigins(keys, null);
  t.same(methodsFor('w'), ['POST']);
  t.same(methodsFor('w', true), ['GET', 'HEAD', 'POST'], 'what only writes may read what is there for it');
  t.same(methodsFor('r'), ['GET', 'HEAD']);
  t.same(methodsFor('both'), ['GET', 'HEAD', 'POST']);
  t.same(methodsFor('rw'), ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);
  t.same(methodsFor('m'), ['GET', 'HEAD', 'POST']);
  t.same(methodsFor('none', true), []);
  const open = admittedOrigins(snapshotOf([key('any'), ...keys.byId.values()]), null);
  t.same(open.methodsFor('r'), ['GET', 'HEAD', 'POST'], 'those of the keys for every origin too');
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
    preflightHeaders(factsOf({}, ['Origin', ORIGIN, ...asked]), { rules, methods: ['GET', 'POST'], credentials });
  t.same(headers(['Access-Control-Request-Headers', ' X-A,x-b , authorization,X-a,']), [
    'Access-Control-Allow-Origin',
    ORIGIN,
    'Access-Control-Allow-Methods',
    'GET, POST',
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
  t.equal(keyNamesOrigin({ ...named, type: 'read-only', allowBrowsers: false }, ORIGIN), false);
});
