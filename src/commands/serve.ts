/**
 * Runs the sidecar: reads the configuration, starts it, reloads on SIGHUP, drains on SIGTERM. Decides what signals do and which exit
 * code it ends with; what the service is stands in sidecar.ts.
 */
import { loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { createLog, type Log } from '../observability/log.ts';
import { startSidecar, type Sidecar } from '../sidecar.ts';
import type { EndingSignal } from '../signals.ts';
import type { CommandIo } from './io.ts';

/** How long readiness is off before the port closes: probes of balancers and of Kubernetes need time to see it. */
const MAX_ANNOUNCE_MS = 5000;

/** What may still be open after all is closed, such as a socket that somebody hangs on to, keeps the process no longer than this. */
const LEFTOVER_MS = 500;

export interface ServeOptions {
  readonly config: string;
  /** Called when what every start does is done. */
  readonly letYoungGenerationGrow?: () => void;
}

/** Serves until a signal ends it. Resolves to the exit code: 0 ended as asked, 1 configuration error, 70 internal error. */
export async function runServe({ config: file, letYoungGenerationGrow }: ServeOptions, io: CommandIo): Promise<number> {
  const loaded = loadConfig(file, io.env);
  // Reading many keys needs it.
  letYoungGenerationGrow?.();
  for (const problem of loaded.problems) io.stderr(formatProblem(problem));
  const { config } = loaded;
  if (config === null) return 1;
  const clock = { now: Date.now, monotonic: () => performance.now() };
  const log = createLog({ level: config.log.level, now: clock.now });
  const signals = followSignals(io, log);
  let sidecar: Sidecar;
  try {
    const { env, version } = io;
    const options = { file, loaded: { ...loaded, config }, env, version, log, clock, signal: signals.starting };
    sidecar = await startSidecar(options);
  } catch (error) {
    if (signals.starting.aborted) return ended(log);
    io.stderr(`postern cannot start: ${(error as Error).message}`);
    return 1;
  }
  log.info('started', {
    data: typeof sidecar.data === 'string' ? `unix:${sidecar.data}` : `${sidecar.data.address}:${sidecar.data.port}`,
    admin: `${sidecar.admin.address}:${sidecar.admin.port}`,
  });
  signals.reloadWith(sidecar.reload);
  const signal = await signals.end;
  await sidecar.drain(drainTimes(signal, config.listen.shutdownGraceSeconds * 1000));
  return ended(log);
}

/** How long the end is announced, and how long requests then have, of the grace in milliseconds. Somebody at a terminal waits for nobody's balancer. */
export function drainTimes(signal: EndingSignal, wholeMs: number): { announceMs: number; graceMs: number } {
  const announceMs = signal === 'SIGINT' ? 0 : Math.min(MAX_ANNOUNCE_MS, wholeMs / 2);
  return { announceMs, graceMs: wholeMs - announceMs };
}

interface FollowedSignals {
  /** Aborted by a signal that ends the process. */
  readonly starting: AbortSignal;
  readonly end: Promise<EndingSignal>;
  /** What a reload is, once there is something to reload; one that was asked for before is made now. */
  readonly reloadWith: (reload: () => unknown) => void;
}

function followSignals({ signals }: CommandIo, log: Log): FollowedSignals {
  const starting = new AbortController();
  let reload: (() => unknown) | null = null;
  let reloadAsked = false;
  const end = new Promise<EndingSignal>((resolve) => {
    signals.handOver({
      onEnd(signal) {
        log.info('stopping', { signal });
        starting.abort(new Error('a signal ended the start'));
        resolve(signal);
      },
      onEndAgain: (signal) =>
        log.info('still_stopping', { signal, detail: 'requests under way may end within listen.shutdownGraceSeconds' }),
      onReload() {
        if (reload === null) reloadAsked = true;
        else reload();
      },
      onUnused: (signal) => log.info('signal_unused', { signal, detail: 'there is nothing to do on this signal' }),
    });
  });
  return {
    starting: starting.signal,
    end,
    reloadWith(next) {
      reload = next;
      if (reloadAsked) reload();
    },
  };
}

/** A log that nobody reads is no failure of what was asked for. */
async function ended(log: Log): Promise<number> {
  log.info('stopped');
  await log.flush();
  setTimeout(() => process.exit(0), LEFTOVER_MS).unref();
  return 0;
}
