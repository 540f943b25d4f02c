import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DAY_MS } from '../../src/observe/observations.ts';
import { createObserver, type Observer } from '../../src/observe/observer.ts';
import { seenAt, WEB } from '../support/observed.ts';
import { configFrom } from '../support/passages.ts';

const NOON = Date.UTC(2030, 0, 10, 12);

interface Observed {
  readonly observer: Observer | null;
  readonly told: string[];
}

/** The observer of a configuration, and what the log was told. */
function observerOf(t: Test, folder: string, observe: string, now: () => number = () => NOON): Observed {
  const yaml = `apis: { integration: { upstream: "http://127.0.0.1:9000" } }\nobserve: ${observe}\n`;
  writeFileSync(join(folder, 'postern.yaml'), yaml);
  const told: string[] = [];
  const log = {
    info: (event: string) => void told.push(`info ${event}`),
    warn: (event: string) => void told.push(`warn ${event}`),
  };
  const observer = createObserver(configFrom(join(folder, 'postern.yaml')), { now, log });
  if (observer !== null) t.teardown(() => observer.close());
  return { observer, told };
}

t.test('it is off unless it is switched on', async (t) => {
  t.equal(observerOf(t, t.testdir(), '{ enabled: false }').observer, null);
  t.equal(observerOf(t, t.testdir(), '{}').observer, null);
});

t.test('in memory it ends with the process, and is shared with nobody', async (t) => {
  const folder = t.testdir();
  const { observer, told } = observerOf(t, folder, '{ enabled: true }');
  observer?.observations.count('key', 'web', seenAt(NOON));
  t.same([observer?.days, observer?.shared()], [30, null]);
  t.equal((await observer?.read(WEB, 1))?.requests, 1);
  await observer?.close();
  const again = observerOf(t, folder, '{ enabled: true }').observer;
  t.equal((await again?.read(WEB, 30))?.requests, 0);
  t.same(told, []);
});

t.test('days are counted with today among them, and there are no more than are kept', async (t) => {
  let now = NOON;
  const { observer } = observerOf(t, t.testdir(), '{ enabled: true, days: 3 }', () => now);
  for (let day = 0; day < 4; day++) {
    now = NOON + day * DAY_MS;
    for (let n = 0; n < 10 ** day; n++) observer?.observations.count('key', 'web', seenAt(now));
  }
  const requests = async (days: number) => (await observer?.read(WEB, days))?.requests;
  t.same([await requests(1), await requests(2), await requests(3), await requests(90)], [1000, 1100, 1110, 1110]);
});

t.test('what found no room is told by key, and of all others together', async (t) => {
  const { observer } = observerOf(t, t.testdir(), '{ enabled: true }');
  t.same([...(observer?.truncated() ?? [])], []);
  observer?.observations.count('key', 'web', seenAt(NOON));
  observer?.observations.miss(WEB, 2);
  observer?.observations.miss({ kind: 'api', name: 'orders' }, 3);
  observer?.observations.miss({ kind: 'api', name: 'billing' }, 4);
  observer?.observations.miss({ kind: 'key', name: 'quiet' }, 0);
  t.same(
    [...(observer?.truncated() ?? [])],
    [
      ['web', 2],
      ['', 7],
    ],
  );
});

t.test('a file is read at the start and written at the end; what goes wrong with it is told', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'kept', 'observed.json');
  const observe = `{ enabled: true, store: "file:${path}" }`;
  const { observer, told } = observerOf(t, folder, observe);
  observer?.observations.count('key', 'web', seenAt(NOON));
  await observer?.read(WEB, 1);
  mkdirSync(join(folder, 'kept'));
  await observer?.close();
  t.match(readFileSync(path, 'utf8'), /^\{"version":1,/);
  t.same(told, []);
  const next = observerOf(t, folder, observe);
  t.equal((await next.observer?.read(WEB, 1))?.requests, 1);
  writeFileSync(path, 'nonsense');
  t.same(observerOf(t, folder, observe).told, ['warn observations_unreadable']);
});

t.test('that a file cannot be written is told, and that it can again', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'observed.json');
  const { observer, told } = observerOf(t, folder, `{ enabled: true, store: "file:${path}" }`);
  mkdirSync(path);
  observer?.observations.count('key', 'web', seenAt(NOON));
  await observer?.close();
  t.same(told, ['warn observations_not_kept']);
  rmdirSync(path);
  await observer?.close();
  t.same(told, ['warn observations_not_kept', 'info observations_kept_again']);
  t.ok(existsSync(path));
});
