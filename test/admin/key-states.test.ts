import t from 'tap';
import { createKeyStates } from '../../src/admin/key-states.ts';
import { problem } from '../../src/admin/problem.ts';
import { compileKeys } from '../../src/keys/compile.ts';
import type { LoadedDefinition } from '../../src/keys/definition.ts';
import { readDefinition } from '../../src/keys/read-definition.ts';
import { NOON } from '../support/outcomes.ts';

const read = (fields: Record<string, unknown>): LoadedDefinition => {
  const definition = readDefinition({ secret: `secret-of-${String(fields['id'])}-0001`, ...fields });
  if (!definition.ok) throw new Error(JSON.stringify(definition.findings));
  return { id: String(fields['id']), definition: definition.value };
};

const HOUR = 3_600_000;
const ends = (ms: number) => new Date(NOON + ms).toISOString();
const definitions = [
  read({ id: 'quiet', type: 'read-only', allowFrom: ['203.0.113.7'], expiresAt: ends(30 * 24 * HOUR + 2 * HOUR) }),
  read({ id: 'open', type: 'read-only' }),
  read({ id: 'over', type: 'write-only', allowedEvents: ['login'], expiresAt: ends(-HOUR) }),
  read({ id: 'off', type: 'write-only', allowedEvents: ['login'], enabled: false }),
  { id: 'bad', invalid: 'it is no mapping' },
];

function started() {
  let now = NOON;
  let version = 1;
  let listed = 0;
  let fails = false;
  let sampled = 0;
  const states = createKeyStates({
    keys: () => compileKeys(definitions, version),
    changes: {
      list: async () => {
        listed++;
        return fails ? problem('source_unavailable', 'No Redis.') : definitions;
      },
    },
    samples(metric) {
      sampled++;
      return metric === 'postern_secret_last_used_timestamp_seconds'
        ? [{ labels: { key: 'open', secret: secretOf('open') }, value: NOON / 1000 }]
        : [];
    },
    now: () => now,
  });
  return {
    states,
    listed: () => listed,
    sampled: () => sampled,
    pass: (ms: number) => void (now += ms),
    change: () => void version++,
    fail: () => void (fails = true),
  };
}

const secretOf = (id: string) => compileKeys(definitions, 1).byId.get(id)?.secrets[0]?.id ?? '';

t.test('tells how each key stands, and how many stand how', async (t) => {
  const { counts, keys } = await started().states.read();
  t.same(counts, { active: 2, disabled: 1, expired: 1, invalid: 1, warned: 2 });
  t.same(
    keys.map(({ id, state, warnings }) => [id, state, warnings.length]),
    [
      ['quiet', 'active', 0],
      ['open', 'active', 1],
      ['over', 'expired', 1],
      ['off', 'disabled', 0],
      ['bad', 'invalid', 0],
    ],
  );
  t.same(
    keys.map(({ secrets }) => secrets[0]?.lastUsedAt ?? null),
    [null, ends(0), null, null, null],
  );
  t.equal(keys.at(-1)?.why, 'it is no mapping');
});

t.test('one key, or none, with the counts of all', async (t) => {
  const { states, sampled } = started();
  const idsOf = async (only: string) => (await states.read(only)).keys.map(({ id }) => id);
  t.same(
    [await idsOf('open'), await idsOf('bad'), await idsOf(''), await idsOf('nobody')],
    [['open'], ['bad'], [], []],
  );
  const before = sampled();
  t.equal((await states.read('')).counts.active, 2);
  t.equal(sampled(), before, 'nobody asks for the last use of no key');
  const none = createKeyStates({
    keys: () => null,
    changes: { list: async () => [] },
    samples: () => [],
    now: () => NOON,
  });
  t.same(await none.read(), { counts: { active: 0, disabled: 0, expired: 0, invalid: 0, warned: 0 }, keys: [] });
});

t.test('definitions are read again after a change and after an hour, and not for each look', async (t) => {
  const { states, listed, pass, change } = started();
  await states.read();
  await states.read();
  t.equal(listed(), 1);
  change();
  await states.read();
  t.equal(listed(), 2);
  pass(HOUR);
  await states.read();
  t.equal(listed(), 3);
  pass(2 * HOUR);
  t.equal((await states.read()).counts.warned, 3, 'one expires in less than thirty days by now');
});

t.test('without the stored definitions there are no warnings, and states all the same', async (t) => {
  const { states, fail } = started();
  fail();
  t.same((await states.read()).counts, { active: 2, disabled: 1, expired: 1, invalid: 1, warned: 0 });
});
