import t from 'tap';
import { cacheKey, variantKey } from '../../src/cache/cache-key.ts';
import { createMemoryStore } from '../../src/cache/memory-store.ts';
import { callUpstream, type Shared } from '../../src/cache/shared-answer.ts';
import { Client, fakeUpstream, type UpstreamCall } from '../support/cached-upstream.ts';
import { answerEntry } from './store-contract.ts';
import { metricsKey, NOW } from '../support/metrics-keys.ts';

type Kind<K extends Shared['kind']> = Shared & { readonly kind: K };

const FRESH_MS = 300_000;
const STALE_MS = 60_000;
const QUERY = {
  holder: metricsKey(),
  ttlMs: FRESH_MS,
  method: 'POST',
  target: '/metrics/query',
  body: Buffer.from('{}'),
  contentType: undefined,
  contentEncoding: undefined,
  host: 'api.test',
  shape: 'http',
  isHead: false,
  isConditional: false,
  isShared: false,
  cacheControl: undefined,
};
const BASE_KEY = cacheKey('scope', QUERY);

/** One call with its store and its clock. */
function call({ headers = [] as readonly string[], flightKey = BASE_KEY, isLatest = true } = {}) {
  let now = NOW;
  const upstream = fakeUpstream();
  const store = createMemoryStore({ maxBytes: 100_000, now: () => now });
  const settings = { scope: 'scope', maxEntryBytes: 10, staleIfErrorMs: STALE_MS };
  const query = { ...QUERY, headers: () => headers, send: upstream.send };
  const shared = { query, baseKey: BASE_KEY, flightKey, freshMs: FRESH_MS };
  const { result } = callUpstream({ settings, store, now: () => now }, shared, () => isLatest);
  const backend = upstream.calls[0] as UpstreamCall;
  const answered = async <K extends Shared['kind']>(
    ...answer: Parameters<UpstreamCall['answer']>
  ): Promise<Kind<K>> => {
    backend.answer(...answer);
    return (await result) as Kind<K>;
  };
  return { backend, result, store, answered, pass: (ms: number) => void (now += ms) };
}

t.test('the answer is in the store by the time anybody hears of it, and until it is of no more use', async (t) => {
  const { backend, result, store, pass } = call();
  const seen = result.then(() => store.get(BASE_KEY));
  backend.answer('{"a":1}', { headers: ['X-A', '1', 'Age', '7'] });
  t.match(await seen, {
    kind: 'answer',
    status: 200,
    statusText: 'OK',
    body: Buffer.from('{"a":1}'),
    headers: ['X-A', '1', 'Content-Length', '7'],
    storedAt: NOW,
    freshMs: FRESH_MS,
    initialAge: 7,
  });
  t.match(await result, { kind: 'answer', key: BASE_KEY, vary: [], stored: true });
  pass(FRESH_MS + STALE_MS - 1);
  t.ok(store.get(BASE_KEY), 'it may have to stand in for a backend that fails');
  pass(1);
  t.equal(store.get(BASE_KEY), undefined);
});

for (const age of ['-1', '1.5', '1e3', '9999999999', '5, 7', 'NaN', ''])
  t.test(`an age that is no plain number counts as none: ${JSON.stringify(age)}`, async (t) => {
    const { answered, store } = call();
    await answered('a', { headers: ['Age', age] });
    t.match(store.get(BASE_KEY), { initialAge: 0, headers: ['Content-Length', '1'] });
  });

t.test('an answer is found again by the request fields that it depends on, however they are written', async (t) => {
  const { answered, store } = call({ headers: ['ACCEPT', 'a', 'X-Other', '1', 'accept', 'b'] });
  const shared = await answered<'answer'>('a', { headers: ['Vary', 'Origin, accept', 'vary', 'ACCEPT'] });
  const key = variantKey(BASE_KEY, ['accept', 'origin'], ['Accept', 'a, b']);
  t.same([shared.key, shared.vary], [key, ['accept', 'origin']]);
  t.match(store.get(key), { kind: 'answer' });
  t.same(store.get(BASE_KEY), { kind: 'vary', names: ['accept', 'origin'] });
});

t.test('a call that was overtaken answers those who wait, and touches nothing that is kept', async (t) => {
  for (const headers of [[], ['Vary', 'Accept'], ['Cache-Control', 'no-store']]) {
    const { answered, store } = call({ isLatest: false });
    store.set(BASE_KEY, answerEntry(), 1000);
    const { kind } = await answered<'answer' | 'stream'>('new', { headers });
    t.equal(kind, headers[0] === 'Cache-Control' ? 'stream' : 'answer');
    t.same([store.get(BASE_KEY), store.stats().entries], [answerEntry(), 1]);
  }
  const { answered } = call({ isLatest: false });
  t.match(await answered('new'), { answer: { body: Buffer.from('new') }, stored: false });
});

const REMOVES: readonly (readonly [status: number, body: string, headers: readonly string[], removes: boolean])[] = [
  [200, 'a', ['Set-Cookie', 'a=1'], true],
  [200, 'longer than ten', [], true],
  [206, 'a', [], true],
  [302, 'a', [], false],
  [404, 'a', [], false],
  [503, 'longer than ten', [], false],
];
for (const [status, body, headers, removes] of REMOVES)
  t.test(
    `a ${status} of ${body.length} bytes that is not kept ${removes ? 'takes away' : 'leaves'} what is`,
    async (t) => {
      const flightKey = 'f'.repeat(64);
      const { answered, store } = call({ flightKey });
      for (const key of [BASE_KEY, flightKey]) store.set(key, answerEntry(), 1000);
      const { status: told, take } = await answered<'stream'>(body, { status, headers });
      t.equal(told, status);
      t.equal(store.get(flightKey) === undefined, removes);
      t.ok(store.get(BASE_KEY), 'other answers to the question stay');
      const client = new Client();
      take(client);
      t.same([client.status, client.body], [status, body]);
    },
  );

t.test('a server error is shared unless it is meant for one alone, and never kept', async (t) => {
  for (const headers of [[], ['Set-Cookie', 'a=1'], ['Vary', 'Accept'], ['Vary', '*'], ['Content-Encoding', 'gzip']]) {
    const { answered, store } = call();
    const shared = await answered<'error'>('down', { status: 500, headers, length: false });
    t.same([shared.kind, shared.answer.status, shared.shareable], ['error', 500, headers.length === 0]);
    t.equal(store.stats().entries, 0);
  }
});

t.test('a length that is written oddly is sent once, in its plain form', async (t) => {
  const headers = ['Content-Length', '0000000000000003'];
  const { answer } = await call().answered<'answer'>('abc', { headers, length: false });
  t.same(answer.headers, ['Content-Length', '3']);
});
