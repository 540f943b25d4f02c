/**
 * What a command may use of the process: lines out, the environment, its signals, its own version. Commands write nowhere else.
 */
import type { ProcessSignals } from '../signals.ts';

export interface CommandIo {
  /** Writes one line to standard output. */
  readonly stdout: (line: string) => void;
  /** Writes one line to standard error. */
  readonly stderr: (line: string) => void;
  /** Reads a secret from standard input: to its end, or at a terminal a line that is asked for. */
  readonly secret: () => Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of package.json. */
  readonly version: string;
  readonly signals: ProcessSignals;
}
