/**
 * Starts a build of Postern as it is meant to run: `serve` with a configuration and keys in files, everything at its
 * default, its log going where a container runtime would take it from.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, launch, PROXY_CORE, untilReady, type Server } from './processes.ts';

export interface Build {
  /** `Postern`, or the revision. */
  readonly name: string;
  /** The folder with main.js. */
  readonly folder: string;
}

export type KeyDefinition = Readonly<Record<string, unknown>>;

export interface PosternOptions {
  readonly build: Build;
  /** A folder for this instance; made here. */
  readonly folder: string;
  readonly backendPort: number;
  readonly keys: readonly KeyDefinition[];
  /** Further sections of the configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly patienceSeconds?: number;
  readonly nodeOptions?: readonly string[];
  readonly core?: number;
}

export interface Postern {
  readonly server: Server;
  readonly port: number;
  readonly keysFile: string;
  /** From the start of the process to readiness, in milliseconds. */
  readonly readyAfter: number;
}

export async function startPostern(options: PosternOptions): Promise<Postern> {
  const {
    build,
    folder,
    backendPort,
    keys,
    config = {},
    patienceSeconds = 60,
    nodeOptions = [],
    core = PROXY_CORE,
  } = options;
  const [port, adminPort] = [await freePort(), await freePort()];
  const upstream = `http://127.0.0.1:${backendPort}`;
  mkdirSync(folder);
  const configFile = join(folder, 'postern.json');
  const keysFile = join(folder, 'keys.json');
  const written = {
    listen: { host: '127.0.0.1', port },
    admin: { port: adminPort },
    apis: { integration: { upstream }, metrics: { upstream, token: { ttlSeconds: 3600 } } },
    keys: { file: keysFile },
    ...config,
  };
  // JSON is YAML too.
  writeFileSync(configFile, JSON.stringify(written));
  writeFileSync(keysFile, keyFile(keys));
  const startedAt = performance.now();
  const server = launch({
    core,
    command: [process.execPath, ...nodeOptions, join(build.folder, 'main.js'), 'serve', '--config', configFile],
    logFile: join(folder, 'log'),
    // Not the signal that a balancer is given time to see.
    stopSignal: 'SIGINT',
  });
  await untilReady(`http://127.0.0.1:${adminPort}/readyz`, server, patienceSeconds);
  return { server, port, keysFile, readyAfter: performance.now() - startedAt };
}

/** A key file: one key a line. */
export function keyFile(keys: readonly KeyDefinition[]): string {
  return `keys:\n${keys.map((key) => `  - ${JSON.stringify(key)}\n`).join('')}`;
}
