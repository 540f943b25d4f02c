import t from 'tap';
import { createMemoryRateStore } from '../../src/rate-store/memory.ts';
import { rateStoreContract } from './rate-store-contract.ts';
import { heldAfter } from '../support/held-memory.ts';

const START = 1_800_000_000_000;

t.test('contract', (t) => {
  rateStoreContract(t, () => {
    let time = START;
    return {
      store: createMemoryRateStore(),
      now: () => time,
      advance: async (ms) => {
        time += ms;
      },
    };
  });
  t.end();
});

t.test('answers without a promise', (t) => {
  const verdict = createMemoryRateStore().take('a', { requests: 1, windowSeconds: 1 }, START);
  t.equal(verdict.allowed, true);
  t.end();
});

t.test('asking counts nothing, telling counts without asking', (t) => {
  const store = createMemoryRateStore();
  const limit = { requests: 1, windowSeconds: 10 };
  t.ok(store.verdict('a', limit, START).allowed);
  t.ok(store.verdict('a', limit, START).allowed);
  store.record('a', limit, START);
  t.notOk(store.verdict('a', limit, START).allowed);
  t.end();
});

t.test('however many keys come and go, few are kept', (t) => {
  const store = createMemoryRateStore();
  const limit = { requests: 1, windowSeconds: 1 };
  const held = heldAfter(() => {
    for (let i = 0; i < 50_000; i += 1) store.take(`key-${i}`, limit, START + i * 20);
  });
  t.ok(held < 4_000_000, `${held} bytes`);
  t.notOk(store.take('key-49999', limit, START + 49_999 * 20).allowed);
  t.end();
});

t.test('idle keys are forgotten, busy ones are not', (t) => {
  const store = createMemoryRateStore();
  const limit = { requests: 1, windowSeconds: 10 };
  store.take('busy', { requests: 1, windowSeconds: 3600 }, START);
  for (let i = 0; i < 5000; i += 1) store.take(`k${i}`, limit, START + i * 20);
  t.notOk(store.take('busy', { requests: 1, windowSeconds: 3600 }, START + 100_000).allowed);
  t.notOk(store.take('k4999', limit, START + 100_000).allowed);
  t.end();
});
