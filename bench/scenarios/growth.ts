/**
 * S7: the batch of S1 while the key set, the key's allow-list or its allowed events grow. Each size is an instance of its own.
 */
import { join } from 'node:path';
import { ADDRESSES, ALLOWED_EVENTS } from '../events.ts';
import { httpContender } from '../load.ts';
import { limitedKey, nothingCut, numberedKey } from '../loads.ts';
import type { Contender } from '../measure.ts';
import { startPostern, type KeyDefinition, type Postern } from '../postern.ts';
import { compare, type Bench, type Row, type Scenario } from '../scenario.ts';

interface Growth {
  readonly scenario: string;
  readonly sizes: readonly [small: number, large: number];
  readonly of: string;
  readonly keys: (size: number) => readonly KeyDefinition[];
  readonly must: number;
}

const AIM = 1.05;

const GROWTHS: readonly Growth[] = [
  {
    scenario: 'S7 keys',
    of: 'keys',
    sizes: [10, 100_000],
    must: 1.15,
    keys: (size) => [limitedKey, ...Array.from({ length: size - 1 }, (_, index) => numberedKey(index))],
  },
  {
    scenario: 'S7 CIDRs',
    of: 'CIDRs',
    sizes: [10, 50_000],
    must: 1.1,
    keys: (size) => [{ ...limitedKey, allowFrom: [...ranges(size - ADDRESSES.length), ...ADDRESSES] }],
  },
  {
    scenario: 'S7 events',
    of: 'allowed events',
    sizes: [10, 50_000],
    must: 1.1,
    keys: (size) => [{ ...limitedKey, allowedEvents: eventNames(size) }],
  },
];

export const growth: Scenario = async (bench) => {
  const rows: Row[] = [];
  for (const growing of GROWTHS) rows.push(...(await measureGrowth(bench, growing)));
  return rows;
};

async function measureGrowth(bench: Bench, { scenario, sizes, of, keys, must }: Growth): Promise<Row[]> {
  bench.progress(scenario);
  const { builds, backendPort, newFolder } = bench;
  const named = (size: number): string => `${size.toLocaleString('en')} ${of}`;
  const started: Postern[] = [];
  try {
    const contenders: Contender[] = [];
    for (const size of sizes) {
      const folder = newFolder();
      const postern = await startPostern({
        build: builds[0],
        folder: join(folder, 'postern'),
        backendPort,
        keys: keys(size),
        patienceSeconds: 300,
      });
      started.push(postern);
      const { server, port } = postern;
      contenders.push(
        await httpContender({ scenario, name: named(size), server, port, load: nothingCut, status: 204, folder }),
      );
    }
    const [small, large] = sizes;
    const goal = { of: [scenario, named(large)], to: [scenario, named(small)], must, aim: AIM } as const;
    return await compare(bench, contenders, [goal]);
  } finally {
    await Promise.all(started.map(({ server }) => server.stop()));
  }
}

/** Ranges of the kind that an operator's list holds, of both families and several lengths; none holds the load's address. */
function ranges(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const [high, low] = [index >> 8, index & 255];
    if (index % 4 === 0) return `2001:db8:${high.toString(16)}:${low.toString(16)}::/64`;
    return index % 4 === 1 ? `10.${high}.${low}.0/24` : `172.${16 + (high >> 8)}.${high & 255}.${low}`;
  });
}

/** The first ten are those of the batch. */
function eventNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => ALLOWED_EVENTS[index] ?? `custom_event_${index}`);
}
