/**
 * Writes lines to a file descriptor without ever waiting for its reader: what comes while a write is under way goes out with the next.
 * A reader that stops costs lines, never memory; one that is gone costs nothing more; a full disk costs lines until there is room
 * again. Knows nothing of what the lines say.
 */
import { write, writeSync } from 'node:fs';

export interface LineWriterOptions {
  readonly fd: number;
  /** How much may wait for a slow reader, in bytes of ASCII; lines beyond that are dropped. */
  readonly maxWaiting: number;
  /** The line that tells, once there is room again, how many were dropped. */
  readonly droppedLine: (count: number) => string;
}

export interface LineWriter {
  readonly write: (line: string) => void;
  /** Calls back when all lines so far are written, or can no longer be. */
  readonly flush: (done: () => void) => void;
  /** Writes at once what is not yet under way: for the end of a process, when nothing asynchronous runs any more. */
  readonly flushSync: () => void;
}

const RETRY_MS = 20;

/** A write for each line would cost more than all else about it: lines wait this long for others, or until they are so many. */
const GATHER_MS = 10;
const GATHER_LENGTH = 65_536;

/** Lines are handed over whole, each with its end. */
export function createLineWriter({ fd, maxWaiting, droppedLine }: LineWriterOptions): LineWriter {
  let waiting = '';
  let linesWaiting = 0;
  let dropped = 0;
  /** The last line stands there in part: what comes next must not continue it. */
  let torn = false;
  let writing = false;
  let gone = false;
  let gathering: NodeJS.Timeout | null = null;
  let idle: (() => void)[] = [];

  function gather(): void {
    if (waiting.length >= GATHER_LENGTH) next();
    else gathering ??= setTimeout(next, GATHER_MS);
  }

  function next(): void {
    if (gathering !== null) clearTimeout(gathering);
    gathering = null;
    if (waiting === '') {
      const waiters = idle;
      idle = [];
      for (const done of waiters) done();
      return;
    }
    writing = true;
    const lost = dropped + linesWaiting;
    send(Buffer.from(take()), lost);
  }

  function take(): string {
    const lines = (torn ? '\n' : '') + waiting + (dropped === 0 ? '' : droppedLine(dropped));
    waiting = '';
    linesWaiting = 0;
    dropped = 0;
    return lines;
  }

  /** `lost`: how many lines count as dropped if this cannot be written. */
  function send(bytes: Buffer, lost: number): void {
    write(fd, bytes, (error, written) => {
      if (error !== null) {
        if (isBusy(error)) return void setTimeout(send, RETRY_MS, bytes, lost);
        gone = isGone(error);
        dropped += lost;
        if (gone) waiting = '';
      } else {
        torn = bytes[written - 1] !== LF;
        if (written < bytes.length) return send(bytes.subarray(written), lost);
      }
      writing = false;
      if (idle.length > 0 || waiting === '') next();
      else gather();
    });
  }

  return {
    write(line) {
      if (gone) return;
      const isFull = (): boolean => waiting.length + line.length > maxWaiting;
      if (isFull() && !writing) next();
      if (isFull()) {
        dropped++;
        return;
      }
      waiting += line;
      linesWaiting++;
      if (!writing) gather();
    },
    flush(done) {
      idle.push(done);
      if (!writing) next();
    },
    flushSync() {
      if (!gone && waiting !== '') writeAllSync(fd, Buffer.from(take()));
    },
  };
}

/** A reader that is gone or makes no room in a second is given up: nothing may keep a process from ending. */
function writeAllSync(fd: number, bytes: Buffer): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  let rest = bytes;
  for (let tries = 0; rest.length > 0 && tries < 50;) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
      tries = 0;
    } catch (error) {
      if (!isBusy(error as NodeJS.ErrnoException)) return;
      tries++;
      Atomics.wait(pause, 0, 0, RETRY_MS);
    }
  }
}

const LF = 0x0a;

/** Nobody will ever read again; any other failure, such as a full disk, may pass. */
const isGone = ({ code }: NodeJS.ErrnoException): boolean =>
  code === 'EPIPE' || code === 'EBADF' || code === 'ECONNRESET' || code === 'EINVAL';

const isBusy = ({ code }: NodeJS.ErrnoException): boolean => code === 'EAGAIN' || code === 'EBUSY';
