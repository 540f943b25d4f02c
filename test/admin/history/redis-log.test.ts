import t, { type Test } from 'tap';
import type { Noted } from '../../../src/admin/history/change-log.ts';
import type { HistoryChange } from '../../../src/admin/history/change.ts';
import { createRedisLog } from '../../../src/admin/history/redis-log.ts';
import { RedisFailure, type RedisConnection } from '../../../src/lib/redis.ts';

const noted = (target: string, state: string): Noted => ({
  change: {
    time: '2026-01-01T00:00:00.000Z',
    who: 'anna',
    address: null,
    action: 'a',
    kind: 'key',
    target,
    fields: {},
  },
  state,
});

type Entry = [id: string, fields: string[]];

/** A Redis that holds one stream and the states beside it, for any number of logs; `broken`: why it does nothing. */
function stand() {
  const stream: Entry[] = [];
  const nextId = (): string => `${1 + (stream.length >> 2)}-${stream.length & 3}`;
  const states = new Map<string, string>();
  const world = {
    broken: null as string | null,
    reads: 0,
    hold: Promise.resolve(),
    closed: 0,
    noted: [] as unknown[],
  };
  const connection = {
    async call(_command: string, _key: string, from: string, _to: string, _count: string, most: number) {
      world.reads += 1;
      if (world.broken !== null) throw new RedisFailure(world.broken, '');
      // As `<time>-<count>`, of which both grow.
      const numberOf = (id: string): number =>
        id === '-' ? 0 : Number(id.split('-')[0]) * 10 + Number(id.split('-')[1]);
      const page = stream.filter(([id]) => numberOf(id) >= numberOf(from)).slice(0, most);
      await world.hold;
      return page;
    },
    script: () => async (names: readonly string[], args: readonly unknown[]) => {
      const [[, place = ''], [json, state, how]] = [names, args];
      world.noted.push([...names, ...args]);
      if (world.broken !== null) throw new RedisFailure(world.broken, '');
      if (how === 'seen' && states.get(place) === state) return 0;
      stream.push([nextId(), ['change', String(json), 'state', String(state)]]);
      states.set(place, String(state));
      return 1;
    },
    close: () => void (world.closed += 1),
  } as unknown as RedisConnection;
  const failures: string[] = [];
  const log = () => createRedisLog({ connection, prefix: 'postern:', onFailure: (why) => failures.push(why) });
  return { log, stream, nextId, world, failures };
}

const targets = (changes: readonly HistoryChange[]): string[] => changes.map(({ target }) => target);

t.test('each replica reads on from where it was, page by page, and misses nothing', async (t) => {
  const { log, world } = stand();
  const [one, two] = [log(), log()];
  for (let i = 0; i < 250; i++) await one.add(noted(`k${i}`, `s${i}`), 'made');
  await two.sync();
  t.same(targets(two.list()), targets(one.list()));
  t.equal(two.list().length, 250);
  t.equal(two.led({ kind: 'key', name: 'k249' }, 's249'), 250);
  const before = world.reads;
  await two.sync();
  t.equal(world.reads, before + 1, 'nothing is read twice');
});

t.test('a change is noted under its own name, for an hour of others who may see it, among a thousand', async (t) => {
  const { log, world } = stand();
  const one = log();
  const first = noted('a', 's');
  await one.add(first, 'made');
  t.same(world.noted, [
    ['postern:history', 'postern:history:key:a', JSON.stringify(first.change), 's', 'made', 1000, 3_600_000],
  ]);
  one.close();
  t.equal(world.closed, 1);
});

t.test('what was made while the log was read is known when it is noted', async (t) => {
  const { log, world } = stand();
  const one = log();
  let release = (): void => undefined;
  world.hold = new Promise((resolve) => (release = resolve));
  const reading = one.sync();
  const adding = one.add(noted('a', 's'), 'made');
  await new Promise(setImmediate);
  release();
  await Promise.all([reading, adding]);
  t.same(targets(one.list()), ['a']);
});

t.test('what is far too long was written by others', async (t) => {
  const { log, stream, nextId } = stand();
  const text = JSON.stringify(noted('a', 's').change);
  const padded = (length: number) => text.replace('"anna"', `"${'x'.repeat(length - text.length + 4)}"`);
  stream.push([nextId(), ['change', padded(65_536 - 2), 'state', 'ss']]);
  stream.push([nextId(), ['change', padded(65_536 - 1), 'state', 'ss']]);
  const one = log();
  await one.sync();
  t.equal(one.list().length, 1);
});

t.test('what several see is noted once, and what was made is always noted', async (t) => {
  const { log, stream } = stand();
  const [one, two] = [log(), log()];
  await one.add(noted('a', 's'), 'seen');
  await two.add(noted('a', 's'), 'seen');
  t.equal(stream.length, 1);
  t.same(targets(two.list()), ['a'], 'and is known all the same');
  await two.add(noted('a', 's'), 'made');
  t.equal(stream.length, 2);
});

t.test('what is no change is passed over', async (t: Test) => {
  const { log, stream, nextId } = stand();
  const one = log();
  const change = JSON.stringify(noted('a', 's').change);
  for (const fields of [['change', 'x'], ['change', '{}'], ['state'], [], ['change', change.replace('"key"', '"car"')]])
    stream.push([nextId(), fields]);
  stream.push([nextId(), ['more', 'x', 'change', change]]);
  await one.sync();
  t.same(targets(one.list()), ['a']);
  t.equal(one.why(), null);
});

t.test(
  'while Redis fails, what is known stays, what is made here is remembered, and one line is written',
  async (t) => {
    const { log, world, failures } = stand();
    const one = log();
    await one.add(noted('a', 's'), 'made');
    world.broken = 'it is gone';
    await one.add(noted('b', 's'), 'made');
    await one.sync();
    t.same(targets(one.list()), ['b', 'a']);
    t.equal(one.why(), 'The history in Redis cannot be used: it is gone.');
    t.same(failures, ['The history in Redis cannot be used: it is gone.']);
    world.broken = null;
    await one.sync();
    t.ok(one.why(), 'what can be read may still not be written to');
    await one.add(noted('c', 's'), 'made');
    t.equal(one.why(), null);
    t.same(targets(one.list()), ['c', 'b', 'a']);
  },
);
