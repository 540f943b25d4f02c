/**
 * Starts the processes of a run, each bound to one core, and reads from /proc what they cost: CPU time and memory, summed
 * over threads and children. Ends what it started, also when the run breaks off.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import { get } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** What is measured has a core of its own; what loads it and what answers behind it share the other. */
export const PROXY_CORE = 0;
export const LOAD_CORE = 1;

export interface Launch {
  readonly core: number;
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Takes standard output and standard error. */
  readonly logFile: string;
  readonly stopSignal?: NodeJS.Signals;
  /** Whether the program, which is Node, is sent messages. */
  readonly messages?: boolean;
}

export interface Server {
  readonly pid: number;
  readonly child: ChildProcess;
  /** User and system time since its start, in microseconds. */
  readonly cpuMicros: () => number;
  readonly residentBytes: () => number;
  /** The most that was resident since its start, of the process alone. */
  readonly peakBytes: () => number;
  /** Empties the log, which lies in memory. */
  readonly dropLog: () => void;
  readonly stop: () => Promise<void>;
}

const running = new Map<ChildProcess, NodeJS.Signals>();
process.on('exit', () => {
  // Killed outright, nginx would leave its worker behind.
  for (const [child, signal] of running) child.kill(signal);
});

/** Starts a program on a core. Whether it is ready is for the caller to find out. */
export function launch({ core, command, env, logFile, stopSignal = 'SIGTERM', messages = false }: Launch): Server {
  // Appending, so that what is written after the file was emptied starts at its beginning again.
  const log = openSync(logFile, 'a');
  const child = spawn('taskset', ['-c', String(core), ...command], {
    stdio: ['ignore', log, log, ...(messages ? (['ipc'] as const) : [])],
    env: { ...process.env, ...env },
  });
  closeSync(log);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command[0]} did not start`);
  running.set(child, stopSignal);
  child.once('exit', () => running.delete(child));
  return {
    pid,
    child,
    cpuMicros: () => sum(familyOf(pid), cpuMicrosOf),
    residentBytes: () => sum(familyOf(pid), (one) => memoryOf(one, 'VmRSS')),
    peakBytes: () => memoryOf(pid, 'VmHWM'),
    dropLog: () => truncateSync(logFile),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(stopSignal);
      const forced = setTimeout(() => child.kill('SIGKILL'), 5000);
      await once(child, 'exit');
      clearTimeout(forced);
    },
  };
}

/** A loopback port that is free now. For programs that cannot be told to take any. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves once the port accepts connections. */
export function untilListening(port: number, server: Server): Promise<void> {
  return until(server, `nothing listens on port ${port}`, async () => {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  });
}

/** Resolves once the address answers with 200. */
export function untilReady(url: string, server: Server, patienceSeconds = 30): Promise<void> {
  const answers = () =>
    new Promise<boolean>((resolve) => {
      get(url, { agent: false }, (res) => {
        res.resume();
        resolve(res.statusCode === 200);
      }).once('error', () => resolve(false));
    });
  return until(server, `${url} does not answer 200`, answers, patienceSeconds);
}

async function until(
  { child }: Server,
  why: string,
  holds: () => Promise<boolean>,
  patienceSeconds = 30,
): Promise<void> {
  const end = performance.now() + patienceSeconds * 1000;
  while (!(await holds())) {
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(' ')} ended with ${child.exitCode}`);
    if (performance.now() > end) throw new Error(`${why} after ${patienceSeconds} s`);
    await pause(5);
  }
}

/** A process and its children: the workers of nginx and HAProxy. */
function familyOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return [pid, ...(children === '' ? [] : children.split(' ').flatMap((child) => familyOf(Number(child))))];
}

/** The scheduler counts nanoseconds; utime and stime are the same time in ticks of 10 ms. */
function cpuMicrosOf(pid: number): number {
  return sum(readdirSync(`/proc/${pid}/task`), (thread) => {
    const [nanos] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
    return Number(nanos) / 1000;
  });
}

function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  return Number(kilobytes) * 1024;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
