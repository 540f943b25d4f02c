import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createLineWriter } from '../../src/observability/line-writer.ts';

const droppedLine = (count: number) => `dropped ${count}\n`;

t.test('lines come again when a full disk has room again, and those lost are counted', async (t) => {
  const file = join(t.testdir(), 'lines');
  const fd = openSync('/dev/full', 'w');
  const writer = createLineWriter({ fd, maxWaiting: 100, droppedLine });
  for (const line of ['1\n', '2\n', '3\n']) writer.write(line);
  await new Promise<void>((done) => writer.flush(done));
  closeSync(fd);
  t.equal(openSync(file, 'w'), fd, 'the lowest free descriptor is the one just closed');
  t.teardown(() => closeSync(fd));
  writer.write('4\n');
  await new Promise<void>((done) => writer.flush(done));
  t.equal(readFileSync(file, 'utf8'), '4\ndropped 3\n');
});

const LOG = `file://${join(process.cwd(), '.build/src/observability/log.js')}`;

t.test('a line that a full disk cut short is not continued by the next', async (t) => {
  const file = join(t.testdir(), 'lines');
  writeFileSync(file, '');
  const script = `import { createLog } from ${JSON.stringify(LOG)};
    const log = createLog({ level: 'info', now: Date.now });
    for (let i = 0; i < 500; i++) log.info('line', { i });
    await log.flush();
    process.stderr.write('full');
    process.stdin.once('data', () => { log.info('after'); log.flush().then(() => process.exit()); });`;
  // A file may not grow past 1 KiB: the write that reaches it is cut short, the next fails. The environment is empty, because
  // test runners and coverage have every Node write files of theirs.
  const child = spawn(
    'bash',
    [
      '--norc',
      '-c',
      `ulimit -f 1; exec env -i "$0" --input-type=module -e "$1" >> "$2"`,
      process.execPath,
      script,
      file,
    ],
    {
      stdio: ['pipe', 'ignore', 'pipe'],
    },
  );
  const [said] = (await once(child.stderr, 'data')) as [Buffer];
  t.equal(String(said), 'full');
  t.equal(readFileSync(file).length, 1024);
  truncateSync(file);
  child.stdin.write('\n');
  await once(child, 'exit');
  const [torn, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
  t.equal(torn, '', 'the rest of a line that is not there any more');
  t.match(
    lines.map((line) => JSON.parse(line) as unknown),
    [{ msg: 'after' }, { msg: 'log_lines_dropped', lines: Number }],
  );
});
