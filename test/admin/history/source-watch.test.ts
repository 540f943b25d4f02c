import t from 'tap';
import { createMemoryLog, type ChangeLog } from '../../../src/admin/history/change-log.ts';
import { digestOfText, textOfState } from '../../../src/admin/history/change.ts';
import { createSourceWatch } from '../../../src/admin/history/source-watch.ts';
import type { LoadedDefinition, PolicyDefinition, SharedRecords } from '../../../src/keys/definition.ts';
import { EMPTY_SNAPSHOT } from '../../../src/keys/snapshot.ts';
import { loadedKey } from '../../support/admin-operations.ts';
import { eventually } from '../../support/eventually.ts';
import { holdTimers } from '../../support/held-timers.ts';
import { NOON } from '../../support/outcomes.ts';

// A look rests by timers that keep no process alive.
const alive = setInterval(() => undefined, 1000);
t.teardown(() => clearInterval(alive));

type Policies = Readonly<Record<string, PolicyDefinition | string>>;

/** A source of policies that changes under a watch, and what the watch notes. */
function watching(
  initial: Policies,
  { graceMs = 0, log = createMemoryLog() }: { graceMs?: number; log?: ChangeLog } = {},
) {
  let stored: Policies | null = initial;
  let snapshot = { ...EMPTY_SNAPSHOT };
  let [reads, elapsed] = [0, 0];
  let hold: Promise<void> = Promise.resolve();
  const watch = createSourceWatch({
    log,
    who: 'redis',
    keys: () => snapshot,
    async read() {
      reads += 1;
      const now = stored;
      await hold;
      if (now === null) return null;
      const policies = Object.entries(now).map(([id, policy]) =>
        typeof policy === 'string' ? { id, invalid: policy } : { id, definition: policy },
      );
      return {
        definitions: [],
        records: { policies: new Map(policies.map((one) => [one.id, one])), lists: new Map() },
      };
    },
    now: () => NOON,
    graceMs,
    monotonic: () => elapsed,
  });
  return {
    ...watch,
    log,
    reads: () => reads,
    holdUntil: (until: Promise<void>) => void (hold = until),
    wait: (ms: number) => void (elapsed += ms),
    store(next: Policies | null) {
      stored = next;
      snapshot = { ...EMPTY_SNAPSHOT, records: { ...EMPTY_SNAPSHOT.records } };
    },
    noted: () => log.list().map(({ action, target, fields, who }) => ({ action, target, who, fields })),
  };
}

const target = { kind: 'policy', name: 'a' } as const;

/** A look that has read what is stored now, and goes on when it is released. */
async function beginReading(watch: ReturnType<typeof watching>, stored: Policies) {
  let release = (): void => undefined;
  watch.holdUntil(new Promise((resolve) => (release = resolve)));
  watch.store(stored);
  const before = watch.reads();
  const looking = watch.look();
  while (watch.reads() === before) await new Promise(setImmediate);
  return { looking, release: () => release() };
}

t.test('the first look learns, later ones note what is new, other or gone', async (t) => {
  const watch = watching({ a: { mode: 'report' }, b: {} });
  await watch.look();
  t.same(watch.noted(), []);
  watch.store({ a: { mode: 'enforce' }, c: { enabled: false } });
  await watch.look();
  t.same(
    watch.noted().toSorted((x, y) => (x.target < y.target ? -1 : 1)),
    [
      { action: 'replace_policy', target: 'a', who: 'redis', fields: { mode: { before: 'report', after: 'enforce' } } },
      { action: 'delete_policy', target: 'b', who: 'redis', fields: {} },
      { action: 'create_policy', target: 'c', who: 'redis', fields: { enabled: { before: null, after: false } } },
    ],
  );
  watch.store({ a: 'it is not JSON', c: { enabled: false } });
  await watch.look();
  t.same(watch.noted()[0]?.fields['invalid'], { before: null, after: 'it is not JSON' });
  t.match(watch.log.list()[0], { time: new Date(NOON).toISOString(), address: null, kind: 'policy' });
  watch.close();
});

t.test('a source that did not change is not read, and one that cannot be read changes nothing', async (t) => {
  const watch = watching({ a: {} });
  await watch.look();
  const reads = watch.reads();
  await watch.look();
  t.equal(watch.reads(), reads);
  watch.store(null);
  await watch.look();
  t.same(watch.noted(), []);
  watch.store({ a: {} });
  await watch.look();
  t.same(watch.noted(), [], 'it came back as it was');
  watch.close();
});

t.test('what was changed here is known, however the source tells of it', async (t) => {
  const watch = watching({ a: { mode: 'report' } });
  await watch.look();
  const end = watch.begin();
  watch.store({ a: { mode: 'enforce' } });
  await watch.look();
  t.same(watch.noted(), [], 'nothing is compared while a change is under way');
  await watch.changedHere(target, { mode: 'report' }, { mode: 'enforce' });
  end();
  await watch.look();
  t.same(watch.noted(), []);
  const endOfNext = watch.begin();
  watch.store({});
  await watch.changedHere(target, { mode: 'enforce' }, null);
  endOfNext();
  await watch.look();
  t.same(watch.noted(), []);
  watch.close();
});

t.test('a reading that began before a change here ended is not believed', async (t) => {
  const watch = watching({ a: { mode: 'report' } });
  await watch.look();
  const { looking, release } = await beginReading(watch, { a: { mode: 'report' } });
  const end = watch.begin();
  watch.store({ a: { mode: 'enforce' } });
  await watch.changedHere(target, { mode: 'report' }, { mode: 'enforce' });
  end();
  release();
  await looking;
  await watch.look();
  t.same(watch.noted(), []);
  watch.close();
});

t.test('a reading that ends while a change here is under way is not believed', async (t) => {
  const watch = watching({ a: { mode: 'report' } });
  await watch.look();
  const { looking, release } = await beginReading(watch, { a: { mode: 'report' } });
  const end = watch.begin();
  await watch.changedHere(target, { mode: 'report' }, { mode: 'enforce' });
  release();
  await looking;
  t.same(watch.noted(), []);
  watch.store({ a: { mode: 'enforce' } });
  end();
  await watch.look();
  t.same(watch.noted(), []);
  watch.close();
});

t.test('what was changed elsewhere just before a change here is noted first', async (t) => {
  const watch = watching({ a: { mode: 'report' } });
  await watch.look();
  const end = watch.begin();
  await watch.changedHere(target, { mode: 'report', enabled: false }, { mode: 'enforce', enabled: false });
  end();
  t.same(watch.noted(), [
    { action: 'replace_policy', target: 'a', who: 'redis', fields: { enabled: { before: null, after: false } } },
  ]);
  watch.close();
});

t.test('what cannot be read is replaced without a word about how it came', async (t) => {
  const watch = watching({ a: 'it is not JSON' });
  await watch.look();
  const end = watch.begin();
  await watch.changedHere(target, null, { mode: 'enforce' });
  watch.store({ a: { mode: 'enforce' } });
  end();
  await watch.look();
  t.same(watch.noted(), []);
  watch.close();
});

t.test('another replica has a while to note what it changed, and is then not contradicted', async (t) => {
  const watch = watching({ a: {}, b: {} }, { graceMs: 1500 });
  await watch.look();
  watch.store({ a: { mode: 'report' }, b: { mode: 'report' } });
  await watch.look();
  watch.wait(1499);
  await watch.look();
  t.same(watch.noted(), [], 'not at once');
  const change = { time: new Date(NOON).toISOString(), who: 'anna', address: '192.0.2.1', action: 'replace_policy' };
  await watch.log.add(
    {
      change: { ...change, kind: 'policy', target: 'a', fields: {} },
      state: digestOfText(textOfState({ mode: 'report' })),
    },
    'made',
  );
  watch.wait(1);
  await watch.look();
  t.same(
    watch.noted().map(({ who, target: name }) => [who, name]),
    [
      ['redis', 'b'],
      ['anna', 'a'],
    ],
  );
  watch.close();
});

const made = (state: object | null) => ({
  change: {
    time: new Date(NOON).toISOString(),
    who: 'anna',
    address: '192.0.2.1',
    action: 'replace_policy',
    kind: 'policy' as const,
    target: 'a',
    fields: {},
  },
  state: digestOfText(textOfState(state as never)),
});
const actions = (watch: ReturnType<typeof watching>) => watch.noted().map(({ who, action }) => `${who} ${action}`);

t.test('keys, policies and lists are told apart, of any number, and secrets are ids alone', async (t) => {
  const web = (id: string, more: object = {}): LoadedDefinition =>
    loadedKey({ id, type: 'write-only', secret: `the-secret-of-${id}`, ...more });
  const literal = (address: string) => ({ kind: 'literal', entries: [{ address, description: '' }] }) as const;
  const records = (address: string): SharedRecords => ({
    policies: new Map([['a', { id: 'a', definition: { mode: 'report' } }]]),
    lists: new Map([['a', { id: 'a', definition: literal(address) }]]),
  });
  const keys = Array.from({ length: 120 }, (_, i) => web(`k${i}`));
  let stored: { definitions: readonly LoadedDefinition[]; records: SharedRecords } = {
    definitions: [...keys, web('a')],
    records: records('192.0.2.1'),
  };
  const log = createMemoryLog();
  const watch = createSourceWatch({
    log,
    who: 'file',
    keys: () => ({ ...EMPTY_SNAPSHOT, records: stored.records }),
    read: async () => stored,
    now: () => NOON,
    graceMs: 0,
  });
  await watch.look();
  stored = {
    definitions: [...keys.slice(1), web('a', { secret: 'another-secret-of-a' })],
    records: records('192.0.2.2'),
  };
  await watch.look();
  t.same(
    log
      .list()
      .map(({ kind, target: name, action, who }) => `${who} ${action} ${kind} ${name}`)
      .toSorted(),
    ['file delete_key key k0', 'file replace_key key a', 'file replace_list list a'],
  );
  const [key] = log.list().filter(({ target: name, kind }) => name === 'a' && kind === 'key');
  t.same(Object.keys(key?.fields ?? {}), ['secrets']);
  t.notMatch(JSON.stringify(log.list()), /sha256:|secret-of-a/);
  watch.close();
});

t.test('it is only looked where there is something to see, and not among too many keys', async (t) => {
  const timers = holdTimers(t, [1500, 5000]);
  let reads = 0;
  const base: Pick<typeof EMPTY_SNAPSHOT, 'byId' | 'invalid' | 'records'> = EMPTY_SNAPSHOT;
  let snapshot: typeof base | null = null;
  const watch = createSourceWatch({
    log: createMemoryLog(),
    who: 'redis',
    keys: () => snapshot,
    read: async () => ((reads += 1), { definitions: [], records: EMPTY_SNAPSHOT.records }),
    now: () => NOON,
    graceMs: 0,
  });
  const looks = async (next: typeof base | null): Promise<number> => {
    const before = reads;
    snapshot = next;
    await watch.look();
    return reads - before;
  };
  const many = (size: number) => ({ ...base, byId: { size } as typeof base.byId });
  t.equal(await looks(null), 0, 'there are no keys yet');
  t.same(timers.delays(), [], 'which is no failure');
  t.equal(await looks(many(20_001)), 0);
  t.equal(await looks(many(20_000)), 1);
  t.equal(await looks(base), 1);
  t.equal(await looks({ ...base }), 0, 'the same in another snapshot');
  for (const other of [{ byId: new Map() }, { invalid: [] }, { records: { ...base.records } }]) {
    t.equal(await looks({ ...base, ...other }), 1, Object.keys(other).join());
    t.equal(await looks(base), 1);
  }
  watch.close();
  t.equal(await looks(base), 0, 'it is closed');
});

t.test('while many keys are looked at, others have their turn', async (t) => {
  const real = globalThis.setImmediate;
  t.teardown(() => void (globalThis.setImmediate = real));
  const pausesOf = async (count: number): Promise<number> => {
    const keys = Array.from({ length: count }, (_, i): LoadedDefinition => ({
      id: `k${i}`,
      invalid: 'it is not JSON',
    }));
    const watch = createSourceWatch({
      log: createMemoryLog(),
      who: 'file',
      keys: () => EMPTY_SNAPSHOT,
      read: async () => ({ definitions: keys, records: EMPTY_SNAPSHOT.records }),
      now: () => NOON,
      graceMs: 0,
    });
    let pauses = 0;
    globalThis.setImmediate = ((act: () => void) => ((pauses += 1), real(act))) as typeof setImmediate;
    await watch.look();
    globalThis.setImmediate = real;
    watch.close();
    return pauses;
  };
  t.same([await pausesOf(49), await pausesOf(50), await pausesOf(200)], [0, 1, 4]);
});

t.test('a look that is under way when it is closed notes nothing', async (t) => {
  const watch = watching({ a: {} });
  await watch.look();
  const { looking, release } = await beginReading(watch, { a: { mode: 'report' } });
  watch.close();
  release();
  await looking;
  t.same(watch.noted(), []);
});

t.test('what was seen is noted as seen, so that others who saw it do not note it again', async (t) => {
  const hows: string[] = [];
  const log = createMemoryLog();
  const watch = watching({ a: {} }, { log: { ...log, add: (noted, how) => (hows.push(how), log.add(noted, how)) } });
  await watch.look();
  watch.store({ a: { mode: 'report' } });
  await watch.look();
  t.same(hows, ['seen']);
  watch.close();
});

t.test('the end of a change here is looked at by itself', async (t) => {
  const watch = watching({ a: {} });
  await watch.look();
  const ends = [watch.begin(), watch.begin()];
  watch.store({ a: { mode: 'report' } });
  ends[0]?.();
  await watch.look();
  t.equal(watch.reads(), 1, 'another change is under way');
  ends[1]?.();
  await eventually(() => actions(watch).length > 0, 'the look');
  t.same(actions(watch), ['redis replace_policy']);
  watch.close();
});

t.test('a source that cannot be read, or fails, is read again after five seconds', async (t) => {
  const timers = holdTimers(t, [1500, 5000]);
  const watch = watching({ a: {} });
  await watch.look();
  watch.store(null);
  await watch.look();
  t.same([timers.delays(), timers.keepAlive()], [[5000], false]);
  const broken = Promise.reject(new Error('it broke'));
  broken.catch(() => undefined);
  watch.holdUntil(broken);
  await watch.look();
  t.same(timers.delays(), [5000], 'once, however often it failed');
  watch.holdUntil(Promise.resolve());
  watch.store({ a: { mode: 'report' } });
  timers.letGo();
  await eventually(() => actions(watch).length > 0, 'the look');
  t.same(timers.delays(), [], 'and then no more');
  watch.store(null);
  await watch.look();
  watch.close();
  t.same(timers.delays(), []);
});

t.test('a grace ends by itself, and begins anew with each other state', async (t) => {
  const timers = holdTimers(t, [1500, 5000]);
  const watch = watching({ a: {} }, { graceMs: 1500 });
  await watch.look();
  t.same(timers.delays(), []);
  watch.store({ a: { mode: 'report' } });
  await watch.look();
  t.same(timers.delays(), [1500]);
  watch.wait(1000);
  watch.store({ a: { enabled: false } });
  await watch.look();
  watch.wait(1000);
  await watch.look();
  t.same(actions(watch), [], 'this state was there for a second');
  watch.store({ a: {} });
  await watch.look();
  t.same(timers.delays().length, 1);
  timers.letGo();
  watch.wait(5000);
  await watch.look();
  t.same([actions(watch), timers.delays()], [[], []], 'it came back as it was');
  watch.store({ a: { enabled: false } });
  await watch.look();
  t.same(actions(watch), [], 'a new grace');
  watch.wait(1500);
  timers.letGo();
  await eventually(() => actions(watch).length > 0, 'the look');
  t.same(actions(watch), ['redis replace_policy']);
  await watch.look();
  t.same([actions(watch).length, timers.delays()], [1, []], 'once');
  watch.close();
});

t.test('a state that came back is a change of its own, whoever had made it before', async (t) => {
  const watch = watching({ a: {} });
  await watch.log.add(made({ mode: 'report' }), 'made');
  await watch.look();
  watch.store({ a: { mode: 'report' } });
  await watch.look();
  t.same(actions(watch), ['redis replace_policy', 'anna replace_policy'], 'what was noted before the first look');
  watch.store({ a: {} });
  await watch.look();
  await watch.log.add(made({ mode: 'report' }), 'made');
  watch.store({ a: { mode: 'report' } });
  await watch.look();
  t.equal(actions(watch).length, 4, 'anna noted it herself');
  watch.store({ a: {} });
  await watch.look();
  watch.store({ a: { mode: 'report' } });
  await watch.look();
  t.same(actions(watch).slice(0, 2), ['redis replace_policy', 'redis replace_policy'], 'not by anna this time');
  watch.close();
});

t.test('what a change here was based on may have been noted elsewhere, soon or before', async (t) => {
  const timers = holdTimers(t, [1500, 5000]);
  const started = async () => {
    const watch = watching({ a: {} }, { graceMs: 1500 });
    await watch.look();
    const end = watch.begin();
    await watch.changedHere(target, { mode: 'report' }, { mode: 'report', enabled: false });
    watch.store({ a: { mode: 'report', enabled: false } });
    return { watch, end };
  };
  const alone = await started();
  t.same(actions(alone.watch), [], 'there is time to note it');
  alone.end();
  await alone.watch.look();
  t.same([actions(alone.watch), timers.delays()], [[], [1500]]);
  alone.watch.wait(1500);
  timers.letGo();
  await eventually(() => actions(alone.watch).length > 0, 'the look');
  t.same(alone.watch.noted()[0]?.fields, { mode: { before: null, after: 'report' } });
  await alone.watch.look();
  t.same([actions(alone.watch).length, timers.delays()], [1, []], 'once');
  alone.watch.close();

  const noted = await started();
  await noted.watch.log.add(made({ mode: 'report' }), 'made');
  noted.watch.wait(1500);
  noted.end();
  await noted.watch.look();
  t.same(actions(noted.watch), ['anna replace_policy']);
  noted.watch.close();

  const again = watching({ a: {} });
  await again.look();
  await again.log.add(made({ mode: 'report' }), 'made');
  for (const mode of ['report', 'enforce'] as const) {
    again.store({ a: { mode } });
    await again.look();
  }
  const end = again.begin();
  await again.changedHere(target, { mode: 'report' }, { mode: 'report', enabled: false });
  end();
  t.same(actions(again)[0], 'redis replace_policy', 'it was noted for another time');
  t.equal(actions(again).length, 3);
  again.close();
});

t.test('a change here before the first look is nothing to compare with', async (t) => {
  const watch = watching({ a: { mode: 'report' } });
  const end = watch.begin();
  await watch.look();
  t.equal(watch.reads(), 0);
  await watch.changedHere(target, {}, { mode: 'report' });
  end();
  await watch.look();
  t.same([watch.reads(), actions(watch)], [1, []]);
  watch.close();
});

t.test('what waits and what is doubted both come to an end', async (t) => {
  const timers = holdTimers(t, [1500, 5000]);
  const watch = watching({ a: {}, b: {} }, { graceMs: 1500 });
  await watch.look();
  watch.store({ a: {}, b: { enabled: false } });
  await watch.look();
  const end = watch.begin();
  await watch.changedHere(target, { mode: 'report' }, { mode: 'enforce' });
  watch.store({ a: { mode: 'enforce' }, b: { enabled: false } });
  end();
  await watch.look();
  t.same(actions(watch), []);
  watch.wait(1500);
  timers.letGo();
  await eventually(() => actions(watch).length > 1, 'both');
  t.same(
    watch.noted().map(({ target: name, fields }) => [name, Object.keys(fields)]),
    [
      ['b', ['enabled']],
      ['a', ['mode']],
    ],
  );
  watch.close();
});

t.test('what another replica has noted is taken in before anything is noted', async (t) => {
  const log = createMemoryLog();
  let elsewhere: ReturnType<typeof made> | null = null;
  const sync = async (): Promise<void> => {
    if (elsewhere !== null) await log.add(elsewhere, 'made');
    elsewhere = null;
  };
  const watch = watching({ a: {} }, { log: { ...log, sync } });
  await watch.look();
  elsewhere = made({ mode: 'report' });
  watch.store({ a: { mode: 'report' } });
  await watch.look();
  t.same(actions(watch), ['anna replace_policy']);
  watch.close();
});
