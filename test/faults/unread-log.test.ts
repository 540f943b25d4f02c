import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { stringify } from 'yaml';
import { startBackend } from '../support/backend.ts';
import { freePort } from '../support/free-port.ts';
import { portsOf, spawnPostern } from '../support/process.ts';

const SECRET = 'secret-of-the-server-key';
const KEY = { id: 'server', type: 'read-write', secret: SECRET };
const headers = { authorization: `Bearer ${SECRET}` };
const listen = { host: '127.0.0.1', port: 0, shutdownGraceSeconds: 1 };

t.test('a log that nobody reads, or that has no room, stops no request', async (t) => {
  const backend = await startBackend(t);
  const folder = t.testdir();
  const configFile = join(folder, 'postern.yaml');
  // A log without room cannot tell its process's ports, so one is chosen before.
  const port = await freePort();
  writeFileSync(
    configFile,
    stringify({
      listen: { ...listen, port },
      admin: { port: 0 },
      apis: { integration: { upstream: backend.url } },
      log: { requests: 'all' },
    }),
  );
  writeFileSync(join(folder, 'keys.yaml'), stringify({ keys: [KEY] }));
  const probe = spawnPostern(t, {
    config: { listen, apis: { integration: { upstream: backend.url } }, log: { requests: 'all' } },
    keys: [KEY],
  });
  const { data } = await portsOf(probe);
  probe.child.stdout?.removeAllListeners('data').pause();
  const path = 'x'.repeat(1000);
  for (let n = 0; n < 150; n++) {
    const answer = await fetch(`http://127.0.0.1:${data}/${path}`, { headers });
    if (answer.status !== 204) t.fail(`answered ${answer.status}`);
  }
  t.equal(probe.child.exitCode, null);
  probe.child.kill('SIGTERM');
  // Not `exit`, which waits for the end of the output that nobody reads.
  t.same(await once(probe.child, 'exit'), [0, null], 'nor does it keep the process from ending');

  const full = spawn(process.execPath, ['.build/src/main.js', 'serve', '--config', configFile], {
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
  });
  t.teardown(() => full.kill('SIGKILL'));
  const state = async (): Promise<number> =>
    fetch(`http://127.0.0.1:${port}/profile/1`).then(
      ({ status }) => status,
      () => 0,
    );
  while ((await state()) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  for (let n = 0; n < 5; n++) t.equal((await fetch(`http://127.0.0.1:${port}/profile/1`)).status, 401);
  full.kill('SIGTERM');
  const [code] = (await once(full, 'exit')) as [number | null];
  t.equal(code, 0);
});

t.test('a full pipe does not keep the process from ending', async (t) => {
  const folder = t.testdir({ 'keys.yaml': stringify({ keys: [KEY] }) });
  const port = await freePort();
  const config = {
    listen: { ...listen, port },
    admin: { port: 0 },
    apis: { integration: { upstream: 'http://127.0.0.1:9' } },
  };
  writeFileSync(join(folder, 'postern.yaml'), stringify(config));
  spawnSync('mkfifo', [join(folder, 'pipe')]);
  const pipe = openSync(join(folder, 'pipe'), constants.O_RDWR);
  t.teardown(() => closeSync(pipe));
  const child = spawn(process.execPath, ['.build/src/main.js', '--config', join(folder, 'postern.yaml')], {
    stdio: ['ignore', pipe, 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const refused = async (): Promise<number> =>
    fetch(`http://127.0.0.1:${port}/${'x'.repeat(1000)}`).then(
      ({ status }) => status,
      () => 0,
    );
  while ((await refused()) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  // More than a pipe takes.
  for (let n = 0; n < 100; n++) await refused();
  child.kill('SIGTERM');
  t.same(await once(child, 'exit'), [0, null]);
});
