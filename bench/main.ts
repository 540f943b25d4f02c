/**
 * `npm run bench`: runs the scenarios one after the other and prints one table. bench/README.md says how it measures.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { requireTool } from '../test/support/tools.ts';
import { buildAtHand, buildRevision } from './builds.ts';
import {
  elsewhereKey,
  largeBatch,
  limitedKey,
  metricsKey,
  nothingCut,
  refusedPost,
  twoCut,
  unrestricted,
  unrestrictedKey,
} from './loads.ts';
import type { Pace } from './measure.ts';
import { startBackend } from './peers.ts';
import { LOAD_CORE } from './processes.ts';
import { profile, type Profiled } from './profile.ts';
import type { Bench, Row, Scenario } from './scenario.ts';
import { cachedQuery, refusal, withToken } from './scenarios/answers.ts';
import { forwarding } from './scenarios/forwarding.ts';
import { growth } from './scenarios/growth.ts';
import { manyKeysInFile, manyKeysInRedis } from './scenarios/key-source.ts';
import { largeBatches } from './scenarios/large-batch.ts';
import { latency } from './scenarios/latency.ts';
import { steadyMemory, uploads } from './scenarios/memory.ts';
import { sharedPort } from './scenarios/shared-port.ts';
import { idleMemory, timeToReady } from './scenarios/start.ts';
import { regressions, tableOf } from './table.ts';

interface Listed {
  readonly names: readonly string[];
  readonly run: Scenario;
  /** Whether it can tell two revisions apart. */
  readonly comparesBuilds: boolean;
}

const SCENARIOS: readonly Listed[] = [
  { names: ['S1', 'S2', 'S3'], run: forwarding, comparesBuilds: true },
  { names: ['S4'], run: cachedQuery, comparesBuilds: true },
  { names: ['S5'], run: refusal, comparesBuilds: true },
  { names: ['S6'], run: largeBatches, comparesBuilds: true },
  { names: ['S7'], run: growth, comparesBuilds: false },
  { names: ['S8'], run: steadyMemory, comparesBuilds: true },
  { names: ['S8'], run: uploads, comparesBuilds: true },
  { names: ['S9'], run: manyKeysInFile, comparesBuilds: false },
  { names: ['S9'], run: manyKeysInRedis, comparesBuilds: false },
  { names: ['S10'], run: latency, comparesBuilds: false },
  { names: ['S11'], run: timeToReady, comparesBuilds: false },
  { names: ['S12'], run: idleMemory, comparesBuilds: false },
  { names: ['S13'], run: sharedPort, comparesBuilds: false },
];

const PROFILED: Readonly<Record<string, Profiled>> = {
  S1: { load: nothingCut, status: 204, keys: [limitedKey] },
  S2: { load: twoCut, status: 204, keys: [limitedKey] },
  S3: { load: unrestricted, status: 204, keys: [unrestrictedKey] },
  S4: { load: withToken, status: 200, keys: [metricsKey] },
  S5: { load: refusedPost, status: 403, keys: [elsewhereKey] },
  S6: { load: largeBatch, status: 204, keys: [limitedKey] },
};

const FULL: Pace = { rounds: 15, seconds: 2, warmupCpuSeconds: 15 };
const QUICK: Pace = { rounds: 5, seconds: 1, warmupCpuSeconds: 6 };

const USAGE = `npm run bench -- [--only S1,S5] [--start] [--memory] [--rounds N] [--quick] [--against REVISION] [--save]

  --only S1,S5        these scenarios alone; S1, S2 and S3 run together
  --start             time to ready alone (S11)
  --memory            memory alone (S8 and S12)
  --rounds N          how many rounds (${FULL.rounds}, with --quick ${QUICK.rounds})
  --quick             short rounds: a first look, not a result
  --against REVISION  Postern as it is here against Postern of that revision, without the peers;
                      exit code 1 when this one costs more
  --profile S1        instead of all that: where the CPU time of a request of S1 to S6 goes
  --save              put the table into bench/README.md`;

const README = 'bench/README.md';
const SAVED = /(?<=<!-- last run -->\n).*(?=<!-- end of last run -->)/s;

const options = readOptions();
const folder = mkdtempSync(join(memoryFolder(), 'postern-bench-'));
const leftOut = new Set<string>();
let folders = 0;
const cleanups: (() => void)[] = [() => rmSync(folder, { recursive: true, force: true })];
process.once('exit', () => {
  for (const cleanUp of cleanups) cleanUp();
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
process.exitCode = await main();

async function main(): Promise<number> {
  const { against, only, pace, save } = options;
  if (cpus().length < 2) throw new Error('two cores are needed: one for the proxies, one for the load and the backend');
  for (const tool of [requireTool('taskset', 'util-linux'), requireTool('wrk', 'wrk')])
    accessSync(tool, constants.X_OK);
  execFileSync('taskset', ['-cp', String(LOAD_CORE), String(process.pid)], { stdio: 'ignore' });
  const root = process.cwd();
  const other = against === undefined ? null : buildRevision(root, against);
  if (other !== null) cleanups.push(other.remove);
  const backend = await startBackend(newFolder());
  const bench: Bench = {
    builds: other === null ? [buildAtHand(root)] : [buildAtHand(root), other],
    peers: other === null,
    backendPort: backend.port,
    pace,
    newFolder,
    progress,
    leaveOut: (why) => void leftOut.add(why),
  };
  if (options.profile !== undefined) {
    process.stdout.write(await profileOf(options.profile, bench));
    await backend.stop();
    return 0;
  }
  const wanted = SCENARIOS.filter(({ names, comparesBuilds }) => {
    return (only === null || names.some((name) => only.has(name))) && (comparesBuilds || other === null);
  });
  const rows: Row[] = [];
  for (const { names, run } of wanted) rows.push(...(await attempt(names.join(', '), run, bench)));
  await backend.stop();
  const text = report(rows);
  process.stdout.write(text);
  if (save)
    writeFileSync(
      README,
      readFileSync(README, 'utf8').replace(SAVED, () => `\n${text}\n`),
    );
  const worse = other === null ? [] : regressions(rows);
  for (const line of worse) process.stdout.write(`Costs more than before: ${line}\n`);
  return worse.length === 0 ? 0 : 1;
}

async function profileOf(scenario: string, bench: Bench): Promise<string> {
  const profiled = PROFILED[scenario];
  if (profiled === undefined)
    throw new Error(`no profile of ${scenario}; there is ${Object.keys(PROFILED).join(', ')}`);
  return profile(bench, profiled, tmpdir());
}

/** A scenario that fails is named, and the others are still run. */
async function attempt(name: string, run: Scenario, bench: Bench): Promise<Row[]> {
  progress(name);
  try {
    return await run(bench);
  } catch (error) {
    leftOut.add(`${name}: ${(error as Error).message}`);
    return [];
  }
}

function report(rows: readonly Row[]): string {
  const { rounds, seconds } = options.pace;
  const machine = `Node ${process.versions.node}, ${cpus().length} cores, load average ${loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')}`;
  const notes = [...leftOut].map((why) => `- Left out: ${why}\n`).join('');
  return `${machine}; ${rounds} rounds of ${seconds} s.\n\n${tableOf(rows)}${notes === '' ? '' : `\n${notes}`}`;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      start: { type: 'boolean', default: false },
      memory: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      against: { type: 'string' },
      profile: { type: 'string' },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const pace = values.quick ? QUICK : FULL;
  const rounds = values.rounds === undefined ? pace.rounds : Number(values.rounds);
  const named = [
    values.only?.toUpperCase().split(',') ?? [],
    values.start ? ['S11'] : [],
    values.memory ? ['S8', 'S12'] : [],
  ].flat();
  const only = named.length === 0 ? null : new Set(named);
  const unknown = [...(only ?? [])].find((name) => !SCENARIOS.some(({ names }) => names.includes(name)));
  if (values.help || unknown !== undefined || !Number.isInteger(rounds) || rounds < 1) {
    process.stdout.write(`${USAGE}\n`);
    process.exit(values.help ? 0 : 2);
  }
  return { ...values, only, pace: { ...pace, rounds } };
}

function newFolder(): string {
  const path = join(folder, String(folders++));
  mkdirSync(path);
  return path;
}

/** Logs and bodies lie in memory where the system has such a place: a disk would be part of what is measured. */
function memoryFolder(): string {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return tmpdir();
  }
}

function progress(text: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
}
