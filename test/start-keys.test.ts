import t, { type Test } from 'tap';
import type { KeyListener, KeySource, KeySourceStatus } from '../src/keys/source.ts';
import { EMPTY_SNAPSHOT } from '../src/keys/snapshot.ts';
import { startKeys } from '../src/start-keys.ts';
import { key } from './support/outcomes.ts';
import { catchTimers } from './support/timers.ts';

const UP: KeySourceStatus = { up: true, lastSyncAt: 1, invalidDefinitions: 0, loaded: true, why: null };
const DOWN: KeySourceStatus = { ...UP, up: false, why: 'it is away' };
const UNLOADED: KeySourceStatus = { ...DOWN, loaded: false };

/** Starts keys from a source that does as it is told, and keeps what is logged. */
function started(kind: KeySource['kind'], begin: (listener: KeyListener, set: (to: KeySourceStatus) => void) => void) {
  const lines: string[] = [];
  let status = UNLOADED;
  let listener: KeyListener | undefined;
  const source: KeySource = {
    kind,
    start: async (to) => {
      listener = to;
      begin(to, (next) => (status = next));
    },
    reload: async () => undefined,
    status: () => status,
    close: async () => undefined,
  };
  const write = (level: string) => (event: string, fields?: object) =>
    void lines.push(`${level} ${event} ${JSON.stringify(fields)}`);
  const log = { info: write('info'), warn: write('warn'), error: write('error') };
  let used = 0;
  const done = startKeys({ source, use: () => (used += 1), log });
  return { done, lines, used: () => used, tell: (to: KeySourceStatus) => listener?.onStatus?.(to) };
}

t.test('a key file that cannot be used ends the start with every finding', async (t) => {
  const { done, lines } = started('file', (listener) => {
    listener.onProblem({ severity: 'error', message: 'keys.yaml:1:1 one' });
    listener.onProblem({ severity: 'error', message: 'keys.yaml:2:1 two' });
  });
  await t.rejects(done, { message: /keys\.yaml:1:1 one\nkeys\.yaml:2:1 two/ });
  t.same(lines, []);
});

t.test('Redis that is away does not end the start, and is told once until it is back', async (t: Test) => {
  const { done, lines, tell } = started('redis', (listener) => listener.onStatus?.(UNLOADED));
  await done;
  tell({ ...UNLOADED, why: 'another reason' });
  tell(UP);
  tell(UP);
  tell(DOWN);
  t.match(lines, [
    /^warn key_source_down .*it is away; nothing is served until keys are loaded/,
    /^info key_source_up \{/,
    /^warn key_source_down .*it is away; the last keys/,
  ]);
  t.equal(lines.length, 3);
});

t.test('keys are put to use, and a problem with one of them is logged', async (t) => {
  const { done, lines, used } = started('redis', (listener, set) => {
    set(UP);
    listener.onKeys(EMPTY_SNAPSHOT);
    listener.onProblem({ severity: 'error', message: 'no type', keyId: 'a' });
    listener.onProblem({ severity: 'warning', message: 'no messages' });
  });
  await done;
  t.equal(used(), 1);
  t.match(lines, [/^info keys_loaded \{/, /^error key_problem .*"keyId":"a"/, /^warn key_problem \{/]);
});

t.test('Redis that says nothing is waited for a while, a key file as long as it takes', async (t) => {
  const starting = (kind: KeySource['kind']) => {
    let ready = (): void => {};
    let status = UNLOADED;
    const source: KeySource = {
      kind,
      start: () => new Promise((resolve) => (ready = resolve)),
      reload: async () => undefined,
      status: () => status,
      close: async () => undefined,
    };
    const ignore = (): void => undefined;
    let done: Promise<void> = Promise.resolve();
    const timers = catchTimers(
      () => (done = startKeys({ source, use: ignore, log: { info: ignore, warn: ignore, error: ignore } })),
    );
    return { timers, done: () => done, ready: () => ((status = UP), ready()) };
  };
  const silent = starting('redis');
  t.same(
    silent.timers.map(({ ms }) => ms),
    [5000],
  );
  silent.timers[0]?.run();
  await silent.done();
  const file = starting('file');
  t.equal(file.timers.length, 0);
  file.ready();
  await file.done();
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const { done } = started('redis', (_listener, set) => set(UP));
  await done;
  t.equal(timers(), before, 'nothing is left of the wait');
});

t.test('how many keys there are is told, and what is wrong with a file that serves already', async (t) => {
  const one = key('a');
  const keys = { ...EMPTY_SNAPSHOT, byId: new Map([['a', one]]), invalid: ['b', 'c'] as never };
  const { done, lines } = started('file', (listener, set) => {
    set(UP);
    listener.onKeys(keys);
    listener.onProblem({ severity: 'error', message: 'wrong now' });
    listener.onProblem({ severity: 'warning', message: 'odd now' });
  });
  await done;
  t.match(lines, [
    /^info keys_loaded \{"keys":1,"invalid":2\}$/,
    /^error key_problem .*wrong now/,
    /^warn key_problem .*odd now/,
  ]);
});

t.test('Redis without keys is no mistake of a file', async (t) => {
  const { done, lines } = started('redis', (listener) => {
    listener.onProblem({ severity: 'error', message: 'a hash that is none' });
  });
  await done;
  t.match(lines, [/^error key_problem .*a hash that is none/]);
});

t.test('without a reason the line says so much at least', async (t) => {
  const { done, lines, tell } = started('redis', (_listener, set) => set(UP));
  await done;
  tell({ ...DOWN, why: null });
  t.match(lines, [/"; the last keys go on serving"/]);
});
