/**
 * Tells where a request's CPU time goes: runs a build under V8's sampling profiler, loads it, and adds the samples up by function
 * and by place. Native work done for a function counts as that function's; what V8 cannot name is `(program)`.
 */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { httpContender, type Load } from './load.ts';
import { warmUp } from './measure.ts';
import type { Bench } from './scenario.ts';
import { startPostern, type KeyDefinition } from './postern.ts';

export interface Profiled {
  /** The load, or what makes it for a Postern that runs. */
  readonly load: Load | ((port: number) => Promise<Load>);
  readonly status: number;
  readonly keys: readonly KeyDefinition[];
}

/** Of a .cpuprofile, what is used here. Times in microseconds of the monotonic clock. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
  readonly startTime: number;
}

const FUNCTIONS = 40;

/** A table of places and one of functions, in microseconds a request. The profile itself stays in `folder`. */
export async function profile(bench: Bench, { load, status, keys }: Profiled, folder: string): Promise<string> {
  const profiles = mkdtempSync(join(folder, 'postern-profile-'));
  const nodeOptions = ['--cpu-prof', '--cpu-prof-interval', '200', '--cpu-prof-dir', profiles];
  const { builds, backendPort, newFolder, pace } = bench;
  const { server, port } = await startPostern({
    build: builds[0],
    folder: join(newFolder(), 'postern'),
    backendPort,
    keys,
    nodeOptions,
  });
  const seconds = pace.rounds * pace.seconds;
  const asked = typeof load === 'function' ? await load(port) : load;
  const contender = await httpContender({
    scenario: '',
    name: 'Postern',
    server,
    port,
    load: asked,
    status,
    folder: newFolder(),
  });
  await warmUp(contender, pace);
  const from = monotonicMicros();
  const { requests, cpuMicrosPerRequest } = await contender.measure(seconds);
  const to = monotonicMicros();
  await server.stop();
  const [file] = readdirSync(profiles);
  if (file === undefined) throw new Error('Node wrote no profile');
  const taken = JSON.parse(readFileSync(join(profiles, file), 'utf8')) as CpuProfile;
  const own = selfTimes(taken, from, to);
  return [
    `${cpuMicrosPerRequest.toFixed(1)} µs a request under the profiler, ${requests} requests; ${join(profiles, file)}\n`,
    section('place', totals(own, placeOf), requests),
    section('function', totals(own, functionOf).slice(0, FUNCTIONS), requests),
  ].join('\n');
}

const monotonicMicros = (): number => Number(process.hrtime.bigint() / 1000n);

type Frame = CpuProfile['nodes'][number]['callFrame'];

function selfTimes(
  { nodes, samples, timeDeltas, startTime }: CpuProfile,
  from: number,
  to: number,
): Map<Frame, number> {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const own = new Map<Frame, number>();
  let at = startTime;
  for (const [index, id] of samples.entries()) {
    at += timeDeltas[index] ?? 0;
    const frame = frames.get(id);
    const lasted = timeDeltas[index + 1] ?? 0;
    if (frame === undefined || at < from || at > to || frame.functionName === '(idle)') continue;
    own.set(frame, (own.get(frame) ?? 0) + lasted);
  }
  return own;
}

function totals(own: ReadonlyMap<Frame, number>, name: (frame: Frame) => string): (readonly [string, number])[] {
  const sums = new Map<string, number>();
  for (const [frame, micros] of own) sums.set(name(frame), (sums.get(name(frame)) ?? 0) + micros);
  return [...sums].toSorted(([, a], [, b]) => b - a);
}

/** A package, a part of Node, or a file of Postern's. */
function placeOf({ url, functionName }: Frame): string {
  if (url === '') return functionName.startsWith('(') ? functionName : 'native';
  const part = /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules)/.exec(url)?.[1];
  return part ?? url.replace(/^.*\/dist\//, '');
}

function functionOf({ url, functionName, lineNumber }: Frame): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  return url === '' ? name : `${name} ${url.replace(/^.*\/(?:dist|node_modules)\//, '')}:${lineNumber + 1}`;
}

function section(title: string, sums: readonly (readonly [string, number])[], requests: number): string {
  const lines = sums.map(([name, micros]) => [micros / requests, name] as const).filter(([micros]) => micros >= 0.05);
  return `   µs  ${title}\n${lines.map(([micros, name]) => `${micros.toFixed(2).padStart(6)}  ${name}\n`).join('')}`;
}
