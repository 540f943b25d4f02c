import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import t, { type Test } from 'tap';
import { freePort } from '../support/free-port.ts';

const START = resolve('.build/src/demo/start.js');
const RUN_BACKEND = resolve('.build/src/demo/run-backend.js');
const VARIABLES = ['POSTERN_PORT', 'POSTERN_ADMIN_PORT', 'DEMO_INTEGRATION_PORT', 'DEMO_METRICS_PORT'];

/** Writes where anything listens to standard output, without listening. */
const TOLD = `
import { Server } from 'node:net';
Server.prototype.listen = function (port, host, done) {
  process.stdout.write(JSON.stringify({ port, host }) + '\\n');
  setImmediate(done);
  return this;
};
`;

/** In place of Postern: ready at once, until it is stopped. */
const POSTERN = `
import { createServer } from 'node:http';
createServer((_req, res) => res.end()).listen(Number(process.env.POSTERN_ADMIN_PORT), '127.0.0.1');
`;

/** Different ones. */
async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

interface Run {
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly preload?: string;
  readonly cwd?: string;
}

function run(t: Test, file: string, { env = {}, args = [], preload, cwd }: Run) {
  const flags = preload === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(preload)}`];
  const child = spawn(process.execPath, [...flags, file, ...args], {
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  t.teardown(() => child.kill('SIGKILL'));
  const written = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (written.err += text));
  return { child, written, exit: once(child, 'close').then(([code]) => code as number | null) };
}

void t.test('a port that is taken, or is none, is said with the variable that moves it', async (t) => {
  for (const variable of VARIABLES) {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const free = await freePorts(VARIABLES.length);
    const env = Object.fromEntries(VARIABLES.map((name, i) => [name, String(name === variable ? port : free[i])]));
    const { exit, written } = run(t, START, { env });
    t.equal(await exit, 1, variable);
    t.equal(written.err, `Port ${port} is taken. Set ${variable} to another port and start again.\n`);
    t.equal(written.out, '');
    taken.close();
    for (const none of ['0', '65536', '80a', '-1', '1.5']) {
      const refused = run(t, START, { env: { ...env, [variable]: none } });
      t.equal(await refused.exit, 1);
      t.equal(refused.written.err, `${variable} is "${none}", not a port number.\n`);
    }
  }
});

void t.test('the backend of the demonstration listens on loopback alone', async (t) => {
  const ports = await freePorts(VARIABLES.length);
  const env = Object.fromEntries(VARIABLES.map((name, i) => [name, String(ports[i])]));
  const cwd = t.testdir({ 'package.json': '{"type":"module"}', dist: { 'main.js': POSTERN } });
  const { child, exit, written } = run(t, START, { env, cwd });
  while (!written.out.includes('Ctrl-C')) await once(child.stdout, 'data');
  for (const port of ports.slice(2)) {
    t.equal((await fetch(`http://127.0.0.1:${port}/demo/received`)).status < 500, true);
    await t.rejects(fetch(`http://127.0.0.2:${port}/demo/received`), 'another address of this machine');
  }
  child.kill('SIGTERM');
  t.equal(await exit, 1, 'Postern was ended by a signal');
});

void t.test('run alone it listens on loopback as well, unless it is told another address', async (t) => {
  for (const [args, host] of [
    [[], '127.0.0.1'],
    [['0.0.0.0'], '0.0.0.0'],
  ] as const) {
    const { exit, written } = run(t, RUN_BACKEND, { args, preload: TOLD });
    await exit;
    const listening = written.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    t.same(listening, [
      { port: 9000, host },
      { port: 9001, host },
    ]);
  }
});
