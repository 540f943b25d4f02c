/**
 * Runs the sidecar: reads the configuration, starts it, reloads on SIGHUP, drains on SIGTERM. Owns signals and exit codes;
 * what the service is stands in sidecar.ts.
 */
import { once } from 'node:events';
import { loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { createLog } from '../observability/log.ts';
import { startSidecar, type Sidecar } from '../sidecar.ts';
import type { CommandIo } from './io.ts';

/** How long readiness is off before the port closes: probes of balancers and of Kubernetes need time to see it. */
const MAX_ANNOUNCE_MS = 5000;

/** Serves until a signal ends it. Resolves to the exit code: 0 drained, 1 configuration error, 70 internal error. */
export async function runServe({ config: file }: { readonly config: string }, io: CommandIo): Promise<number> {
  const loaded = loadConfig(file, io.env);
  for (const problem of loaded.problems) io.stderr(formatProblem(problem));
  const { config } = loaded;
  if (config === null) return 1;
  const clock = { now: Date.now, monotonic: () => performance.now() };
  const log = createLog({ level: config.log.level, now: clock.now });
  let sidecar: Sidecar | null = null;
  // From here on: without a listener, a reload asked for during the start would end the process.
  process.on('SIGHUP', () => void sidecar?.reload());
  try {
    sidecar = await startSidecar({ file, loaded: { ...loaded, config }, env: io.env, version: io.version, log, clock });
  } catch (error) {
    io.stderr(`postern cannot start: ${(error as Error).message}`);
    return 1;
  }
  log.info('started', {
    data: `${sidecar.data.address}:${sidecar.data.port}`,
    admin: `${sidecar.admin.address}:${sidecar.admin.port}`,
  });
  const [signal] = (await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])) as [NodeJS.Signals];
  log.info('stopping', { signal });
  const graceMs = config.listen.shutdownGraceSeconds * 1000;
  // Somebody at a terminal waits for nobody's balancer.
  const announceMs = signal === 'SIGINT' ? 0 : Math.min(MAX_ANNOUNCE_MS, graceMs / 2);
  await sidecar.drain({ announceMs, graceMs: graceMs - announceMs });
  log.info('stopped');
  await log.flush();
  return 0;
}
