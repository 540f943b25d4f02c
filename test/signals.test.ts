import t from 'tap';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { takeSignals, type SignalHandlers } from '../src/signals.ts';

function taken() {
  const listeners = new Map<NodeJS.Signals, () => void>();
  const exits: number[] = [];
  const signals = takeSignals(
    (signal, listener) => void listeners.set(signal, listener),
    (code) => void exits.push(code),
  );
  const told: string[] = [];
  const handlers: SignalHandlers = {
    onEnd: (signal) => told.push(`end ${signal}`),
    onEndAgain: (signal) => told.push(`again ${signal}`),
    onReload: () => told.push('reload'),
    onUnused: (signal) => told.push(`unused ${signal}`),
  };
  return { signals, exits, told, handlers, send: (signal: NodeJS.Signals) => listeners.get(signal)?.(), listeners };
}

t.test('before anything is open, a signal that ends, ends the process at once', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
    const { send, exits } = taken();
    send(signal);
    t.same(exits, [0], signal);
  }
});

t.test('one that asks for a reload is remembered, however often it came', async (t) => {
  const { signals, send, exits, told, handlers } = taken();
  send('SIGHUP');
  send('SIGHUP');
  send('SIGUSR1');
  t.same(exits, []);
  signals.handOver(handlers);
  t.same(told, ['reload']);
  send('SIGHUP');
  t.same(told, ['reload', 'reload']);
});

t.test('the end is asked for once', async (t) => {
  const { signals, send, exits, told, handlers } = taken();
  signals.handOver(handlers);
  for (const signal of ['SIGTERM', 'SIGTERM', 'SIGINT', 'SIGINT', 'SIGQUIT'] as const) send(signal);
  t.same(told, ['end SIGTERM', 'again SIGTERM', 'again SIGINT', 'again SIGINT', 'again SIGQUIT']);
  t.same(exits, []);
});

t.test('signals of other servers do nothing', async (t) => {
  const { signals, send, exits, told, handlers } = taken();
  signals.handOver(handlers);
  for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGXFSZ'] as const) send(signal);
  t.same(told, ['unused SIGUSR1', 'unused SIGUSR2', 'unused SIGXFSZ']);
  t.same(exits, []);
});

t.test('a command that does not serve dies of a signal, as any program', async (t) => {
  const silent = net.createServer();
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  const asked = once(silent, 'connection') as Promise<[net.Socket]>;
  const admin = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const child = spawn(process.execPath, ['.build/src/main.js', 'cache', 'purge', '--admin', admin], {
    stdio: 'ignore',
    env: { ...process.env, POSTERN_ADMIN_TOKEN: 'a-token-of-some-admin' },
  });
  const [socket] = await asked;
  child.kill('SIGTERM');
  t.same(await once(child, 'exit'), [null, 'SIGTERM']);
  socket.destroy();
});

t.test('a debugger that nobody asked for is closed, and one that somebody did is left', (t) => {
  const folder = t.testdir({
    'open.cjs': `const inspector = require('node:inspector');
      if (inspector.url() === undefined) inspector.open(0, '127.0.0.1');
      process.on('exit', () => process.stdout.write(inspector.url() === undefined ? 'closed' : 'open'));`,
  });
  const said = (options: readonly string[], more = '') =>
    spawnSync(
      process.execPath,
      [...options, '--require', join(folder, 'open.cjs'), '.build/src/main.js', '--version'],
      {
        encoding: 'utf8',
        env: { ...process.env, NODE_OPTIONS: more },
      },
    ).stdout.split('\n')[1];
  t.equal(said([]), 'closed');
  t.equal(said(['--inspect=127.0.0.1:0']), 'open');
  t.equal(said([], '--inspect=127.0.0.1:0'), 'open');
  t.equal(said([], '--no-warnings'), 'closed');
  t.end();
});

t.test('without a word that names a command, signals are those of the sidecar', async (t) => {
  const folder = t.testdir({
    'postern.yaml': `listen: { host: 127.0.0.1, port: 0 }
admin: { port: 0 }
apis: { integration: { upstream: "http://127.0.0.1:9" } }
`,
    'keys.yaml': 'keys: [{ id: a, type: read-only, secret: "01234567890123456789" }]\n',
  });
  const file = join(folder, 'postern.yaml');
  for (const args of [[], ['--config', file]]) {
    const env = { ...process.env, POSTERN_CONFIG: file };
    const child = spawn(process.execPath, ['.build/src/main.js', ...args], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    let said = '';
    child.stdout.on('data', (text) => (said += String(text)));
    const exit = once(child, 'exit');
    while (child.exitCode === null && !said.includes('"keys_loaded"'))
      await Promise.race([once(child.stdout, 'data'), exit]);
    t.equal(child.exitCode, null, 'it serves');
    child.kill('SIGINT');
    t.same(await exit, [0, null], args.join(' '));
  }
});
