/**
 * S6: a batch of 4,000 events, 900 KB, one in ten cut. The yardstick is parsing, filtering and serialising that body, without
 * any HTTP; measured against it are the event filter alone, and the whole way of the request. Beside them the proxy that one
 * would write with a JSON parser.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALLOWED_EVENTS } from '../events.ts';
import { httpContender } from '../load.ts';
import { largeBatch, limitedKey } from '../loads.ts';
import type { Contender } from '../measure.ts';
import { startJsonFilterProxy } from '../peers.ts';
import { launch, PROXY_CORE, type Server } from '../processes.ts';
import { againstGoals, compare, type Goal, type Scenario } from '../scenario.ts';
import { withPeers, withPosterns } from '../with-servers.ts';

const JSON_ALONE = 'JSON.parse, filter, JSON.stringify';
const FILTER_ALONE = 'event filter alone';

const GOALS: readonly Goal[] = [
  { of: ['S6', FILTER_ALONE], to: ['S6', JSON_ALONE], must: 0.45, aim: 0.2 },
  { of: ['S6', 'Postern'], to: ['S6', JSON_ALONE], must: 0.45, aim: 0.2 },
  { of: ['S6', 'Postern'], to: ['S6', 'Fastify parsing JSON'] },
];

export const largeBatches: Scenario = (bench) =>
  withPosterns(bench, { keys: [limitedKey] }, (posterns) =>
    withPeers(bench, [startJsonFilterProxy(ALLOWED_EVENTS)], async (peers) => {
      const folder = bench.newFolder();
      const inProcess = bench.peers ? await startInProcess(folder) : [];
      try {
        const contenders: Contender[] = [];
        for (const { name, server, port } of [...posterns, ...peers])
          contenders.push(
            await httpContender({ scenario: 'S6', name, server, port, load: largeBatch, status: 204, folder }),
          );
        contenders.push(...inProcess.map(({ contender }) => contender));
        return await compare(bench, contenders, [...GOALS, ...againstGoals(bench, ['S6'])]);
      } finally {
        await Promise.all(inProcess.map(({ server }) => server.stop()));
      }
    }),
  );

interface InProcess {
  readonly server: Server;
  readonly contender: Contender;
}

async function startInProcess(folder: string): Promise<InProcess[]> {
  const bodyFile = join(folder, 'large-batch.json');
  writeFileSync(bodyFile, largeBatch.body);
  return [
    await startFilter({ name: FILTER_ALONE, bodyFile, way: 'filter', folder }),
    await startFilter({ name: JSON_ALONE, bodyFile, way: 'json', folder }),
  ];
}

interface FilterOptions {
  readonly name: string;
  readonly bodyFile: string;
  readonly way: 'filter' | 'json';
  readonly folder: string;
}

async function startFilter({ name, bodyFile, way, folder }: FilterOptions): Promise<InProcess> {
  const program = join(import.meta.dirname, '..', 'peers', 'filter-in-process.js');
  const server = launch({
    core: PROXY_CORE,
    command: [process.execPath, program, bodyFile, ALLOWED_EVENTS.join(','), way],
    logFile: join(folder, 'filter.log'),
    messages: true,
  });
  const ended = once(server.child, 'exit').then(() => Promise.reject(new Error(`${name} ended before it was ready`)));
  await Promise.race([once(server.child, 'message'), ended]);
  ended.catch(() => undefined);
  const measure: Contender['measure'] = async (seconds) => {
    const before = server.cpuMicros();
    server.child.send(seconds * 1000);
    const [requests] = (await once(server.child, 'message')) as [number];
    const cpuMicrosPerRequest = (server.cpuMicros() - before) / requests;
    return { requests, cpuMicrosPerRequest, requestsPerSecond: null, p99Millis: null };
  };
  return { server, contender: { scenario: 'S6', name, measure } };
}
