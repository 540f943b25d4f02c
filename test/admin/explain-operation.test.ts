import t from 'tap';
import { explainOperation, type ExplainPorts } from '../../src/admin/explain-operation.ts';
import type { Call } from '../../src/admin/operation.ts';
import { Explanation } from '../../src/admin/schemas.ts';
import { ConfigSchema } from '../../src/config/schema.ts';
import { apiRules, key, NOON, rulesOf } from '../support/passages.ts';

const upstream = 'http://127.0.0.1:9';
const QUESTION = { keyId: 'web', ip: '192.0.2.1', method: 'POST', path: '/event/ingest' };

/** Asks; what is answered is held against its own description. */
function asking(ports: Partial<ExplainPorts> = {}) {
  const operation = explainOperation({
    rules: () => rulesOf([key('web')]),
    config: () => ConfigSchema.parse({ apis: { integration: { upstream } } }),
    now: () => NOON,
    ...ports,
  });
  if (!('handle' in operation)) throw new Error('it does not answer');
  return async (change: Record<string, unknown> = {}) => {
    const answer = await operation.handle({ body: { ...QUESTION, ...change } } as Call);
    if ('code' in answer) throw new Error(JSON.stringify(answer));
    return Explanation.parse(answer.body);
  };
}

const reasonOf = ({ steps }: Explanation, name: string) => steps.find(({ step }) => step === name)?.reason;
type Explanation = ReturnType<typeof Explanation.parse>;

t.test('until there are keys every request is refused, and no step is told', async (t) => {
  const told = await asking({ rules: () => rulesOf([], { ready: false }) })({ keyId: undefined, key: 'secret-of-web' });
  t.strictSame(told, {
    outcome: 'refused',
    status: 503,
    code: 'not_ready',
    keyId: null,
    clientAddress: '192.0.2.1',
    chain: [],
    removedEvents: 0,
    steps: [],
  });
});

t.test('a question is judged by the rules and the time of the moment in which it is asked', async (t) => {
  let now = NOON - 1;
  let keys = [key('web', { expiresAt: NOON })];
  const ask = asking({ rules: () => rulesOf(keys), now: () => now });
  t.match(await ask(), { outcome: 'allowed', keyId: 'web' });
  now = NOON;
  t.match(await ask(), { outcome: 'refused', code: 'invalid_credential' });
  keys = [key('web')];
  t.match(await ask(), { outcome: 'allowed' });
});

t.test('the request is one to a host that the API of its path serves', async (t) => {
  const integration = apiRules({ hosts: new Set(['events.example.com', 'other.example.com']) });
  const metrics = apiRules({ name: 'metrics', hosts: new Set(['metrics.example.com']) });
  const keys = [key('web'), key('m', { type: 'metrics', apis: new Set(['metrics']) })];
  const ask = asking({ rules: () => rulesOf(keys, { integration, metrics }) });
  t.match(await ask(), { outcome: 'allowed' });
  t.match(await ask({ keyId: 'm', path: '/metrics/query' }), { outcome: 'allowed', keyId: 'm' });
  const alone = asking({ rules: () => rulesOf(keys, { integration: null, metrics }) });
  t.match(await alone(), { outcome: 'refused', code: 'no_route' });
});

t.test('the events and the origin that were named are those of the request', async (t) => {
  const limited = [key('web', { allowedEvents: new Set(['signed_up']), allowedOrigins: new Set(['https://a.test']) })];
  const ask = asking({ rules: () => rulesOf(limited) });
  t.match(await ask({ events: ['signed_up'] }), { outcome: 'allowed' });
  t.match(await ask({ events: ['paid'] }), { outcome: 'refused', code: 'event_not_allowed' });
  t.match(await ask({ origin: 'https://a.test' }), { outcome: 'allowed' });
  t.match(await ask({ origin: 'https://b.test' }), { outcome: 'refused', status: 403 });
});

t.test('what Postern answers itself is told to be so', async (t) => {
  const rules = () => rulesOf([], { metrics: apiRules({ name: 'metrics' }) });
  const ask = asking({ rules });
  const told = await ask({ path: '/metrics/auth/token' });
  t.match(told, { outcome: 'allowed', keyId: null });
  t.match(reasonOf(told, 'own endpoint'), /answers this itself: token$/);
  t.match(await ask(), { outcome: 'refused', code: 'invalid_credential' });
});

t.test('a question without a key is about a request without one', async (t) => {
  t.match(await asking()({ keyId: undefined }), { outcome: 'refused', status: 401, code: 'missing_credential' });
});

t.test('the secret that was asked about is not repeated, right or wrong', async (t) => {
  const ask = asking();
  const right = await ask({ keyId: undefined, key: 'secret-of-web' });
  t.match(right, { outcome: 'allowed', keyId: 'web' });
  t.notMatch(JSON.stringify(right), 'secret-of-web');
  const wrong = await ask({ keyId: undefined, key: 'hunter2' });
  t.match(reasonOf(wrong, 'credential'), /no key has this secret/);
  t.notMatch(JSON.stringify(wrong), 'hunter2');
});

t.test('what must not be sent to the data port is refused here as it is there', async (t) => {
  const ask = asking();
  for (const [change, code] of [
    [{ path: '/event/../event/ingest' }, 'ambiguous_path'],
    [{ path: 'http://elsewhere.test/' }, 'malformed_request'],
    [{ method: 'POST\r\nX: y' }, 'malformed_request'],
    [{ origin: 'https://a.test\r\nX: y' }, 'malformed_request'],
  ] as const)
    t.match(await ask(change), { outcome: 'refused', code }, JSON.stringify(change));
});
