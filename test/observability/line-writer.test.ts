import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createLineWriter } from '../../src/observability/line-writer.ts';
import { eventually } from '../support/eventually.ts';
import { catchTimers } from '../support/timers.ts';

const droppedLine = (count: number) => `dropped ${count}\n`;

t.test('lines arrive whole and in order, those beyond the bound are counted', async (t) => {
  const file = join(t.testdir(), 'lines');
  const fd = openSync(file, 'w');
  const writer = createLineWriter({ fd, maxWaiting: 20, droppedLine });
  // The first is under way at once; two of ten bytes may wait for it.
  for (let i = 0; i < 6; i++) writer.write(`line ${i}...\n`);
  await new Promise<void>((done) => writer.flush(done));
  writer.write('after\n');
  await new Promise<void>((done) => writer.flush(done));
  closeSync(fd);
  t.equal(readFileSync(file, 'utf8'), 'line 0...\nline 1...\nline 2...\nline 3...\ndropped 2\nafter\n');
});

t.test('as much as the bound may wait, and not a byte more', async (t) => {
  const file = join(t.testdir(), 'lines');
  const fd = openSync(file, 'w');
  const writer = createLineWriter({ fd, maxWaiting: 4, droppedLine });
  for (const line of ['a\n', 'b\n', 'c\n', 'd\n', 'e\n']) writer.write(line);
  t.equal(writer.dropped(), 1, 'the first two are under way, two wait');
  await new Promise<void>((done) => writer.flush(done));
  writer.write('f\n');
  writer.flushSync();
  writer.flushSync();
  closeSync(fd);
  t.equal(readFileSync(file, 'latin1'), 'a\nb\nc\nd\ndropped 1\nf\n', 'no byte more, and nothing twice');
});

t.test('what comes while a write is under way is written after it, though nobody asks', async (t) => {
  const file = join(t.testdir(), 'lines');
  const fd = openSync(file, 'w');
  const writer = createLineWriter({ fd, maxWaiting: 1e6, droppedLine });
  const first = `${'x'.repeat(70_000)}\n`;
  writer.write(first);
  writer.write('second\n');
  await eventually(() => readFileSync(file, 'utf8').length >= first.length + 7, 'both are written');
  t.equal(readFileSync(file, 'utf8') === `${first}second\n`, true, 'whole, and in their order');
  closeSync(fd);
});

t.test('writing at once what waits ends no wait for what is under way', async (t) => {
  const file = join(t.testdir(), 'lines');
  const fd = openSync(file, 'w');
  const writer = createLineWriter({ fd, maxWaiting: 1e6, droppedLine });
  const first = `${'x'.repeat(70_000)}\n`;
  writer.write(first);
  writer.flushSync();
  let flushed = false;
  const flush = new Promise<void>((done) => writer.flush(done)).then(() => (flushed = true));
  await Promise.resolve();
  t.notOk(flushed);
  await flush;
  t.equal(readFileSync(file, 'utf8'), first);
  closeSync(fd);
});

t.test('a flush of nothing calls back, once for each that asked', async (t) => {
  const writer = createLineWriter({ fd: 1, maxWaiting: 20, droppedLine });
  let calls = 0;
  for (const asked of [1, 2]) {
    await new Promise<void>((done) => writer.flush(() => done(void calls++)));
    t.equal(calls, asked);
  }
  t.equal(writer.flushSync(), undefined);
  t.equal(calls, 2);
});

t.test('a descriptor that fails costs lines, not the process', async (t) => {
  const fd = openSync('/dev/full', 'w');
  t.teardown(() => closeSync(fd));
  const writer = createLineWriter({ fd, maxWaiting: 100, droppedLine });
  let flushed = 0;
  for (const line of ['a\n', 'b\n']) {
    writer.write(line);
    await new Promise<void>((done) => writer.flush(done));
    flushed++;
  }
  t.equal(flushed, 2, 'whoever waits is not left waiting');
  t.doesNotThrow(() => writer.flushSync());
  t.equal(writer.dropped(), 2);
  const other = createLineWriter({ fd, maxWaiting: 100, droppedLine });
  other.write('a\n');
  other.write('b\n');
  t.doesNotThrow(() => other.flushSync());
  other.write('c\n');
  await new Promise<void>((done) => other.flush(done));
  t.doesNotThrow(() => other.flushSync(), 'nor later');
});

/** Both ends of a pipe; writing to it never waits. */
function pipe(t: Test) {
  const path = join(t.testdir(), 'pipe');
  spawnSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  t.teardown(() => [reader, writer].forEach((fd) => closeSync(fd)));
  const read = (): string => {
    const bytes = Buffer.alloc(1 << 20);
    let length = 0;
    try {
      for (let got = 1; got > 0; length += got) got = readSync(reader, bytes, length, bytes.length - length, null);
    } catch {
      // Empty for now.
    }
    return bytes.toString('latin1', 0, length);
  };
  return { fd: writer, read };
}

const LONG = `${'x'.repeat(9_999)}\n`;

for (const neverWaits of [true, false])
  t.test(`a reader that stops is waited for, and loses nothing (neverWaits: ${neverWaits})`, async (t) => {
    const { fd, read } = pipe(t);
    const writer = createLineWriter({ fd, maxWaiting: 1e6, droppedLine, neverWaits });
    for (let n = 0; n < 30; n++) writer.write(LONG);
    let text = '';
    const reading = setInterval(() => (text += read()), 5);
    await new Promise<void>((done) => writer.flush(done));
    clearInterval(reading);
    t.equal(text + read(), LONG.repeat(30));
    t.equal(writer.dropped(), 0);
  });

t.test('a reader that never comes back is given up: the flush ends, and what is lost is counted', async (t) => {
  const { fd, read } = pipe(t);
  const writer = createLineWriter({ fd, maxWaiting: 200_000, droppedLine, neverWaits: true });
  for (let n = 0; n < 40; n++) writer.write(LONG);
  const before = writer.dropped();
  t.ok(before > 0, 'beyond the bound');
  const flushed = new Promise<void>((done) => writer.flush(done));
  writer.giveUp();
  await flushed;
  t.ok(writer.dropped() > before);
  const lost = writer.dropped();
  t.equal(lost, 40, 'a line that was written in part is no line');
  writer.write(LONG);
  writer.flushSync();
  t.equal(writer.dropped(), lost + 1);
  t.ok(read().length <= 65_536, 'nothing more is written');
});

t.test('nothing is tried again once nobody can read any more, whatever the system calls it', async (t) => {
  const { fd } = pipe(t);
  const path = join(t.testdir(), 'other');
  spawnSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const broken = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  closeSync(reader);
  t.teardown(() => closeSync(broken));
  const closed = 1_000_000;
  for (const [gone, name] of [
    [broken, 'EPIPE'],
    [closed, 'EBADF'],
  ] as const)
    for (const neverWaits of [true, false]) {
      const writer = createLineWriter({ fd: gone, maxWaiting: 1000, droppedLine, neverWaits });
      writer.write('a\n');
      await new Promise<void>((done) => writer.flush(done));
      t.equal(writer.dropped(), 1, name);
      writer.write('b\n');
      t.equal(writer.dropped(), 2, `${name}: at once`);
    }
  const full = createLineWriter({ fd, maxWaiting: 10, droppedLine, neverWaits: true });
  full.write('a\n');
  await new Promise<void>((done) => full.flush(done));
  full.write('b\n');
  t.equal(full.dropped(), 0, 'a reader that is there gets the next one');
  full.flushSync();
});

t.test('once given up, no timer keeps the process from ending', async (t) => {
  const { fd } = pipe(t);
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const writer = createLineWriter({ fd, maxWaiting: 1e6, droppedLine, neverWaits: true });
  for (let n = 0; n < 10; n++) writer.write(LONG);
  writer.write('waits\n');
  t.ok(timers() > before);
  writer.giveUp();
  t.equal(timers(), before);
});

t.test('a write that is under way when it is given up is not tried again', async (t) => {
  const { fd } = pipe(t);
  const filling = createLineWriter({ fd, maxWaiting: 1e6, droppedLine, neverWaits: true });
  for (let n = 0; n < 10; n++) filling.write(LONG);
  filling.giveUp();
  const writer = createLineWriter({ fd, maxWaiting: 1e6, droppedLine, neverWaits: false });
  writer.write(LONG);
  const first = new Promise<void>((done) => writer.flush(done));
  writer.giveUp();
  await first;
  await new Promise<void>((done) => writer.flush(done));
  t.equal(writer.dropped(), 1);
});

t.test('what found no room is written before the process ends, when there is room again', async (t) => {
  const { fd, read } = pipe(t);
  const writer = createLineWriter({ fd, maxWaiting: 1e6, droppedLine, neverWaits: true });
  for (let n = 0; n < 10; n++) writer.write(LONG);
  writer.flush(() => {});
  writer.write('last\n');
  const text = read();
  writer.flushSync();
  t.equal(text + read(), `${LONG.repeat(10)}last\n`);
  writer.flushSync();
  t.equal(read(), '', 'and once');
});

/** Runs `act` with the pauses of a thread replaced: what each is told is listed, `during` is what happens meanwhile. */
function withPauses(act: () => void, during: () => void): number[] {
  const { wait } = Atomics;
  const pauses: number[] = [];
  Atomics.wait = ((_place: unknown, _index: number, _value: number, ms: number) => {
    pauses.push(ms);
    during();
    return 'timed-out';
  }) as typeof wait;
  try {
    act();
  } finally {
    Atomics.wait = wait;
  }
  return pauses;
}

t.test(
  'at the end of a process a slow reader is waited for as long as it makes room, and no more than a second',
  async (t) => {
    const { fd, read } = pipe(t);
    let text = '';
    const slow = createLineWriter({ fd, maxWaiting: 1e6, droppedLine, neverWaits: true });
    for (let n = 0; n < 60; n++) slow.write(LONG);
    let waits = 0;
    const pauses = withPauses(slow.flushSync, () => void (++waits % 40 === 0 && (text += read())));
    t.equal(text + read(), LONG.repeat(60));
    t.ok(pauses.length > 50, 'each time it makes room there is a second more');
    t.ok(pauses.every((ms) => ms === 20));
    const stopped = createLineWriter({ fd, maxWaiting: 1e6, droppedLine, neverWaits: true });
    for (let n = 0; n < 20; n++) stopped.write(LONG);
    t.same(
      withPauses(stopped.flushSync, () => undefined),
      Array<number>(50).fill(20),
    );
  },
);

t.test('what was given up is never written, also where there is room', async (t) => {
  const { fd, read } = pipe(t);
  const writer = createLineWriter({ fd, maxWaiting: 1e6, droppedLine, neverWaits: true });
  writer.write('gathered\n');
  writer.giveUp();
  writer.write('later\n');
  await new Promise<void>((done) => writer.flush(done));
  writer.flushSync();
  t.same([read(), writer.dropped()], ['', 2]);
});

t.test('what was given up is counted once', async (t) => {
  const { fd } = pipe(t);
  const writer = createLineWriter({ fd, maxWaiting: 1e6, droppedLine, neverWaits: true });
  for (let n = 0; n < 10; n++) writer.write(LONG);
  writer.giveUp();
  const lost = writer.dropped();
  writer.giveUp();
  t.equal(writer.dropped(), lost);
});

const LOG = `file://${join(process.cwd(), '.build/src/observability/log.js')}`;

/** A process that writes 500 lines to its standard output and then does what it is told. */
function logging(then: string) {
  const script = `import { createLog } from ${JSON.stringify(LOG)};
    const log = createLog({ level: 'info', now: Date.now });
    for (let i = 0; i < 500; i++) log.info('line', { i }); ${then}`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
}

async function linesOf(then: string): Promise<number> {
  const child = logging(then);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  await once(child, 'close');
  return output.split('\n').length - 1;
}

t.test('nothing is lost when the process exits, crashes, or flushes', async (t) => {
  t.equal(await linesOf('process.exit(0);'), 500, 'exit');
  t.equal(await linesOf(`throw new Error('bug');`), 500, 'crash');
  t.equal(await linesOf(`await log.flush(); process.kill(process.pid, 'SIGKILL');`), 500, 'flush');
});

t.test('a process whose log reader is gone can still end', async (t) => {
  const child = logging(`setImmediate(() => process.exit(7));`);
  child.stdout.destroy();
  const [code] = (await once(child, 'exit')) as [number | null];
  t.equal(code, 7);
});

t.test('at the end of a process nobody waits long for a reader that makes no room', async (t) => {
  const { fd } = pipe(t);
  const writer = createLineWriter({ fd, maxWaiting: 1e6, droppedLine, neverWaits: true });
  for (let n = 0; n < 10; n++) writer.write(LONG);
  t.equal(writer.flushSync(), undefined, 'it returns');
});

t.test('a full pipe is tried again soon, then ever later, and soon again once it took something', async (t) => {
  const { fd, read } = pipe(t);
  const writer = createLineWriter({ fd, maxWaiting: 1e7, droppedLine, neverWaits: true });
  const fill = (): void => {
    for (let n = 0; n < 20; n++) writer.write(LONG);
  };
  let text = '';
  for (const round of [1, 2]) {
    let [timer] = catchTimers(fill).toReversed();
    const tried: (number | undefined)[] = [timer?.ms];
    for (let n = 0; n < 6; n++) {
      [timer] = catchTimers(() => timer?.run());
      tried.push(timer?.ms);
    }
    t.same(tried, [1, 2, 4, 8, 16, 20, 20], `${round}`);
    for (let more = read(); more !== ''; more = read()) {
      text += more;
      [timer] = catchTimers(() => timer?.run());
    }
    writer.flushSync();
  }
  t.equal((text + read()).length, 2 * 20 * LONG.length);
});

t.test('a line that found no room is told with the next one that does', async (t) => {
  const file = join(t.testdir(), 'lines');
  const fd = openSync(file, 'w');
  const writer = createLineWriter({ fd, maxWaiting: 4, droppedLine });
  writer.write('too long\n');
  writer.flushSync();
  t.equal(readFileSync(file, 'utf8'), '');
  writer.write('a\n');
  writer.flushSync();
  closeSync(fd);
  t.equal(readFileSync(file, 'utf8'), 'a\ndropped 1\n');
});
