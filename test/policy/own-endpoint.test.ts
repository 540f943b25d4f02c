import t from 'tap';
import { metricsPath } from '../../src/policy/own-endpoint.ts';

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
