import { spawnSync } from 'node:child_process';
import fs, {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { listenOnSocket } from '../../src/data-port/unix-listener.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-listen-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
const newPath = (): string => join(folder, `${made++}.sock`);

function server(t: Test): net.Server {
  const made = net.createServer((socket) => void socket.on('error', () => undefined).end('hello'));
  t.teardown(() => void made.close());
  return made;
}

const greeting = (path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    net
      .connect(path)
      .on('data', (data) => resolve(String(data)))
      .on('error', reject);
  });

/** A socket that nobody listens on: of a process that was killed. */
function leaveBehind(t: Test, path: string): void {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
  t.ok(statSync(path).isSocket());
}

t.test('the socket is for its owner and group, whatever the umask, and goes with its server', async (t) => {
  for (const umask of [0, 0o077]) {
    const path = newPath();
    const before = process.umask(umask);
    const listener = await listenOnSocket(server(t), path);
    t.equal(process.umask(before), umask, 'the umask is as it was');
    t.equal(statSync(path).mode & 0o777, 0o660);
    t.equal(await greeting(path), 'hello');
    await listener.close();
    t.notOk(existsSync(path));
  }
});

t.test('closing stops at once, and resolves with the last connection', async (t) => {
  const path = newPath();
  const holding = net.createServer();
  const listener = await listenOnSocket(holding, path);
  const client = net.connect(path);
  const [held] = await new Promise<[net.Socket]>((resolve) =>
    holding.once('connection', (socket) => resolve([socket])),
  );
  let closed = false;
  const closing = listener.close().then(() => (closed = true));
  t.notOk(existsSync(path));
  await new Promise(setImmediate);
  t.notOk(closed, 'a connection is still open');
  held.destroy();
  client.destroy();
  await closing;
});

t.test("what somebody else removes meanwhile is in nobody's way", async (t) => {
  const path = newPath();
  leaveBehind(t, path);
  const { lstatSync } = fs;
  const restore = (): void => {
    Object.assign(fs, { lstatSync });
    syncBuiltinESMExports();
  };
  t.teardown(restore);
  const removing = (...args: Parameters<typeof lstatSync>) => {
    const found = lstatSync(...args);
    restore();
    rmSync(path);
    return found;
  };
  Object.assign(fs, { lstatSync: removing });
  syncBuiltinESMExports();
  const listener = await listenOnSocket(server(t), path);
  t.equal(await greeting(path), 'hello');
  await listener.close();
});

t.test('what a dead process left is replaced', async (t) => {
  const path = newPath();
  leaveBehind(t, path);
  const listener = await listenOnSocket(server(t), path);
  t.equal(await greeting(path), 'hello');
  t.equal(statSync(path).mode & 0o777, 0o660);
  await listener.close();
});

t.test('a socket that is listened on stays, and the error says so', async (t) => {
  const path = newPath();
  const first = await listenOnSocket(server(t), path);
  await t.rejects(listenOnSocket(server(t), path), {
    message: `listen.path cannot be used: "${path}": another process listens there; stop it or choose another path`,
  });
  t.equal(await greeting(path), 'hello', 'the first one was not touched');
  await first.close();
});

t.test('what is no socket is never removed', async (t) => {
  const file = newPath();
  writeFileSync(file, 'content');
  const directory = newPath();
  mkdirSync(directory);
  const link = newPath();
  const target = newPath();
  leaveBehind(t, target);
  symlinkSync(target, link);
  for (const path of [file, directory, link])
    await t.rejects(listenOnSocket(server(t), path), { message: /which is no socket/ });
  t.equal(readFileSync(file, 'utf8'), 'content');
  t.ok(statSync(directory).isDirectory());
  t.ok(existsSync(target));
});

t.test('at the end, what took the place of the socket stays', async (t) => {
  const path = newPath();
  const first = await listenOnSocket(server(t), path);
  rmSync(path);
  writeFileSync(path, 'content');
  await first.close();
  t.equal(readFileSync(path, 'utf8'), 'content');

  const moved = newPath();
  const second = await listenOnSocket(server(t), moved);
  renameSync(moved, `${moved}.old`);
  const successor = await listenOnSocket(server(t), moved);
  await second.close();
  t.equal(await greeting(moved), 'hello', 'the socket of a successor too');
  await successor.close();
  t.notOk(existsSync(moved));

  const gone = newPath();
  const third = await listenOnSocket(server(t), gone);
  rmSync(gone);
  await third.close();
});

t.test('a folder that is not there is told', async (t) => {
  await t.rejects(listenOnSocket(server(t), join(folder, 'none', 'a.sock')), { message: /its folder is not there/ });
});
