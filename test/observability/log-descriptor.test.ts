import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';

const MODULE = JSON.stringify(`file://${join(process.cwd(), '.build/src/observability/log-descriptor.js')}`);

/** What a process finds about its standard output, on standard error: the descriptor, and whether a write to it never waits. */
const SCRIPT = `import { logDescriptor } from ${MODULE};
  import { readFileSync, writeSync } from 'node:fs';
  const found = logDescriptor(1);
  const flags = parseInt(/flags:\\s*(\\d+)/.exec(readFileSync('/proc/self/fdinfo/' + found.fd, 'utf8'))[1], 8);
  writeSync(2, JSON.stringify({ ...found, nonBlocking: (flags & 0o4000) !== 0 }));`;
const ARGS = ['--input-type=module', '-e', SCRIPT];

t.test('a pipe is opened anew, so that nobody else can make a write to it wait', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const pipe = join(folder, 'pipe');
  spawnSync('mkfifo', [pipe]);
  const fd = openSync(pipe, constants.O_RDWR);
  const { stderr } = spawnSync(process.execPath, ARGS, { stdio: ['ignore', fd, 'pipe'], encoding: 'utf8' });
  const found = JSON.parse(stderr) as { fd: number; neverWaits: boolean; nonBlocking: boolean };
  t.not(found.fd, 1);
  t.match(found, { neverWaits: true, nonBlocking: true });
  const flags = parseInt(/flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8);
  t.equal(flags & 0o4000, 0, 'what others share stays as it was');
});

t.test('a socket cannot be, and is set not to wait', async (t) => {
  // Node gives its children sockets for pipes.
  const child = spawn(process.execPath, ARGS, { stdio: ['ignore', 'pipe', 'pipe'] });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
  await once(child, 'close');
  t.same(JSON.parse(told), { fd: 1, neverWaits: false, nonBlocking: true });
});

t.test('a file is written as it is', async (t) => {
  const fd = openSync(join(t.testdir(), 'log'), 'w');
  const { stderr } = spawnSync(process.execPath, ARGS, { stdio: ['ignore', fd, 'pipe'], encoding: 'utf8' });
  t.same(JSON.parse(stderr), { fd: 1, neverWaits: false, nonBlocking: false });
});
