/** Which answers may be kept. How they are sent is tested through the whole way, in gateway.test and the flows. */
import t from 'tap';
import { refusal } from '../../src/refusal.ts';
import type { Passage } from '../../src/request/passage.ts';
import { mayBeCached } from '../../src/request/send.ts';
import { identityOf, metricsKey } from '../support/metrics-keys.ts';
import { apiRules, factsOf, passageOf, rulesOf } from '../support/passages.ts';

t.test('an answer is kept for an admitted query alone', async (t) => {
  const api = apiRules({ name: 'metrics' });
  const passage = (change: Partial<Passage> = {}): Passage => ({
    ...passageOf(factsOf({ target: '/metrics/query/a' }), rulesOf([])),
    api,
    path: '/metrics/query/a',
    identity: identityOf(metricsKey()),
    ...change,
  });
  t.equal(mayBeCached(passage()), true);
  const others: Readonly<Record<string, Partial<Passage>>> = {
    'another API': { api: apiRules() },
    'no API': { api: null },
    'an API in report mode': { api: apiRules({ name: 'metrics', enforcement: 'report' }) },
    'another method': { facts: factsOf({ method: 'PUT' }) },
    'two codings': { facts: factsOf({}, ['Content-Encoding', 'gzip', 'Content-Encoding', 'br']) },
    GET: { facts: factsOf({ method: 'GET' }) },
    'nobody known': { identity: null },
    'a request that report mode alone let pass': { wouldReject: refusal('ip_not_allowed', 'elsewhere') },
    'another path': { path: '/metrics/other' },
    'a path with two readings': { path: '/metrics/query/a%2Fb' },
    'the token endpoint': { path: '/metrics/auth/token' },
  };
  for (const [what, change] of Object.entries(others)) t.equal(mayBeCached(passage(change)), false, what);
});
