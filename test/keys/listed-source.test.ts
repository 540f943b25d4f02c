import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
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
  const statuses: unknown[] = [];
  let all: KeyListener | null = null;
  let closed = 0;
  const source = withAddressLists(
    {
      kind: 'redis',
      async start(listener) {
        all = listener;
        tell = listener.onKeys;
      },
      reload: async () => undefined,
      status: () => ({ up: true, lastSyncAt: 1, invalidDefinitions: 0, loaded: true, why: null }),
      close: async () => void (closed += 1),
    },
    { now: () => 1, resolve: (file) => file, timing: { retryMs: 10, minuteMs: 1000 } },
  );
  t.teardown(() => source.close());
  const started = source.start({
    onKeys: (snapshot) => snapshots.push(snapshot),
    onProblem: ({ message }) => problems.push(message),
    onStatus: (status) => statuses.push(status),
  });
  const keys: LoadedDefinition[] = [readStoredDefinition('a', definitionOf('a', { allowFrom: [{ list: 'l' }] }))];
  return {
    source,
    started,
    snapshots,
    problems,
    statuses,
    closed: () => closed,
    listener: () => all as unknown as KeyListener,
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

/** Timers are kept, and run when the test says so. */
function heldTimers(t: Test) {
  const { setTimeout: real, clearTimeout: clear } = globalThis;
  const kept = new Map<object, { readonly run: () => void; readonly ms: number }>();
  Object.assign(globalThis, {
    setTimeout: (run: () => void, ms = 0) => {
      const timer = { unref: () => timer };
      kept.set(timer, { run, ms });
      return timer;
    },
    clearTimeout: (timer: object) => void kept.delete(timer),
  });
  t.teardown(() => Object.assign(globalThis, { setTimeout: real, clearTimeout: clear }));
  return {
    /** How long those wait that wait at least so long. */
    waiting: (least: number) => [...kept.values()].map(({ ms }) => ms).filter((ms) => ms >= least),
    run: (wanted: number) => {
      for (const [timer, { run, ms }] of kept)
        if (ms === wanted) {
          kept.delete(timer);
          run();
        }
    },
  };
}

t.test('a start waits for lists for four seconds, later keys wait for them for less than one', async (t) => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.teardown(() => silent.close().closeAllConnections());
  const list = JSON.stringify({ url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/` });
  const { started, tell, snapshots, admits } = setUp(t);
  await started;
  const timers = heldTimers(t);
  const first = tell({ l: list });
  t.same(timers.waiting(100), [4000]);
  timers.run(4000);
  await first;
  t.equal(snapshots.length, 0, 'nothing is published before every list was read');
  await tell({ l: '["192.0.2.1"]' });
  t.same([snapshots.length, admits('192.0.2.1'), timers.waiting(100)], [1, true, []]);

  const second = tell({ l: '["192.0.2.1"]', m: list });
  t.same(timers.waiting(100), [700]);
  t.equal(snapshots.length, 1);
  timers.run(700);
  await second;
  t.same([snapshots.length, admits('192.0.2.1')], [2, true], 'what else changed is in force');
});

t.test('what the source tells is passed on, and nothing is once it is closed', async (t) => {
  const { started, tell, snapshots, statuses, problems, listener, source, closed } = setUp(t);
  await started;
  const status = source.status();
  listener().onStatus?.(status);
  listener().onProblem({ severity: 'error', message: 'of the source' });
  t.same([statuses, problems, source.kind], [[status], ['of the source'], 'redis']);
  await tell({ l: '["192.0.2.1"]' });
  await source.close();
  await tell({ l: '["192.0.2.2"]' });
  t.same([snapshots.length, closed()], [1, 1]);
});

t.test('files are meant from where the source is, and read again on demand', async (t) => {
  const file = join(t.testdir({ 'list.txt': '192.0.2.1\n' }), 'list.txt');
  const records: SharedRecords = {
    policies: new Map(),
    lists: new Map([
      ['l', { id: 'l', definition: { kind: 'file', file: 'list.txt' } }],
      ['broken', { id: 'broken', invalid: 'no list' }],
    ]),
  };
  const snapshots: KeySnapshot[] = [];
  const source = withAddressLists(
    {
      kind: 'file',
      start: async (listener) => listener.onKeys(compileKeys([], 1, records)),
      reload: async () => undefined,
      status: () => ({ up: true, lastSyncAt: 1, invalidDefinitions: 0, loaded: true, why: null }),
      close: async () => undefined,
    },
    { now: () => 1, resolve: (name) => (name === 'list.txt' ? file : name) },
  );
  t.teardown(() => source.close());
  await source.start({ onKeys: (snapshot) => snapshots.push(snapshot), onProblem: () => undefined });
  const holds = (address: string) => snapshots.at(-1)?.lists.get('l')?.has(parseAddress(address));
  t.same([snapshots.length, holds('192.0.2.1'), source.lists().map(({ name }) => name)], [1, true, ['l']]);
  writeFileSync(file, '192.0.2.2\n');
  await source.reload();
  t.same([holds('192.0.2.1'), holds('192.0.2.2')], [false, true]);
});
