import t from 'tap';
import { mayBeCached, metricsPath, ownEndpointAt } from '../../src/metrics-api/metrics-path.ts';
import type { Passage } from '../../src/policy/pipeline.ts';
import { refusal } from '../../src/policy/refusal.ts';
import { apiRules, factsOf, passageOf, rulesOf } from '../support/passages.ts';
import { identityOf, metricsKey } from './support/metrics-keys.ts';

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

t.test('an answer is kept for an admitted query alone', async (t) => {
  const api = apiRules({ name: 'metrics' });
  const passage = (change: Partial<Passage> = {}): Passage => ({
    ...passageOf(factsOf({ target: '/metrics/query/a' }), rulesOf([])),
    ...{ api, path: '/metrics/query/a', identity: identityOf(metricsKey()) },
    ...change,
  });
  t.equal(mayBeCached(passage()), true);
  const others: Readonly<Record<string, Partial<Passage>>> = {
    'another API': { api: apiRules() },
    'no API': { api: null },
    'an API in report mode': { api: apiRules({ name: 'metrics', enforcement: 'report' }) },
    'another method': { facts: factsOf({ method: 'PUT' }) },
    GET: { facts: factsOf({ method: 'GET' }) },
    'nobody known': { identity: null },
    'a request that report mode alone let pass': { wouldReject: refusal('ip_not_allowed', 'elsewhere') },
    'another path': { path: '/metrics/other' },
    'a path with two readings': { path: '/metrics/query/a%2Fb' },
    'the token endpoint': { path: '/metrics/auth/token' },
  };
  for (const [what, change] of Object.entries(others)) t.equal(mayBeCached(passage(change)), false, what);
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
