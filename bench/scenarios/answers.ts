/**
 * S4, S5: what Postern answers without its backend. S4: a metrics query from the cache, with an access token. S5: a refusal
 * by address, of the batch of S1 and of a GET. Beside them the least that a Node server can answer to the same requests.
 */
import { exchange, httpContender, type HttpContender, type Load } from '../load.ts';
import { elsewhereKey, metricsKey, metricsQuery, refusedGet, refusedPost, tokenRequest } from '../loads.ts';
import type { Contender } from '../measure.ts';
import { startBareNode } from '../peers.ts';
import { againstGoals, compare, type Goal, type Scenario } from '../scenario.ts';
import { withPeers, withPosterns } from '../with-servers.ts';

export const cachedQuery: Scenario = (bench) =>
  withPosterns(bench, { keys: [metricsKey] }, (posterns) =>
    withPeers(bench, [startBareNode], async (peers) => {
      const folder = bench.newFolder();
      const contenders: Contender[] = [];
      const add = async (options: Pick<HttpContender, 'name' | 'server' | 'port' | 'load' | 'status'>) =>
        contenders.push(await httpContender({ scenario: 'S4', folder, ...options }));
      let load = metricsQuery('');
      for (const { name, server, port } of posterns) {
        load = await withToken(port);
        await add({ name, server, port, load, status: 200 });
      }
      for (const { name, server, port } of peers) await add({ name, server, port, load, status: 204 });
      const goal: Goal = { of: ['S4', 'Postern'], to: ['S4', 'node:http 204'], must: 1.2, aim: 1.05 };
      return compare(bench, contenders, [goal, ...againstGoals(bench, ['S4'])]);
    }),
  );

const REFUSED: readonly (readonly [string, Load])[] = [
  ['S5', refusedPost],
  ['S5 GET', refusedGet],
];

export const refusal: Scenario = (bench) =>
  withPosterns(bench, { keys: [elsewhereKey] }, (posterns) =>
    withPeers(bench, [startBareNode], async (peers) => {
      const folder = bench.newFolder();
      const contenders: Contender[] = [];
      for (const [scenario, load] of REFUSED) {
        for (const { name, server, port } of posterns)
          contenders.push(await httpContender({ scenario, name, server, port, load, status: 403, folder }));
        for (const { name, server, port } of peers)
          contenders.push(await httpContender({ scenario, name, server, port, load, status: 204, folder }));
      }
      const names = REFUSED.map(([scenario]) => scenario);
      const goals = names.map((scenario): Goal => ({
        of: [scenario, 'Postern'],
        to: [scenario, 'node:http 204'],
        must: 1.2,
        aim: 1.05,
      }));
      return compare(bench, contenders, [...goals, ...againstGoals(bench, names)]);
    }),
  );

/** The query with an access token of this instance. */
export async function withToken(port: number): Promise<Load> {
  const { status, text } = await exchange(port, tokenRequest);
  if (status !== 200) throw new Error(`no access token: status ${status}`);
  return metricsQuery((JSON.parse(text) as { accessToken: string }).accessToken);
}
