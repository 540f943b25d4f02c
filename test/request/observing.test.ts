/** What is told of a request at its end. Whole sidecars are asked in test/flows/observed.test.ts. */
import t from 'tap';
import type { Observer } from '../../src/observe/observer.ts';
import { createEventReader } from '../../src/observe/event-reader.ts';
import { dayOf, Observations, type Subject } from '../../src/observe/observations.ts';
import { observedView, type Observed } from '../../src/observe/view.ts';
import { createObserving } from '../../src/request/observing.ts';
import type { Exchange } from '../../src/request/exchange.ts';
import { refusal, type Refusal } from '../../src/refusal.ts';
import { apiRules, factsOf, key, NOON, passageOf, rulesOf } from '../support/passages.ts';

type Given = Partial<Pick<Exchange, 'identity' | 'refusal' | 'wouldReject' | 'endpoint' | 'path' | 'api' | 'query'>> & {
  readonly fields?: readonly string[];
  readonly method?: string;
};

/** What is observed of one request. */
async function observedOf(
  { fields = [], method = 'GET', ...given }: Given,
  answer: { readonly status: number; readonly tokenIssued?: boolean } = { status: 200 },
  subject: Subject = { kind: 'key', name: 'web' },
): Promise<Observed | null> {
  const observations = new Observations({ days: 30 });
  const reader = createEventReader(observations);
  const observing = createObserving({ observations, reader } as Observer);
  const passage = passageOf(factsOf({ method }, fields), rulesOf([]));
  const exchange = {
    ...passage,
    api: apiRules(),
    path: '/things/1',
    identity: { key: key('web', { type: 'read-write' }), secret: { id: 's', digest: '', expiresAt: null } },
    refusal: null,
    ...given,
  } as unknown as Exchange;
  observing.count(exchange, answer);
  await reader.idle();
  const counts = observations.read(subject, dayOf(NOON));
  return counts && observedView(counts);
}

const API: Subject = { kind: 'api', name: 'integration' };
const reasons = (seen: Observed | null): string[] => (seen?.refused ?? []).map(({ reason }) => reason);

t.test('good is what was let through and answered below 400', async (t) => {
  for (const status of [200, 204, 304, 399]) t.equal((await observedOf({}, { status }))?.good, 1, String(status));
  t.same(reasons(await observedOf({}, { status: 400 })), ['backend_400']);
  t.same(reasons(await observedOf({}, { status: 499 })), ['client_gone']);
  const failed: Refusal = refusal('upstream_timeout', 'no answer');
  t.same(reasons(await observedOf({ refusal: failed }, { status: 200 })), ['upstream_timeout'], 'also in its midst');
  t.equal((await observedOf({ wouldReject: refusal('ip_not_allowed', '') }))?.good, 1, 'report mode');
});

t.test('whose it is', async (t) => {
  const expired = {
    ...refusal('invalid_credential' as never, ''),
    reason: 'expired',
    keyId: 'web',
  } as unknown as Refusal;
  t.same(reasons(await observedOf({ identity: null, refusal: expired }, { status: 401 })), ['expired']);
  const stranger = { ...expired, reason: 'unknown', keyId: undefined } as unknown as Refusal;
  t.equal(await observedOf({ identity: null, refusal: stranger }, { status: 401 }, API), null);
  t.same(
    reasons(
      await observedOf(
        { identity: null, refusal: stranger, api: apiRules({ enforcement: 'report' }) },
        { status: 401 },
        API,
      ),
    ),
    ['unknown'],
  );
  t.equal((await observedOf({ identity: null }, { status: 200 }, API))?.good, 1, 'a public route');
  t.equal(await observedOf({ identity: null, endpoint: 'preflight' }, { status: 204 }, API), null);
  t.equal(await observedOf({ identity: null, api: null }, { status: 404 }, API), null);
});

t.test('an access token is good where it is issued, and goes to no route', async (t) => {
  const issued = await observedOf({ endpoint: 'token' }, { status: 200, tokenIssued: true });
  t.same([issued?.good, issued?.routes.length, issued?.addresses.length], [1, 0, 1]);
});

t.test('what only a key for every method may send is in the way of a stricter one', async (t) => {
  const obstacles = async (given: Given): Promise<string[]> =>
    ((await observedOf(given))?.obstacles ?? []).map(({ reason }) => reason);
  const form = ['Content-Type', 'application/x-www-form-urlencoded', 'Content-Length', '3'];
  t.same(await obstacles({ method: 'POST', fields: form }), ['forms']);
  t.same(await obstacles({ query: '?_method=DELETE' }), ['forms']);
  t.same(await obstacles({ query: '?a=b' }), []);
});

t.test('a path that was never read, or is too long, is no route', async (t) => {
  for (const path of ['', `/${'x'.repeat(600)}`]) {
    const seen = await observedOf({ path });
    t.same([seen?.routes, seen?.truncated.routes], [[], 1]);
  }
});

t.test('pages by their origin; two of them are none', async (t) => {
  const origins = async (...fields: readonly string[]): Promise<string[]> =>
    ((await observedOf({ fields }))?.origins ?? []).map(({ origin }) => origin);
  t.same(await origins('Origin', 'https://a.example'), ['https://a.example']);
  t.same(await origins('Origin', 'https://a.example', 'Origin', 'https://b.example'), []);
  t.same(await origins(), []);
});
