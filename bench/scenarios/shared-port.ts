/**
 * S13: two processes that listen on one port (`listen.reusePort`) beside one, under the refusals of S5, which need no backend. Each has
 * a core of its own, and the load a third one; on two cores the load takes from the second process, and only the CPU time of a request
 * tells something.
 */
import { cpus } from 'node:os';
import { join } from 'node:path';
import { sharesPorts } from '../../src/lib/shared-port.ts';
import { httpContender } from '../load.ts';
import { elsewhereKey, refusedPost } from '../loads.ts';
import { measureInTurn, type Measured } from '../measure.ts';
import { startPostern } from '../postern.ts';
import { freePort, LOAD_CORE, PROXY_CORE, type Server } from '../processes.ts';
import type { Bench, Comparison, Row, Scenario } from '../scenario.ts';
import { medianOf, ratios } from '../statistics.ts';

const ENOUGH_CORES = 3;
const THIRD_CORE = 2;

export const sharedPort: Scenario = async (bench) => {
  if (!sharesPorts(process.versions.node)) {
    bench.leaveOut(`S13: processes share a port on Node 23.1 and later, and this is ${process.versions.node}`);
    return [];
  }
  const hasCores = cpus().length >= ENOUGH_CORES;
  if (!hasCores) bench.leaveOut('S13, throughput: the load has no core of its own beside two processes');
  const one = await start(bench, [PROXY_CORE]);
  const two = await start(bench, [PROXY_CORE, hasCores ? THIRD_CORE : LOAD_CORE]);
  try {
    const folder = bench.newFolder();
    const load = { scenario: 'S13', load: refusedPost, status: 403, folder };
    const contenders = [
      await httpContender({ ...load, name: 'one process', ...one }),
      await httpContender({ ...load, name: 'two processes', ...two }),
    ];
    const [alone, both] = (await measureInTurn(contenders, bench.pace)) as [Measured, Measured];
    const between = 'two processes : one process';
    const cost = { between: `${between}, CPU time of a request`, values: ratios(cpuOf(both), cpuOf(alone)) };
    const throughput = { between: `${between}, throughput`, values: ratios(rateOf(both), rateOf(alone)) };
    return [rowOf(alone, []), rowOf(both, hasCores ? [cost, throughput] : [cost])];
  } finally {
    await Promise.all([one.server.stop(), two.server.stop()]);
  }
};

/** A process on each of the cores, all on one port; together they are one server. */
async function start({ builds: [build], newFolder, backendPort }: Bench, cores: readonly number[]) {
  const port = await freePort();
  const servers: Server[] = [];
  for (const core of cores) {
    const config = { listen: { host: '127.0.0.1', port, reusePort: true } };
    const folder = join(newFolder(), 'postern');
    servers.push((await startPostern({ build, folder, backendPort, keys: [elsewhereKey], config, core })).server);
  }
  const [first] = servers as [Server];
  const sum = (of: (server: Server) => number): number => servers.reduce((total, server) => total + of(server), 0);
  const server: Server = {
    ...first,
    cpuMicros: () => sum(({ cpuMicros }) => cpuMicros()),
    residentBytes: () => sum(({ residentBytes }) => residentBytes()),
    dropLog: () => {
      for (const { dropLog } of servers) dropLog();
    },
    stop: async () => void (await Promise.all(servers.map(({ stop }) => stop()))),
  };
  return { server, port };
}

const cpuOf = ({ samples }: Measured): number[] => samples.map(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest);
const rateOf = ({ samples }: Measured): number[] => samples.map(({ requestsPerSecond }) => requestsPerSecond ?? 0);

const rowOf = (measured: Measured, comparisons: readonly Comparison[]): Row => ({
  scenario: 'S13',
  what: measured.name,
  figure: `${medianOf(cpuOf(measured)).toFixed(1)} µs`,
  requestsPerSecond: medianOf(rateOf(measured)),
  p99Millis: medianOf(measured.samples.map(({ p99Millis }) => p99Millis ?? 0)),
  comparisons,
});
