import t from 'tap';
import { metricsPath, ownEndpointAt } from '../../src/policy/own-endpoint.ts';

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
    t.equal(metricsPath(path), 'token', path);
});

t.test('queries are what the cache is for', async (t) => {
  for (const path of [
    '/metrics/query',
    '/metrics/query/',
    '/metrics/Query',
    '/metrics/query/daily-users',
    '/metrics/query/a%20b',
  ])
    t.equal(metricsPath(path), 'query', path);
  for (const path of [
    '/metrics',
    '/metrics/queries',
    '/metrics/query/a/b',
    '/metrics/query/a%2Fb',
    '/metrics/query/a;b/c',
    '/metrics/auth',
  ])
    t.equal(metricsPath(path), 'other', path);
});

t.test('what is answered at a path: tokens, and public keys where there are some', async (t) => {
  const KEYS = '/.well-known/jwks.json';
  t.equal(ownEndpointAt(KEYS, true), 'key set');
  t.equal(ownEndpointAt(KEYS, false), null);
  for (const path of ['/.well-known/jwks.json/', '/.well-known/jwks.jsonx', '/.well-known/JWKS.json', '/'])
    t.equal(ownEndpointAt(path, true), null, path);
  for (const publishes of [true, false]) {
    t.equal(ownEndpointAt('/metrics/auth/token', publishes), 'token');
    t.equal(ownEndpointAt('/METRICS/auth/Token/', publishes), 'token');
    t.equal(ownEndpointAt('/metrics/query', publishes), null);
    t.equal(ownEndpointAt('/auth/token', publishes), null);
  }
});
