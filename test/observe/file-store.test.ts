import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
  lstatSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createFileStore } from '../../src/observe/file-store.ts';
import { dayOf, Observations } from '../../src/observe/observations.ts';
import { seenAt, WEB } from '../support/observed.ts';
import { eventually } from '../support/eventually.ts';
import { catchTimers } from '../support/timers.ts';
import { observationStoreContract, type OpenStore } from './store-contract.ts';

const NOW = Date.UTC(2030, 0, 2, 12);

function opener(path: string, told: string[] = []): (now?: () => number, days?: number) => OpenStore {
  return (now = () => NOW, days = 30) => {
    const observations = new Observations({ days });
    const store = createFileStore({
      path,
      observations,
      now,
      onFallback: (active, why) => told.push(`${active} ${why}`),
      onUnreadable: (why) => told.push(why),
    });
    return { observations, store };
  };
}

const countOf = async ({ store }: OpenStore): Promise<number> => (await store.read(WEB, dayOf(NOW))).requests;

t.test('contract', async (t) => {
  const open = opener(join(t.testdir(), 'observed.json'));
  await observationStoreContract(t, { lasts: true, open: async ({ days, now }) => open(now, days) });
});

t.test('the file is one JSON text that only its owner can read, and no draft is left beside it', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'observed.json');
  const kept = opener(path)();
  kept.observations.count('key', 'web', seenAt(NOW, { event: 'a "quoted" name, ü' }));
  kept.observations.count('api', 'integration', seenAt(NOW));
  await kept.store.close();
  const document = JSON.parse(readFileSync(path, 'utf8')) as { version: number; observed: { name: string }[] };
  t.equal(document.version, 1);
  t.same(
    document.observed.map(({ name }) => name),
    ['web', 'integration'],
  );
  t.equal(lstatSync(path).mode & 0o777, 0o600);
  t.same(readdirSync(folder), ['observed.json']);
});

t.test('a link stays a link', async (t) => {
  const folder = t.testdir({ real: { 'observed.json': '{"version":1,"observed":[]}' } });
  const link = join(folder, 'link.json');
  symlinkSync(join(folder, 'real', 'observed.json'), link);
  const kept = opener(link)();
  kept.observations.count('key', 'web', seenAt(NOW));
  await kept.store.close();
  t.ok(lstatSync(link).isSymbolicLink());
  t.equal(await countOf(opener(link)()), 1);
});

t.test('what is no file of observations is set aside, not written over', async (t) => {
  for (const foreign of [
    '',
    '{',
    '[]',
    'null',
    '{"version":2,"observed":[]}',
    '{"version":1,"observed":{}}',
    '{"version":1,"observed":[{"day":"2030-01-02","kind":"key","name":"web"}]}',
    '{"version":1,"observed":[null]}',
  ]) {
    const folder = t.testdir({ 'observed.json': foreign });
    const told: string[] = [];
    const kept = opener(join(folder, 'observed.json'), told)();
    kept.observations.count('key', 'web', seenAt(NOW));
    t.equal(await countOf(kept), 1, foreign);
    await kept.store.close();
    const aside = readdirSync(folder).filter((name) => name !== 'observed.json');
    t.equal(aside.length, 1, foreign);
    t.equal(readFileSync(join(folder, aside[0] ?? ''), 'utf8'), foreign);
    t.match(told, [/holds no observations and is now /]);
  }
});

t.test('one wrong number makes the whole file foreign', async (t) => {
  const path = join(t.testdir(), 'observed.json');
  const kept = opener(path)();
  kept.observations.count('key', 'web', seenAt(NOW));
  await kept.store.close();
  writeFileSync(path, readFileSync(path, 'utf8').replace('"good":1', '"good":-1'));
  const again = opener(path)();
  t.equal(await countOf(again), 0);
  await again.store.close();
});

t.test('a day, a kind or a name that cannot be makes the whole file foreign', async (t) => {
  const path = join(t.testdir(), 'observed.json');
  const kept = opener(path)();
  kept.observations.count('key', 'web', seenAt(NOW));
  await kept.store.close();
  const text = readFileSync(path, 'utf8');
  for (const [part, wrong] of [
    ['"2030-01-02"', '"2030-13-02"'],
    ['"2030-01-02"', '"on 2030-01-02"'],
    ['"2030-01-02"', '"2030-01-02 "'],
    ['"2030-01-02"', '"2030-01-02T00:00:00Z"'],
    ['"2030-01-02"', '20300102'],
    ['"key"', '"user"'],
    ['"web"', '7'],
  ] as const) {
    writeFileSync(path, text.replace(part, wrong));
    const told: string[] = [];
    const again = opener(path, told)();
    t.equal(await countOf(again), 0, wrong);
    t.match(told, [/holds no observations and is now /]);
    await again.store.close();
  }
  writeFileSync(path, text);
  t.equal(await countOf(opener(path)()), 1);
});

t.test('what cannot take its place leaves no draft behind, and is tried again', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'observed.json');
  const told: string[] = [];
  const kept = opener(path, told)();
  mkdirSync(path);
  kept.observations.count('key', 'web', seenAt(NOW));
  await kept.store.flush();
  t.match(told, [/^true E/]);
  t.same(readdirSync(folder), ['observed.json']);
  rmdirSync(path);
  await kept.store.flush();
  t.same([told[1], readdirSync(folder)], ['false ', ['observed.json']]);
  t.equal(await countOf(opener(path)()), 1);
  await kept.store.close();
});

t.test('it is written every ten seconds, and no more once it is closed', async (t) => {
  const path = join(t.testdir(), 'observed.json');
  let kept: OpenStore | undefined;
  const timers = catchTimers(() => (kept = opener(path)()));
  const write = timers.filter(({ ms }) => ms === 10_000);
  kept?.observations.count('key', 'web', seenAt(NOW));
  for (const { run } of write) run();
  await eventually(() => existsSync(path), 'the file is written');
  await kept?.store.close();
  t.equal(kept?.store.shared(), null);
});

t.test('a path that cannot be read is left alone', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'observed.json');
  mkdirSync(path);
  const told: string[] = [];
  const kept = opener(path, told)();
  kept.observations.count('key', 'web', seenAt(NOW));
  await kept.store.close();
  t.match(told, [/cannot be read and is left alone/]);
  t.ok(lstatSync(path).isDirectory());
});

t.test('a folder that is missing costs nothing but the file, and is told once until it is there', async (t) => {
  const folder = join(t.testdir(), 'later');
  const path = join(folder, 'observed.json');
  const told: string[] = [];
  const kept = opener(path, told)();
  kept.observations.count('key', 'web', seenAt(NOW));
  await kept.store.flush();
  await kept.store.flush();
  t.match(told, [/^true ENOENT/]);
  t.equal(await countOf(kept), 1);
  mkdirSync(folder);
  await kept.store.flush();
  t.ok(existsSync(path), 'what could not be written is written when it can be');
  t.equal(told[1], 'false ');
  await kept.store.close();
});

t.test('nothing is written while nothing was counted', async (t) => {
  const path = join(t.testdir(), 'observed.json');
  const kept = opener(path)();
  await kept.store.flush();
  t.notOk(existsSync(path));
  kept.observations.count('key', 'web', seenAt(NOW));
  await kept.store.flush();
  writeFileSync(path, 'marked');
  await kept.store.close();
  t.equal(readFileSync(path, 'utf8'), 'marked');
});

t.test('a day that is over survives in the file beside today', async (t) => {
  const path = join(t.testdir(), 'observed.json');
  const kept = opener(path)();
  kept.observations.count('key', 'web', seenAt(NOW - 86_400_000, { event: 'yesterday' }));
  kept.observations.count('key', 'web', seenAt(NOW, { event: 'today' }));
  await kept.store.flush();
  kept.observations.count('key', 'web', seenAt(NOW - 86_400_000, { event: 'late' }));
  await kept.store.close();
  const events = (await opener(path)().store.read(WEB, dayOf(NOW) - 1)).events.good;
  t.same([...events.keys()].toSorted(), ['late', 'today', 'yesterday']);
});
