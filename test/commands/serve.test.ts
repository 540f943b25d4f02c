import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { drainTimes, runServe } from '../../src/commands/serve.ts';
import { capturedIo } from '../support/command-io.ts';
import { eventually } from '../support/eventually.ts';

const API =
  'apis: { integration: { upstream: "http://127.0.0.1:9000" } }\nlisten: { port: 0, host: 127.0.0.1 }\nadmin: { port: 0 }\n';

async function serve(t: Test, files: Record<string, string>) {
  const { io, err, out } = capturedIo();
  const code = await runServe({ config: join(t.testdir(files), 'postern.yaml') }, io);
  return { code, err: err.join('\n'), out };
}

t.test('a configuration with mistakes: every finding, exit 1', async (t) => {
  const { code, err } = await serve(t, { 'postern.yaml': `${API}lisen: {}\nlog: { level: loud }\n` });
  t.equal(code, 1);
  t.match(err, /postern\.yaml:4:1 error .*lisen[\s\S]*postern\.yaml:5:\d+ error /);
  t.match(await serve(t, {}), { code: 1, err: /postern\.yaml:1:1 error The file cannot be read/ });
});

t.test('so do keys, and what they name is no secret', async (t) => {
  const keys = 'keys:\n  - { id: a, type: x, secret: a-secret-in-the-file }\n  - { id: B, type: metrics }\n';
  const { code, err } = await serve(t, { 'postern.yaml': API, 'keys.yaml': keys });
  t.equal(code, 1);
  t.match(
    err,
    /^postern cannot start: the keys cannot be used:\n.*keys\.yaml:2:\d+ error [\s\S]*keys\.yaml:3:\d+ error /,
  );
  t.notMatch(err, 'a-secret-in-the-file');
  for (const text of ['', 'keys:\n', 'keys: ['])
    t.match(await serve(t, { 'postern.yaml': API, 'keys.yaml': text }), { code: 1, err: /keys\.yaml:\d+:\d+ error / });
  t.match(await serve(t, { 'postern.yaml': API }), { code: 1, err: /keys\.yaml:1:1 error The file cannot be read/ });
});

t.test(
  'the end is announced for half of the grace, for five seconds at most, and at a terminal not at all',
  async (t) => {
    t.same(drainTimes('SIGTERM', 30_000), { announceMs: 5000, graceMs: 25_000 });
    t.same(drainTimes('SIGTERM', 4000), { announceMs: 2000, graceMs: 2000 });
    t.same(drainTimes('SIGTERM', 0), { announceMs: 0, graceMs: 0 });
    t.same(drainTimes('SIGINT', 30_000), { announceMs: 0, graceMs: 30_000 });
  },
);

/** Serves in a process of its own, to which signals are told, the first before it starts, and which something would keep alive. */
const SERVING = `
import { runServe } from './.build/src/commands/serve.js';
let listener;
process.on('message', ([name, signal]) => listener[name](signal));
setInterval(() => undefined, 1000);
process.exitCode = await runServe({ config: process.argv[1] }, {
  stderr: (line) => process.stderr.write(line + '\\n'),
  env: {},
  version: '9.9.9',
  signals: {
    handOver(next) {
      listener = next;
      if (process.argv[2] !== undefined) next[process.argv[2]]('SIGTERM');
    },
  },
});
`;

async function serving(t: Test, config: string, first?: string) {
  const folder = t.testdir({
    'postern.yaml': config,
    'keys.yaml': 'keys: [{ id: a, type: read-only, allowFrom: [192.0.2.1], secret: "a-secret-in-the-file" }]\n',
  });
  const args = [
    '--input-type=module',
    '-e',
    SERVING,
    join(folder, 'postern.yaml'),
    ...(first === undefined ? [] : [first]),
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  t.teardown(() => child.kill('SIGKILL'));
  const lines: Record<string, unknown>[] = [];
  createInterface(child.stdout as Readable).on('line', (line) =>
    lines.push(JSON.parse(line) as Record<string, unknown>),
  );
  const exit = once(child, 'close');
  return {
    tell: (name: string, signal?: string) => child.send([name, signal]),
    seen: (wanted: string, times = 1) =>
      eventually(() => lines.filter(({ msg }) => msg === wanted).length >= times, `${wanted} to be logged`),
    lines,
    exit: async (): Promise<unknown> => ((await exit) as unknown[])[0],
  };
}

t.test('what signals do, from before it has started until after it should have ended', async (t) => {
  const { tell, seen, lines, exit } = await serving(t, API, 'onReload');
  await seen('config_reloaded');
  const messages = lines.map(({ msg }) => msg);
  t.ok(messages.indexOf('started') < messages.indexOf('config_reloaded'), 'as soon as there is something to reload');
  const started = lines.find(({ msg }) => msg === 'started');
  t.match(started, { data: /^127\.0\.0\.1:\d+$/, admin: /^127\.0\.0\.1:\d+$/ });
  tell('onReload');
  await seen('config_reloaded', 2);
  tell('onUnused', 'SIGUSR1');
  await seen('signal_unused');
  tell('onEnd', 'SIGINT');
  tell('onEndAgain', 'SIGTERM');
  t.equal(await exit(), 0, 'whatever still hangs on');
  t.ok(lines.some(({ msg }) => msg === 'draining'));
  t.same(
    lines
      .filter(({ signal, msg }) => signal !== undefined || msg === 'stopped')
      .map(({ msg, signal }) => [msg, signal]),
    [
      ['signal_unused', 'SIGUSR1'],
      ['stopping', 'SIGINT'],
      ['still_stopping', 'SIGTERM'],
      ['stopped', undefined],
    ],
  );
  t.equal(lines.filter(({ msg }) => msg === 'config_reloaded').length, 2, 'once for each time that it was asked for');
});

t.test('an end before the start is over is an end as asked', async (t) => {
  const { lines, exit } = await serving(t, API, 'onEnd');
  t.equal(await exit(), 0);
  const messages = lines.map(({ msg }) => msg);
  t.same([messages[0], messages.at(-1)], ['stopping', 'stopped']);
  t.notOk(messages.includes('started'));
});

t.test('a socket in place of a port is named', async (t) => {
  const socket = join(t.testdir(), 's');
  const { tell, seen, lines, exit } = await serving(t, API.replace('port: 0, host: 127.0.0.1', `path: ${socket}`));
  await seen('started');
  t.equal(lines.find(({ msg }) => msg === 'started')?.['data'], `unix:${socket}`);
  tell('onEnd', 'SIGINT');
  t.equal(await exit(), 0);
});
