/** Postern as a process of its own, for what only a process shows: signals, exit codes, standard output. */
import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';

interface Disposer {
  readonly teardown: (dispose: () => unknown) => void;
}

export interface PosternProcess {
  readonly child: ChildProcess;
  readonly configFile: string;
  readonly keysFile: string;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with the first log line, past or to come, that `matches`. */
  readonly line: (matches: (line: Record<string, unknown>) => boolean) => Promise<Record<string, unknown>>;
  /** Resolves with the exit code, and null for a signal. */
  readonly exit: Promise<number | null>;
}

export interface ProcessFiles {
  readonly config: Record<string, unknown> | string;
  readonly keys: readonly Record<string, unknown>[] | string;
  /** Options of Node's own, before the program; with any, it also has a channel for messages. */
  readonly node?: readonly string[];
  /** The compiled `main.js`, if not that of the build. */
  readonly entry?: string | undefined;
}

/** Starts `postern serve` with these files; the process ends with the test. */
export function spawnPostern(t: Disposer, { config, keys, node = [], entry }: ProcessFiles): PosternProcess {
  const folder = mkdtempSync(join(tmpdir(), 'postern-'));
  const configFile = join(folder, 'postern.yaml');
  const keysFile = join(folder, 'keys.yaml');
  const base = { listen: { host: '127.0.0.1', port: 0 }, admin: { port: 0 } };
  writeFileSync(configFile, typeof config === 'string' ? config : stringify({ ...base, ...config }));
  writeFileSync(keysFile, typeof keys === 'string' ? keys : stringify({ keys }));
  const args = [...node, entry ?? '.build/src/main.js', 'serve', '--config', configFile];
  const stdio: StdioOptions = ['pipe', 'pipe', 'pipe', ...(node.length > 0 ? (['ipc'] as const) : [])];
  const child = spawn(process.execPath, args, { stdio }) as ChildProcessWithoutNullStreams;
  t.teardown(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exit = once(child, 'close').then(([code]) => code as number | null);
  const line: PosternProcess['line'] = async (matches) => {
    for (;;) {
      const lines = stdout.split('\n').slice(0, -1);
      const found = lines.map((text) => JSON.parse(text) as Record<string, unknown>).find(matches);
      if (found !== undefined) return found;
      const ended = await Promise.race([once(child.stdout, 'data').then(() => false), exit.then(() => true)]);
      if (ended) throw new Error(`the process ended before that line was written:\n${stdout}${stderr}`);
    }
  };
  return { child, configFile, keysFile, stdout: () => stdout, stderr: () => stderr, line, exit };
}

/** The ports of a process, as its log tells them. */
export async function portsOf({ line }: PosternProcess): Promise<{ readonly data: number; readonly admin: number }> {
  const started = await line(({ msg }) => msg === 'started');
  const port = (address: unknown): number => Number(String(address).split(':').at(-1));
  return { data: port(started['data']), admin: port(started['admin']) };
}

/** Resolves when the process listens to SIGHUP, which Node does not by itself: the first thing that Postern does. */
export async function hearsSignals({ pid }: ChildProcess): Promise<void> {
  for (;;) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const caught = BigInt(`0x${/SigCgt:\s*([0-9a-f]+)/.exec(status)?.[1] ?? '0'}`);
    if ((caught & 1n) !== 0n) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
