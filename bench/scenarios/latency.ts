/**
 * S10: what standing in between costs a caller that waits: the median time of S1's batch on one connection, less that of the same
 * request sent to the backend itself; of Postern, and of nginx, which only passes on.
 */
import { latencyOf } from '../load.ts';
import { limitedKey, nothingCut } from '../loads.ts';
import { startNginx } from '../peers.ts';
import { medianOf, ratios } from '../statistics.ts';
import type { Row, Scenario } from '../scenario.ts';
import { withPeers, withPosterns } from '../with-servers.ts';

export const latency: Scenario = (bench) =>
  withPosterns(bench, { keys: [limitedKey] }, (posterns) =>
    withPeers(bench, [startNginx], async (peers) => {
      const folder = bench.newFolder();
      const { rounds, seconds, warmupCpuSeconds } = bench.pace;
      const added = new Map([...posterns, ...peers].map(({ name }) => [name, [] as number[]]));
      const measure = (port: number): Promise<number> => latencyOf(port, nothingCut, folder, seconds);
      for (const { port } of posterns) await latencyOf(port, nothingCut, folder, warmupCpuSeconds);
      for (let round = 0; round < rounds; round++) {
        const direct = await measure(bench.backendPort);
        for (const { name, port } of [...posterns, ...peers]) added.get(name)?.push((await measure(port)) - direct);
      }
      const [mine = [], others = []] = [...added.values()];
      return [...added].map(([name, values], index): Row => {
        const between = { between: 'Postern : nginx', values: ratios(mine, others), must: 2.5, aim: 1.8 };
        return {
          scenario: 'S10',
          what: `${name}, added at the median on one connection`,
          figure: `${medianOf(values).toFixed(0)} µs`,
          comparisons: index === 0 && others.length > 0 ? [between] : [],
        };
      });
    }),
  );
