/**
 * How to write to standard output so that neither a request nor the end of the process waits for a reader that has stopped. Only
 * pipes, sockets and terminals have such readers. Writes nothing.
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
 * A thread that waits in a write ends only when its reader does, and the process ends only after its threads. Whether writes wait
 * is a flag of the open pipe, which several processes may share and each may change: so the pipe is opened anew where that is
 * allowed. Elsewhere Node sets the flag, when it makes its own stream of standard output.
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
