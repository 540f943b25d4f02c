/**
 * S11: time to ready, beside that of a bare node:http server, and with 30,000 keys in a file beside ten. S12: memory when idle, beside the same
 * server, and at its highest while 30,000 and 100,000 keys are read.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { numberedKey } from '../loads.ts';
import { startPostern, type Postern } from '../postern.ts';
import { freePort, launch, PROXY_CORE, untilListening, type Server } from '../processes.ts';
import type { Bench, Row, Scenario } from '../scenario.ts';
import { medianOf, ratios } from '../statistics.ts';

const FEW = 10;
const MANY = 30_000;
const VERY_MANY = 100_000;
/** A start is the same each time but for what else the machine does. */
const MOST_STARTS = 7;
/** What a start leaves behind is collected by then, in milliseconds. */
const SETTLED_MS = 2000;
const MEGABYTE = 1e6;

export const timeToReady: Scenario = async (bench) => {
  const rounds = await inRounds(bench, async () => ({
    bare: await once(await startBare(bench), ({ readyAfter }) => readyAfter),
    few: await once(await startKeys(bench, FEW), ({ readyAfter }) => readyAfter),
    many: await once(await startKeys(bench, MANY), ({ readyAfter }) => readyAfter),
  }));
  const [bare, few, many] = [rounds.map((r) => r.bare), rounds.map((r) => r.few), rounds.map((r) => r.many)];
  const millis = (values: readonly number[]): string => `${medianOf(values).toFixed(0)} ms`;
  const started = { between: 'Postern : bare node:http', values: ratios(few, bare), must: 4.5, aim: 3 };
  const filled = { between: `${count(MANY)} keys : ${FEW} keys`, values: ratios(many, few), must: 4, aim: 2 };
  return [
    row('S11', 'time to ready, bare node:http', millis(bare)),
    { ...row('S11', `time to ready, ${FEW} keys`, millis(few)), comparisons: [started] },
    { ...row('S11', `time to ready, ${count(MANY)} keys in a file`, millis(many)), comparisons: [filled] },
  ];
};

export const idleMemory: Scenario = async (bench) => {
  const resident = async ({ server }: Started): Promise<number> => {
    await pause(SETTLED_MS);
    return server.residentBytes();
  };
  const rounds = await inRounds(bench, async () => ({
    bare: await once(await startBare(bench), resident),
    idle: await once(await startKeys(bench, FEW), resident),
  }));
  const [bare, idle] = [rounds.map((r) => r.bare), rounds.map((r) => r.idle)];
  const beside = { between: 'Postern : bare node:http', values: ratios(idle, bare), must: 1.75, aim: 1.4 };
  return [
    row('S12', 'resident when idle, bare node:http', megabytes(medianOf(bare))),
    { ...row('S12', 'resident when idle, Postern', megabytes(medianOf(idle))), comparisons: [beside] },
    await peakRow(bench, MANY, { must: 350, aim: 220 }),
    await peakRow(bench, VERY_MANY, { must: 900, aim: 500 }),
  ];
};

async function peakRow(bench: Bench, keys: number, limits: { must: number; aim: number }): Promise<Row> {
  const peak = await once(await startKeys(bench, keys), ({ server }) => server.peakBytes());
  const comparisons = [{ between: 'peak', values: [peak / MEGABYTE], unit: 'MB', ...limits }];
  return { ...row('S12', `resident at its highest, ${count(keys)} keys in a file`, megabytes(peak)), comparisons };
}

type Started = Pick<Postern, 'server' | 'readyAfter'>;

async function startBare({ newFolder }: Bench): Promise<Started> {
  const port = await freePort();
  const program = new URL('../peers/bare-node.js', import.meta.url).pathname;
  const startedAt = performance.now();
  const command = [process.execPath, program, String(port)] as const;
  const server = launch({ core: PROXY_CORE, command, logFile: join(newFolder(), 'log') });
  await untilListening(port, server);
  return { server, readyAfter: performance.now() - startedAt };
}

const startKeys = ({ builds: [build], newFolder, backendPort }: Bench, keys: number): Promise<Started> =>
  startPostern({
    build,
    folder: join(newFolder(), 'postern'),
    backendPort,
    keys: Array.from({ length: keys }, (_, index) => numberedKey(index)),
    // What is asked for is loaded: this is the least that a sidecar can be.
    config: { apis: { integration: { upstream: `http://127.0.0.1:${backendPort}` } } },
    patienceSeconds: 300,
  });

async function once<T>(started: Started, measure: (started: Started) => T | Promise<T>): Promise<T> {
  const { server }: { server: Server } = started;
  try {
    return await measure(started);
  } finally {
    await server.stop();
  }
}

async function inRounds<T>({ pace, progress }: Bench, run: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let round = 1; round <= Math.min(pace.rounds, MOST_STARTS); round++) {
    progress(`starts, round ${round}`);
    results.push(await run());
  }
  return results;
}

const row = (scenario: string, what: string, figure: string): Row => ({ scenario, what, figure, comparisons: [] });

const count = (keys: number): string => keys.toLocaleString('en');

const megabytes = (bytes: number): string => `${(bytes / MEGABYTE).toFixed(0)} MB`;
