/**
 * S1, S2, S3: a batch of ten events, two kilobytes, passed on. S1: a limited key, nothing cut; S2: two of the ten cut;
 * S3: an unrestricted key. Beside them what passes the same body on without any policy.
 */
import { httpContender } from '../load.ts';
import { limitedKey, luaPolicyOfLimited, nothingCut, twoCut, unrestricted, unrestrictedKey } from '../loads.ts';
import type { Contender } from '../measure.ts';
import {
  startBareHttpProxy,
  startBareNode,
  startBareUndici,
  startCaddy,
  startHaproxy,
  startNginx,
  startNginxLua,
} from '../peers.ts';
import { againstGoals, compare, type Goal, type Scenario } from '../scenario.ts';
import { withPeers, withPosterns } from '../with-servers.ts';

const LOADS = [
  ['S1', nothingCut],
  ['S2', twoCut],
  ['S3', unrestricted],
] as const;

const PEERS = [
  startNginxLua(luaPolicyOfLimited),
  startBareHttpProxy,
  startBareUndici,
  startNginx,
  startHaproxy,
  startCaddy,
  startBareNode,
];

const GOALS: readonly Goal[] = [
  { of: ['S1', 'Postern'], to: ['S1', 'nginx with Lua'], must: 1, aim: 0.8 },
  { of: ['S1', 'Postern'], to: ['S1', '@fastify/http-proxy'], must: 0.42, aim: 0.33 },
  { of: ['S1', 'Postern'], to: ['S1', 'nginx'], must: 2.4, aim: 1.9 },
  { of: ['S1', 'Postern'], to: ['S1', 'Caddy'], must: 0.7, aim: 0.55 },
  { of: ['S1', 'Postern'], to: ['S1', 'HAProxy'] },
  { of: ['S1', 'Postern'], to: ['S1', 'node:http and undici'] },
  { of: ['S1', 'Postern'], to: ['S1', 'node:http 204'] },
  { of: ['S2', 'Postern'], to: ['S1', 'Postern'], must: 1.08, aim: 1.03 },
  { of: ['S3', 'Postern'], to: ['S1', 'nginx'], must: 2.2, aim: 1.7 },
];

export const forwarding: Scenario = (bench) =>
  withPosterns(bench, { keys: [limitedKey, unrestrictedKey] }, (posterns) =>
    withPeers(bench, PEERS, async (peers) => {
      const contenders: Contender[] = [];
      const folder = bench.newFolder();
      for (const [scenario, load] of LOADS) {
        for (const { name, server, port } of posterns)
          contenders.push(await httpContender({ scenario, name, server, port, load, status: 204, folder }));
      }
      for (const { name, server, port } of peers)
        contenders.push(
          await httpContender({ scenario: 'S1', name, server, port, load: nothingCut, status: 204, folder }),
        );
      return compare(bench, contenders, [...GOALS, ...againstGoals(bench, ['S1', 'S2', 'S3'])]);
    }),
  );
