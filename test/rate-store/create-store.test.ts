import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createRateLimits } from '../../src/rate-store/create-store.ts';
import type { RateLimits } from '../../src/rate-store/rate-store.ts';
import { configFrom } from '../support/passages.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startRedis } from '../support/redis.ts';

const LIMIT = { requests: 2, windowSeconds: 60 };

/** The store of a configuration, and what the owner was told of it. */
function storeOf(t: Test, ...lines: readonly string[]): { readonly store: RateLimits; readonly told: string[] } {
  const yaml = ['apis: { integration: { upstream: "http://127.0.0.1:9000" } }', ...lines].join('\n');
  const told: string[] = [];
  const onFallback = (active: boolean, why: string): void => void told.push(active ? `alone: ${why}` : 'shared');
  const store = createRateLimits(configFrom(join(t.testdir({ 'postern.yaml': yaml }), 'postern.yaml')), {
    now: Date.now,
    onFallback,
  });
  t.teardown(() => store.close());
  return { store, told };
}

async function verdicts(store: RateLimits, count: number): Promise<boolean[]> {
  const given: boolean[] = [];
  while (given.length < count) given.push((await store.take('a', LIMIT)).allowed);
  return given;
}

t.test('by default this process counts by itself, and that is no fallback', async (t) => {
  const { store, told } = storeOf(t, `redis: { url: "redis://127.0.0.1:${await freePort()}" }`);
  t.equal(store.shared(), null);
  t.same(await verdicts(store, 3), [true, true, false]);
  t.same(told, []);
});

t.test('a configured Redis that is not there is told to the owner, and limits hold', async (t) => {
  const url = `redis://127.0.0.1:${await freePort()}`;
  const { store, told } = storeOf(t, 'rateLimit: { store: redis }', `redis: { url: "${url}" }`);
  t.same(await verdicts(store, 3), [true, true, false]);
  t.equal(store.shared(), false);
  t.equal(told.length, 1);
  t.match(told[0], /^alone: Redis cannot be reached/);
});

t.test('two processes of one prefix share their count in Redis, under that prefix', async (t) => {
  const { url, admin } = await startRedis(t);
  const redis = `redis: { url: "${url}", prefix: "mine:" }`;
  const [one, two] = [1, 2].map(() => storeOf(t, 'rateLimit: { store: redis }', redis).store);
  if (one === undefined || two === undefined) throw new Error('two were made');
  await eventually(() => one.shared() === true && two.shared() === true, 'both to be connected');
  t.same([...(await verdicts(one, 2)), ...(await verdicts(two, 1))], [true, true, false]);
  t.same(await admin.keys('*'), ['mine:rate:a']);
});
