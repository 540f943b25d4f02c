import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net, { type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { connectToSocket, MAX_SOCKET_PATH_BYTES, socketPathOf, socketPathProblem } from '../../src/lib/unix-socket.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-unix-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const request = (path: string) => ({ path, timeoutMs: 5000, highWaterMark: 65_536 });

void t.test('unix: and nothing else names a socket', (t) => {
  t.equal(socketPathOf('unix:/run/app.sock'), '/run/app.sock');
  t.equal(socketPathOf('unix:app.sock'), 'app.sock');
  for (const url of ['http://unix:80', '/run/app.sock', '']) t.equal(socketPathOf(url), null, url);
  t.end();
});

void t.test('a path that Node would cut is told, in bytes', async (t) => {
  const longest = join(folder, 'x'.repeat(MAX_SOCKET_PATH_BYTES - Buffer.byteLength(folder) - 1));
  t.equal(socketPathProblem(longest), null);
  t.match(
    socketPathProblem(`${longest}y`),
    new RegExp(`too long.*: ${MAX_SOCKET_PATH_BYTES + 1} bytes.*${MAX_SOCKET_PATH_BYTES}:`),
  );
  t.match(socketPathProblem(`${longest.slice(0, -1)}\u00e9`), /too long/);
  t.match(socketPathProblem('/run/a\0b'), /NUL/);
  // The limit is the system's: the longest path is the socket's name, whole.
  const server = net.createServer((socket) => void socket.end('hi'));
  await new Promise<void>((resolve) => server.listen(longest, resolve));
  t.teardown(() => void server.close());
  const socket = await connectToSocket(request(longest));
  const [data] = await new Promise<Buffer[]>((resolve) => socket.once('data', (chunk: Buffer) => resolve([chunk])));
  t.equal(String(data), 'hi');
});

void t.test('what cannot be connected to is told with its path and why', async (t) => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  await t.rejects(connectToSocket(request(file)), { code: 'ECONNREFUSED', message: `connect ECONNREFUSED ${file}` });
  const none = join(folder, 'none');
  await t.rejects(connectToSocket(request(none)), { code: 'ENOENT', message: `connect ENOENT ${none}` });
  const through = join(file, 'a.sock');
  await t.rejects(connectToSocket(request(through)), { code: 'ENOTDIR', message: `connect ENOTDIR ${through}` });
});

/** As `net.connect` to a listener whose queue is full for the first attempts. */
const busy = (times: number) => {
  const attempts: string[] = [];
  const open = ({ path }: net.IpcNetConnectOpts): Socket => {
    attempts.push(path);
    if (attempts.length > times) return net.connect({ path });
    const socket = new net.Socket();
    const error = Object.assign(new Error(`connect EAGAIN ${path}`), { code: 'EAGAIN' });
    process.nextTick(() => socket.destroy(error));
    return socket;
  };
  return { attempts, open };
};

void t.test('a full queue is waited for, within the time to connect', async (t) => {
  const path = join(folder, 'busy.sock');
  const server = net.createServer((socket) => void socket.end());
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => void server.close());
  const soon = busy(2);
  const socket = await connectToSocket({ ...request(path), open: soon.open });
  t.equal(soon.attempts.length, 3);
  t.equal(socket.listenerCount('error'), 0, 'whoever gets it hears of what comes later');
  socket.destroy();
  const never = busy(Infinity);
  await t.rejects(connectToSocket({ ...request(path), timeoutMs: 60, open: never.open }), {
    code: 'ETIMEDOUT',
    message: `connect to ${path} took longer than 0.06 s; connect EAGAIN ${path}`,
  });
  t.ok(never.attempts.length > 1);
  const short = busy(Infinity);
  await t.rejects(connectToSocket({ ...request(path), timeoutMs: 10, open: short.open }), { code: 'ETIMEDOUT' });
  t.equal(short.attempts.length, 1, 'no attempt that would come too late');
});
