/**
 * How to write to a descriptor so that a reader that stops keeps neither requests nor the end of the process waiting. Only pipes,
 * sockets and terminals have such readers. Writes nothing.
 */
import { constants, fstatSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

export interface LogDescriptor {
  readonly fd: number;
  /** Whether a write never waits, whatever others do with the same pipe. */
  readonly neverWaits: boolean;
}

const OWN = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * A thread that waits in a write ends only with its reader, and the process not before its threads. Whether a write waits is
 * kept with what was opened, which several processes can share and each of them change: so a pipe is opened anew where that is
 * allowed. Elsewhere Node sets it, by making its own stream of standard output.
 */
export function logDescriptor(fd: 1): LogDescriptor {
  const stats = fstatSync(fd);
  if (!stats.isFIFO() && !stats.isSocket() && !isatty(fd)) return { fd, neverWaits: false };
  try {
    return { fd: openSync(`/proc/self/fd/${fd}`, OWN), neverWaits: true };
  } catch {
    void process.stdout;
    return { fd, neverWaits: false };
  }
}
