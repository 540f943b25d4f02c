/**
 * What `npm start` runs: the demo backend, Postern in front of it with the example configuration, and a few requests to
 * try. The ports come from POSTERN_PORT, POSTERN_ADMIN_PORT, DEMO_INTEGRATION_PORT and DEMO_METRICS_PORT.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { startDemoBackend, type DemoBackend } from './backend.ts';
import { demoPage } from './page.ts';

const HOST = '127.0.0.1';

/** Of this run alone, unless one is given: it opens the console and the API of the admin port. */
const adminToken = process.env['POSTERN_ADMIN_TOKEN'] || randomBytes(16).toString('base64url');

const ports = {
  postern: portFrom('POSTERN_PORT', 8080),
  admin: portFrom('POSTERN_ADMIN_PORT', 9090),
  integration: portFrom('DEMO_INTEGRATION_PORT', 9000),
  metrics: portFrom('DEMO_METRICS_PORT', 9001),
};

await refuseTakenPorts();
const backend = await startDemoBackend({ host: HOST, integrationPort: ports.integration, metricsPort: ports.metrics });
process.exitCode = await runPostern(backend);

function portFrom(variable: string, fallback: number): number {
  const text = process.env[variable];
  // In a cluster a Service of that name sets `tcp://ADDRESS:PORT`.
  if (text === undefined || text === '' || text.startsWith('tcp://')) return fallback;
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port < 65_536
    ? port
    : stop(`${variable} is "${text}", not a port number.`);
}

async function refuseTakenPorts(): Promise<void> {
  const variables = ['POSTERN_PORT', 'POSTERN_ADMIN_PORT', 'DEMO_INTEGRATION_PORT', 'DEMO_METRICS_PORT'];
  for (const [i, port] of Object.values(ports).entries())
    if (!(await isFree(port))) stop(`Port ${port} is taken. Set ${variables[i]} to another port and start again.`);
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  const free = await new Promise<boolean>((resolve) => {
    probe.once('error', () => resolve(false));
    probe.listen(port, HOST, () => resolve(true));
  });
  probe.close();
  return free;
}

/** Runs Postern as operators do, in a process of its own, and resolves to its exit code. Ctrl-C reaches both. */
async function runPostern(behind: DemoBackend): Promise<number> {
  const postern = spawn(process.execPath, ['dist/main.js', 'serve', '--config', 'config/postern.yaml'], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      POSTERN_PORT: String(ports.postern),
      POSTERN_ADMIN_PORT: String(ports.admin),
      POSTERN_ADMIN_TOKEN: adminToken,
      INTEGRATION_UPSTREAM: `http://${HOST}:${ports.integration}`,
      METRICS_UPSTREAM: `http://${HOST}:${ports.metrics}`,
    },
  });
  process.on('SIGINT', () => postern.kill('SIGTERM'));
  process.on('SIGTERM', () => postern.kill('SIGTERM'));
  const exited = once(postern, 'exit') as Promise<[number | null]>;
  if (await isReady(() => postern.exitCode === null)) process.stdout.write(demoPage({ ...ports, adminToken }));
  const [code] = await exited;
  behind.close();
  return code ?? 1;
}

/** Asks the readiness probe until it says yes, or Postern is gone. */
async function isReady(isRunning: () => boolean): Promise<boolean> {
  while (isRunning()) {
    const ready = await fetch(`http://${HOST}:${ports.admin}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

function stop(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
