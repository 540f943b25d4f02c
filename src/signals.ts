/**
 * What a signal does to the process, from its first moment on: imported before all else, and importing nothing that takes time,
 * so that no signal meets what the system or Node does by itself (death, a debugger). What it does to the service is commands/serve's.
 */
import { realpathSync } from 'node:fs';
import inspector from 'node:inspector';
import { fileURLToPath } from 'node:url';

/** Signals that end the sidecar. */
export type EndingSignal = 'SIGTERM' | 'SIGINT' | 'SIGQUIT';

export interface SignalHandlers {
  /** The first signal that asks for the end. */
  readonly onEnd: (signal: EndingSignal) => void;
  /** One more of these, once the end has begun. */
  readonly onEndAgain: (signal: EndingSignal) => void;
  /** Asked for since the start of the process, or now. */
  readonly onReload: () => void;
  /** A signal that other servers know and this one has no use for. */
  readonly onUnused: (signal: NodeJS.Signals) => void;
}

export interface ProcessSignals {
  /** Whoever calls this decides what signals do from now on. Until then one that ends, ends the process at once. */
  readonly handOver: (handlers: SignalHandlers) => void;
}

/** SIGQUIT ends other servers gently too; that it would leave a core file with all secrets in it helps nobody. */
const ENDING: readonly EndingSignal[] = ['SIGTERM', 'SIGINT', 'SIGQUIT'];

/**
 * "Reopen the logs" and "upgrade" elsewhere. On the first, Node would open its debugger on a port that everything in a pod can
 * reach; the second would end the process, as would a log file at the limit of its size (SIGXFSZ).
 */
const UNUSED = ['SIGUSR1', 'SIGUSR2', 'SIGXFSZ'] as const satisfies readonly NodeJS.Signals[];

type Listen = (signal: NodeJS.Signals, listener: () => void) => void;

/** Takes the signals of a process that serves. `exit` ends it. */
export function takeSignals(on: Listen, exit: (code: number) => void): ProcessSignals {
  let handlers: SignalHandlers | null = null;
  let reloadAsked = false;
  let ending = false;

  const end = (signal: EndingSignal): void => {
    // Nothing is open yet that somebody could miss.
    if (handlers === null) return exit(0);
    if (ending) return handlers.onEndAgain(signal);
    ending = true;
    handlers.onEnd(signal);
  };
  for (const signal of ENDING) on(signal, () => end(signal));
  on('SIGHUP', () => {
    reloadAsked = true;
    handlers?.onReload();
  });
  for (const signal of UNUSED) on(signal, () => handlers?.onUnused(signal));
  return {
    handOver(to) {
      handlers = to;
      if (reloadAsked) to.onReload();
    },
  };
}

/** For processes that do not serve, whose end nobody has to be told of. */
export const NO_SIGNALS: ProcessSignals = { handOver: () => undefined };

/** The command line serves unless its first word is another command, or an option that only prints. */
const serves = ([first]: readonly string[]): boolean =>
  first === undefined || first === 'serve' || (first.startsWith('-') && !['-h', '--help', '--version'].includes(first));

/** The debugger was asked for by a signal, not by whoever started the process. */
function closeUnaskedDebugger(): void {
  const asked = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(' ')];
  if (inspector.url() !== undefined && !asked.some((option) => option.startsWith('--inspect'))) inspector.close();
}

/** Takes the signals of this process, for the command that `args` name. */
function takeProcessSignals(args: readonly string[]): ProcessSignals {
  const on: Listen = (signal, listener) => void process.on(signal, listener);
  // Whatever the command: a listener alone keeps the debugger away.
  on('SIGUSR1', () => undefined);
  closeUnaskedDebugger();
  setImmediate(closeUnaskedDebugger);
  return serves(args) ? takeSignals(on, (code) => process.exit(code)) : NO_SIGNALS;
}

/** Whether this process is the command line, rather than one that imports it. */
export const IS_COMMAND_LINE =
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(new URL('./main.js', import.meta.url));

export const processSignals = IS_COMMAND_LINE ? takeProcessSignals(process.argv.slice(2)) : NO_SIGNALS;
