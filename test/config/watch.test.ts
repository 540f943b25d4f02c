import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { watchFiles } from '../../src/config/watch.ts';

/** Quick to settle; the poll is far off, so that only the file system's own messages count unless a test says otherwise. */
const TIMING = { settleMs: 30, pollMs: 60_000 };

function watched(t: Test, files: readonly string[], timing = TIMING) {
  const changes = new EventEmitter();
  let count = 0;
  const watch = watchFiles(files, () => changes.emit('change', ++count), timing);
  // Timers of the watch keep no process alive: while a test waits, something has to.
  const alive = setInterval(() => {}, 1000);
  t.teardown(() => {
    clearInterval(alive);
    watch.close();
  });
  return { watch, count: () => count, next: () => once(changes, 'change') };
}

/** Acts whenever a watch begins to wait for files to come to rest, before the wait can be over. */
function whenSettling(t: Test, settleMs: number, act: (times: number, timer: NodeJS.Timeout) => void): void {
  const { setTimeout: real } = globalThis;
  let times = 0;
  const noted = (run: () => void, ms = 0): NodeJS.Timeout => {
    const timer = real(run, ms);
    if (ms === settleMs) queueMicrotask(() => act(++times, timer));
    return timer;
  };
  Object.assign(globalThis, { setTimeout: noted });
  t.teardown(() => Object.assign(globalThis, { setTimeout: real }));
}

t.test('an edit in place', async (t) => {
  const file = join(t.testdir({ a: '1' }), 'a');
  const { next, count } = watched(t, [file]);
  for (const text of ['2', '3', '4']) {
    const change = next();
    writeFileSync(file, text);
    await change;
  }
  t.equal(count(), 3, 'each is noticed, once');
});

t.test('an atomic rename', async (t) => {
  const directory = t.testdir({ a: '1' });
  const { next, count } = watched(t, [join(directory, 'a')]);
  for (const text of ['2', '3', '4']) {
    const change = next();
    writeFileSync(join(directory, 'new'), text);
    renameSync(join(directory, 'new'), join(directory, 'a'));
    await change;
  }
  t.equal(count(), 3, 'each is noticed, once');
});

t.test('symlink swaps, as Kubernetes updates a ConfigMap', async (t) => {
  const directory = t.testdir({ '..1': { 'keys.yaml': 'version 1' } });
  symlinkSync('..1', join(directory, '..data'));
  symlinkSync('..data/keys.yaml', join(directory, 'keys.yaml'));
  const file = join(directory, 'keys.yaml');
  const { next } = watched(t, [file]);
  for (let version = 2; version <= 6; version++) {
    const change = next();
    mkdirSync(join(directory, `..${version}`));
    writeFileSync(join(directory, `..${version}`, 'keys.yaml'), `version ${version}`);
    symlinkSync(`..${version}`, join(directory, '..data_tmp'));
    renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
    rmSync(join(directory, `..${version - 1}`), { recursive: true });
    await change;
    t.equal(readFileSync(file, 'utf8'), `version ${version}`);
  }
});

t.test('a file that goes and comes back', async (t) => {
  const file = join(t.testdir({ a: '1' }), 'a');
  const { next, count } = watched(t, [file]);
  const gone = next();
  unlinkSync(file);
  await gone;
  t.equal(count(), 1, 'that it went');
  const back = next();
  writeFileSync(file, '1');
  await back;
  t.equal(count(), 2, 'and that it came back');
});

t.test('a file that cannot be looked at any more is a change, as any other', async (t) => {
  const file = join(t.testdir({ a: '1' }), 'a');
  const { next, count } = watched(t, [file]);
  const spoiled = next();
  rmSync(file);
  symlinkSync('a', file);
  await spoiled;
  t.equal(count(), 1, 'that its links lead nowhere');
  const mended = next();
  rmSync(file);
  writeFileSync(file, '2');
  await mended;
  t.equal(count(), 2, 'and that it is a file again');
});

t.test('a directory that goes and comes back is found by the poll, and then told of again', async (t) => {
  const directory = t.testdir({ sub: { a: '1' } });
  const file = join(directory, 'sub', 'a');
  const { next, count } = watched(t, [file], { settleMs: 10, pollMs: 20 });
  const gone = next();
  rmSync(join(directory, 'sub'), { recursive: true });
  await gone;
  t.equal(count(), 1);
  const back = next();
  mkdirSync(join(directory, 'sub'));
  writeFileSync(file, '2');
  await back;
  const before = count();
  const again = next();
  writeFileSync(file, '3!');
  await again;
  t.equal(count(), before + 1);
});

t.test('a file that is being written is waited for', async (t) => {
  const file = join(t.testdir({ a: '' }), 'a');
  const seen: string[] = [];
  const done = new Promise<void>((resolve) => {
    const watch = watchFiles(
      [file],
      () => {
        seen.push(readFileSync(file, 'utf8'));
        resolve();
      },
      { settleMs: 200, pollMs: 60_000 },
    );
    t.teardown(() => watch.close());
  });
  let parts = 0;
  const writing = setInterval(() => {
    appendFileSync(file, 'x');
    if (++parts === 20) clearInterval(writing);
  }, 20);
  const alive = setInterval(() => {}, 1000);
  t.teardown(() => clearInterval(alive));
  await done;
  t.same(seen, ['x'.repeat(20)], 'reported once, when it was whole');
});

t.test('several files, one report; other files are none of its business', async (t) => {
  const directory = t.testdir({ a: '1', b: '1', other: '1' });
  const { next, count } = watched(t, [join(directory, 'a'), join(directory, 'b')]);
  const change = next();
  writeFileSync(join(directory, 'other'), '2');
  writeFileSync(join(directory, 'a'), '22');
  writeFileSync(join(directory, 'b'), '22');
  await change;
  t.equal(count(), 1);
});

t.test('files can be added while it runs; a change before that is not lost for those known', async (t) => {
  const directory = t.testdir({ a: '1', more: { b: '1' } });
  const { next, watch, count } = watched(t, [join(directory, 'a')]);
  const first = next();
  writeFileSync(join(directory, 'a'), '22');
  watch.setFiles([join(directory, 'a'), join(directory, 'more', 'b')]);
  await first;
  const second = next();
  writeFileSync(join(directory, 'more', 'b'), '22');
  await second;
  t.equal(count(), 2, 'one for each');
});

t.test('nothing is heard after close', async (t) => {
  const file = join(t.testdir({ a: '1' }), 'a');
  const { watch, count } = watched(t, [file], { settleMs: 1, pollMs: 1 });
  writeFileSync(file, '22');
  watch.close();
  watch.setFiles([file]);
  const other = watched(t, [file], { settleMs: 1, pollMs: 1 });
  const change = other.next();
  writeFileSync(file, '333');
  await change;
  t.equal(count(), 0);
});

t.test('no timer is left of a watch that is closed', async (t) => {
  const { setInterval: real, clearInterval: end } = globalThis;
  const open = new Set<unknown>();
  const begun = (run: () => void, ms?: number): NodeJS.Timeout => {
    const timer = real(run, ms);
    open.add(timer);
    return timer;
  };
  const ended = (timer: NodeJS.Timeout): void => {
    open.delete(timer);
    end(timer);
  };
  Object.assign(globalThis, { setInterval: begun, clearInterval: ended });
  const watch = watchFiles([join(t.testdir({ a: '1' }), 'a')], () => undefined, TIMING);
  const before = open.size;
  watch.close();
  Object.assign(globalThis, { setInterval: real, clearInterval: end });
  t.same([before, open.size], [1, 0]);
});

t.test('nor what was waited for to come to rest', async (t) => {
  const directory = t.testdir({ a: '1', other: '1' });
  const [file, other] = [join(directory, 'a'), join(directory, 'other')];
  const timing = { settleMs: 41, pollMs: 1 };
  const { watch, count } = watched(t, [file], timing);
  const closed = new Promise<void>((resolve) => whenSettling(t, timing.settleMs, () => resolve(watch.close())));
  writeFileSync(file, '22');
  await closed;
  // What begins to rest later is told of later.
  const witness = watched(t, [other], timing);
  const change = witness.next();
  writeFileSync(other, '22');
  await change;
  t.equal(count(), 0);
});

t.test('nor does a file that is waited for keep a process alive', async (t) => {
  const file = join(t.testdir({ a: '1' }), 'a');
  const timing = { settleMs: 41, pollMs: 1 };
  watched(t, [file], timing);
  const settling = new Promise<NodeJS.Timeout>((resolve) =>
    whenSettling(t, timing.settleMs, (_, timer) => resolve(timer)),
  );
  writeFileSync(file, '22');
  t.equal((await settling).hasRef(), false);
});

t.test('what is as it was when it comes to rest is no change', async (t) => {
  const directory = t.testdir({ other: '1' });
  const [file, other] = [join(directory, 'a'), join(directory, 'other')];
  const timing = { settleMs: 41, pollMs: 1 };
  const { count } = watched(t, [file], timing);
  const gone = new Promise<void>((resolve) =>
    whenSettling(t, timing.settleMs, (times) => (times === 1 ? rmSync(file) : resolve())),
  );
  writeFileSync(file, '1');
  await gone;
  const witness = watched(t, [other], timing);
  const change = witness.next();
  writeFileSync(other, '22');
  await change;
  t.equal(count(), 0);
});

t.test('files that rest are no change, nor is one that is known only now', async (t) => {
  const directory = t.testdir({ a: '1', b: '1', more: { c: '1' }, other: '1' });
  const at = (name: string) => join(directory, name);
  const quiet = watched(t, [at('a')], { settleMs: 1, pollMs: 1 });
  const witness = watched(t, [at('other')], { settleMs: 30, pollMs: 60_000 });
  quiet.watch.setFiles([at('a'), at('b'), at('more/c'), at('none')]);
  const seen = witness.next();
  writeFileSync(at('other'), '22');
  await seen;
  t.equal(quiet.count(), 0);
  quiet.watch.setFiles([at('a')]);
  const again = witness.next();
  writeFileSync(at('b'), '22');
  writeFileSync(at('other'), '333');
  await again;
  t.equal(quiet.count(), 0, 'nor is one that is watched no more');
});

t.test('a change is noticed that leaves the size as it was', async (t) => {
  const file = join(t.testdir({ a: '1' }), 'a');
  const { next, count } = watched(t, [file]);
  const change = next();
  writeFileSync(file, '2');
  await change;
  t.equal(count(), 1);
});

t.test('nor is one missed that has the time set back', async (t) => {
  const file = join(t.testdir({ a: '1' }), 'a');
  utimesSync(file, 1000, 1000);
  const { next, count } = watched(t, [file]);
  const change = next();
  writeFileSync(file, '2');
  utimesSync(file, 1000, 1000);
  await change;
  t.equal(count(), 1);
});

t.test('a watch keeps no process alive', async (t) => {
  const file = join(t.testdir({ a: '1' }), 'a');
  const before = process.getActiveResourcesInfo();
  const watch = watchFiles([file], () => undefined);
  t.teardown(() => watch.close());
  writeFileSync(file, '22');
  t.same(process.getActiveResourcesInfo(), before);
});
