import t from 'tap';
import { createMemoryStore } from '../../src/observe/memory-store.ts';
import { Observations } from '../../src/observe/observations.ts';
import { observationStoreContract } from './store-contract.ts';

t.test('contract', async (t) => {
  await observationStoreContract(t, {
    lasts: false,
    open: async ({ days, now }) => {
      const observations = new Observations({ days });
      return { observations, store: createMemoryStore(observations, now) };
    },
  });
});
