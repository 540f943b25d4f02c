import t from 'tap';
import { createMemoryLog, type ChangeLog } from '../../../src/admin/history/change-log.ts';
import { digestOfText, textOfState } from '../../../src/admin/history/change.ts';
import { createSourceWatch } from '../../../src/admin/history/source-watch.ts';
import type { PolicyDefinition } from '../../../src/keys/definition.ts';
import { EMPTY_SNAPSHOT } from '../../../src/keys/snapshot.ts';
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
  let release = (): void => undefined;
  watch.holdUntil(new Promise((resolve) => (release = resolve)));
  watch.store({ a: { mode: 'report' } });
  const before = watch.reads();
  const looking = watch.look();
  while (watch.reads() === before) await new Promise(setImmediate);
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
