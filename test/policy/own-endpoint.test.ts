import t from 'tap';
import { isKeySetPath, isMetricsQuery, isTokenPath } from '../../src/policy/own-endpoint.ts';

const METRICS = { name: 'metrics', tokenPath: '/metrics/auth/token' };

t.test('what holds a client secret never goes on, in no spelling that a backend might accept', async (t) => {
  for (const path of [
    '/metrics/auth/token',
    '/metrics/auth/token/',
    '/Metrics/AUTH/Token',
    '/metrics//auth/token',
    '/metrics/auth/token;v=1',
    '/metrics/auth%2Ftoken',
    '/metrics/auth%252Ftoken',
    '/metrics/auth/to%EF%BD%8Ben',
  ])
    t.ok(isTokenPath(METRICS, path), path);
});

t.test('queries are what the cache is for', async (t) => {
  for (const path of [
    '/metrics/query',
    '/metrics/query/',
    '/metrics/Query',
    '/metrics/query/daily-users',
    '/metrics/query/a%20b',
  ])
    t.ok(isMetricsQuery(METRICS, path), path);
  for (const path of [
    '/metrics',
    '/metrics/queries',
    '/metrics/query/a/b',
    '/metrics/query/a%2Fb',
    '/metrics/query/a;b/c',
    '/metrics/auth',
  ])
    t.notOk(isMetricsQuery(METRICS, path), path);
});

t.test('a token endpoint is one path, of an API that has one', async (t) => {
  for (const path of ['/metrics/query', '/auth/token', '/metrics/auth/tokens', '/metrics/auth/toke', '/metrics/auth'])
    t.notOk(isTokenPath(METRICS, path), path);
  t.notOk(isTokenPath({ tokenPath: null }, '/metrics/auth/token'));
  t.ok(isTokenPath({ tokenPath: '/orders/token' }, '/Orders/token/'));
  t.notOk(isMetricsQuery({ name: 'orders' }, '/metrics/query'), 'nor is a query of another API one of metrics');
});

t.test('the key set is at one path, in one spelling', async (t) => {
  t.ok(isKeySetPath('/.well-known/jwks.json'));
  for (const path of ['/.well-known/jwks.json/', '/.well-known/jwks.jsonx', '/.well-known/JWKS.json', '/'])
    t.notOk(isKeySetPath(path), path);
});
