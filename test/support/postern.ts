/**
 * A whole sidecar for flow tests, in this process, on free loopback ports, with its configuration in files of its own. `npm test` has
 * it taken from the bundle, as it is shipped: what tests ask of the sources alone, a bundler could leave out.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { createLog } from '../../src/observability/log.ts';
import type { Sidecar, SidecarOptions } from '../../src/sidecar.ts';
import { eventually } from './eventually.ts';

const { startSidecar } = (await import(process.env['POSTERN_SIDECAR'] ?? '../../src/sidecar.ts')) as {
  readonly startSidecar: (options: SidecarOptions) => Promise<Sidecar>;
};

export interface PosternOptions {
  /** Merged over a configuration with free ports on loopback. */
  readonly config: Record<string, unknown>;
  readonly keys: readonly Record<string, unknown>[];
  /** `policies` and `addressLists` of the key file. */
  readonly records?: Record<string, unknown>;
  /** Further files in the folder of the key file, by name. */
  readonly files?: Readonly<Record<string, string>>;
  readonly now?: () => number;
}

export interface Postern {
  readonly sidecar: Sidecar;
  /** 0 when it listens on a Unix socket. */
  readonly port: number;
  readonly url: string;
  readonly adminUrl: string;
  readonly configFile: string;
  readonly keysFile: string;
  /** Log lines so far, parsed. */
  readonly lines: Record<string, unknown>[];
  /** The raw text of the log so far. */
  readonly logText: () => string;
  /** The value of one series of the scrape, e.g. `postern_requests_total{api="integration",...}`; 0 if it is not there. */
  readonly metric: (series: string) => Promise<number>;
  /** Resolves when it is ready: a start waits only so long for keys and lists from elsewhere. Not for an admin port with TLS. */
  readonly ready: () => Promise<void>;
  readonly writeKeys: (keys: readonly Record<string, unknown>[], records?: Record<string, unknown>) => void;
  readonly writeConfig: (config: Record<string, unknown>) => void;
}

interface Disposer {
  readonly teardown: (dispose: () => unknown) => void;
}

/** Starts Postern; it ends with the test. */
export async function startPostern(
  t: Disposer,
  { config, keys, records = {}, files = {}, now = Date.now }: PosternOptions,
): Promise<Postern> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-'));
  const configFile = join(folder, 'postern.yaml');
  const keysFile = join(folder, 'keys.yaml');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const writeKeys = (list: readonly Record<string, unknown>[], beside = records): void =>
    writeFileSync(keysFile, stringify({ keys: list, ...beside }));
  const writeConfig = (written: Record<string, unknown>): void => {
    const { listen, admin, ...others } = written;
    const defaults = {
      listen: { ...(isOnSocket(listen) ? {} : { host: '127.0.0.1', port: 0 }), ...(listen as object) },
      admin: { host: '127.0.0.1', port: 0, ...(admin as object) },
    };
    writeFileSync(configFile, stringify({ ...defaults, ...others }));
  };
  writeKeys(keys);
  writeConfig(config);
  const loaded = loadConfig(configFile, process.env);
  if (loaded.config === null) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  const written: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string): void => {
      written.push(line);
      lines.push(JSON.parse(line) as Record<string, unknown>);
    },
  };
  const sidecar = await startSidecar({
    file: configFile,
    loaded: { ...loaded, config: loaded.config },
    env: process.env,
    version: '0.0.0-test',
    log: createLog({ level: loaded.config.log.level, now, destination }),
    clock: { now, monotonic: () => performance.now() },
  });
  t.teardown(async () => {
    await sidecar.drain({ announceMs: 0, graceMs: 0 });
    rmSync(folder, { recursive: true, force: true });
  });
  const port = typeof sidecar.data === 'string' ? 0 : sidecar.data.port;
  const adminUrl = `http://127.0.0.1:${sidecar.admin.port}`;
  return {
    sidecar,
    configFile,
    keysFile,
    lines,
    writeKeys,
    writeConfig,
    adminUrl,
    port,
    url: `http://127.0.0.1:${port}`,
    logText: () => written.join(''),
    ready: async () => void (await eventually(async () => (await fetch(`${adminUrl}/readyz`)).ok, 'readiness')),
    metric: async (series) => {
      const text = await (await fetch(`${adminUrl}/metrics`)).text();
      const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
      return line === undefined ? 0 : Number(line.slice(series.length + 1));
    },
  };
}

const isOnSocket = (listen: unknown): boolean => typeof listen === 'object' && listen !== null && 'path' in listen;
