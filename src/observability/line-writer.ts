/**
 * Writes lines to a file descriptor without ever waiting for its reader: what comes while a write is under way goes out with the next.
 * A reader that stops costs lines, never memory; one that is gone costs nothing more; a full disk costs lines until there is room
 * again. Knows nothing of what the lines say.
 */
import { write, writeSync } from 'node:fs';

export interface LineWriterOptions {
  readonly fd: number;
  /** Whether a write to the descriptor never waits, whatever others do. It is then made at once, without a thread. */
  readonly neverWaits?: boolean;
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
  /** Lets go of what could not be written, for good: nothing of it keeps the process from ending. */
  readonly giveUp: () => void;
  /** How many lines were not written, and never will be. */
  readonly dropped: () => number;
}

/** What one write is made of. */
interface Batch {
  readonly bytes: Buffer;
  readonly lines: number;
  /** How many dropped lines it tells of. */
  readonly tells: number;
}

/** How soon a full pipe is tried again: at once where its reader is busy reading, later and later where nobody seems to read. */
const FIRST_RETRY_MS = 1;
const RETRY_MS = 20;

/** A write for each line would cost more than all else about it: lines are gathered for this long, or until they are so many. */
const GATHER_MS = 10;
const GATHER_LENGTH = 65_536;

/** Lines are handed over whole, each with its end, and in ASCII. */
export function createLineWriter({ fd, maxWaiting, droppedLine, neverWaits = false }: LineWriterOptions): LineWriter {
  let waiting = '';
  let linesWaiting = 0;
  let untold = 0;
  let dropped = 0;
  /** Only a part of the last line was written: what comes next must not continue it. */
  let torn = false;
  let writing = false;
  /** A batch that found no room, until it is tried again. */
  let held: Batch | null = null;
  let retryMs = FIRST_RETRY_MS;
  let gone = false;
  let gathering: NodeJS.Timeout | null = null;
  let retrying: NodeJS.Timeout | null = null;
  let idle: (() => void)[] = [];
  const put = neverWaits ? putAtOnce : putInThread;

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
    send(take());
  }

  function take(): Batch {
    const lines = (torn ? '\n' : '') + waiting + (untold === 0 ? '' : droppedLine(untold));
    const batch = { bytes: Buffer.from(lines, 'latin1'), lines: linesWaiting, tells: untold };
    waiting = '';
    linesWaiting = 0;
    untold = 0;
    return batch;
  }

  function drop(lines: number): void {
    untold += lines;
    dropped += lines;
  }

  function send(batch: Batch): void {
    held = null;
    put(fd, batch.bytes, (error, written) => {
      if (error !== null) {
        if (isBusy(error) && !gone) return hold(batch);
        untold += batch.tells;
        drop(batch.lines);
        if (isGone(error)) leave();
      } else {
        retryMs = FIRST_RETRY_MS;
        torn = batch.bytes[written - 1] !== LF;
        if (written < batch.bytes.length) return send({ ...batch, bytes: batch.bytes.subarray(written) });
      }
      writing = false;
      if (idle.length > 0 || waiting === '') next();
      else gather();
    });
  }

  function hold(batch: Batch): void {
    held = batch;
    retrying = setTimeout(send, retryMs, batch);
    retryMs = Math.min(RETRY_MS, 2 * retryMs);
  }

  function stopTimers(): void {
    for (const timer of [gathering, retrying]) if (timer !== null) clearTimeout(timer);
    gathering = null;
    held = null;
  }

  function leave(): void {
    gone = true;
    drop(linesWaiting);
    waiting = '';
    linesWaiting = 0;
  }

  return {
    write(line) {
      if (gone) return drop(1);
      const isFull = (): boolean => waiting.length + line.length > maxWaiting;
      if (isFull() && !writing) next();
      if (isFull()) return drop(1);
      waiting += line;
      linesWaiting++;
      if (!writing) gather();
    },
    flush(done) {
      idle.push(done);
      if (!writing) next();
    },
    flushSync() {
      const first = held?.bytes ?? Buffer.alloc(0);
      if (held !== null) torn = writing = false;
      stopTimers();
      const last = waiting === '' ? Buffer.alloc(0) : take().bytes;
      writeAllSync(fd, Buffer.concat([first, last]));
    },
    giveUp() {
      drop(held?.lines ?? 0);
      stopTimers();
      leave();
      next();
    },
    dropped: () => dropped,
  };
}

type Written = (error: NodeJS.ErrnoException | null, written: number) => void;

const putInThread = (fd: number, bytes: Buffer, done: Written): void => write(fd, bytes, done);

function putAtOnce(fd: number, bytes: Buffer, done: Written): void {
  let written: number;
  try {
    written = writeSync(fd, bytes);
  } catch (error) {
    return done(error as NodeJS.ErrnoException, 0);
  }
  done(null, written);
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
