import t, { type Test } from 'tap';
import { compileKeys } from '../../src/keys/compile.ts';
import type { LoadedDefinition, SharedRecords } from '../../src/keys/definition.ts';
import type { KeySnapshot } from '../../src/keys/key.ts';
import { withAddressLists } from '../../src/keys/listed-source.ts';
import { readStoredDefinition } from '../../src/keys/read-definition.ts';
import type { KeyListener } from '../../src/keys/source.ts';
import { readStoredList } from '../../src/keys/stored-records.ts';
import { parseAddress } from '../../src/lib/address.ts';
import { eventually } from '../support/eventually.ts';
import { definitionOf } from '../support/redis-keys.ts';

function setUp(t: Test) {
  let tell: KeyListener['onKeys'] = () => undefined;
  const snapshots: KeySnapshot[] = [];
  const problems: string[] = [];
  const source = withAddressLists(
    {
      kind: 'redis',
      start: async (listener) => void (tell = listener.onKeys),
      reload: async () => undefined,
      status: () => ({ up: true, lastSyncAt: 1, invalidDefinitions: 0, loaded: true, why: null }),
      close: async () => undefined,
    },
    { now: () => 1, resolve: (file) => file, timing: { retryMs: 10, minuteMs: 1000 } },
  );
  t.teardown(() => source.close());
  const started = source.start({
    onKeys: (snapshot) => snapshots.push(snapshot),
    onProblem: ({ message }) => problems.push(message),
  });
  const keys: LoadedDefinition[] = [readStoredDefinition('a', definitionOf('a', { allowFrom: [{ list: 'l' }] }))];
  return {
    source,
    started,
    snapshots,
    problems,
    tell: (lists: Record<string, string>) => {
      const records: SharedRecords = {
        policies: new Map(),
        lists: new Map(Object.entries(lists).map(([name, json]) => [name, readStoredList(name, json)])),
      };
      tell(compileKeys(keys, 1, records));
      return source.reload();
    },
    admits: (address: string) => {
      const last = snapshots.at(-1);
      return last?.byId.get('a')?.allowFrom.holds(parseAddress(address), last.lists) ?? null;
    },
  };
}

t.test('keys and lists come together, and a list changes without the keys', async (t) => {
  const { started, tell, snapshots, admits } = setUp(t);
  await started;
  await tell({ l: '["192.0.2.1"]' });
  t.equal(snapshots.length, 1);
  t.equal(admits('192.0.2.1'), true);
  const [first] = snapshots;
  await tell({ l: '["192.0.2.2"]' });
  t.same([admits('192.0.2.1'), admits('192.0.2.2')], [false, true]);
  t.equal(snapshots.length, 2, 'at once, not one after the other');
  t.equal(
    first?.byId.get('a')?.allowFrom.holds(parseAddress('192.0.2.1'), first.lists),
    true,
    'the old one is as it was',
  );
  t.ok((snapshots[1]?.version ?? 0) > (first?.version ?? 0));
});

t.test('nothing is published before every list was read', async (t) => {
  const { started, tell, snapshots, source } = setUp(t);
  await started;
  const told = tell({ l: '{"url":"http://127.0.0.1:1/"}', m: '["192.0.2.1"]' });
  await told;
  t.equal(snapshots.length, 0);
  t.match(source.lists(), [
    { name: 'l', up: false, entries: 0 },
    { name: 'm', up: true, entries: 1 },
  ]);
  await tell({ l: '["192.0.2.1"]' });
  t.equal(snapshots.length, 1);
});

t.test('later, a new list that cannot be read holds nobody, and holds up nothing', async (t) => {
  const { started, tell, admits, problems } = setUp(t);
  await started;
  await tell({ l: '["192.0.2.1"]' });
  await tell({ m: '["192.0.2.1"]', l: '["192.0.2.1"]' });
  await tell({ m: '{"url":"http://127.0.0.1:1/"}', l: '["192.0.2.9"]' });
  t.equal(admits('192.0.2.9'), true);
  await eventually(() => problems.length > 0, 'what is wrong with the list');
  t.match(problems, [/address list m is not usable: it cannot be reached: ECONNREFUSED; the last good copy/]);
});
