/**
 * Starts what a scenario needs and stops it when the scenario is through, also when it failed.
 */
import { join } from 'node:path';
import { startPostern, type Postern, type PosternOptions } from './postern.ts';
import type { Peer, StartPeer } from './peers.ts';
import type { Server } from './processes.ts';
import type { Bench } from './scenario.ts';

export type NamedPostern = Postern & { readonly name: string };

/** One instance of each build. */
export async function withPosterns<T>(
  { builds, newFolder, backendPort }: Bench,
  options: Pick<PosternOptions, 'keys' | 'config' | 'patienceSeconds'>,
  use: (posterns: readonly NamedPostern[]) => Promise<T>,
): Promise<T> {
  const started: NamedPostern[] = [];
  try {
    for (const build of builds) {
      const folder = join(newFolder(), 'postern');
      started.push({ name: build.name, ...(await startPostern({ build, folder, backendPort, ...options })) });
    }
    return await use(started);
  } finally {
    await stopAll(started);
  }
}

/** Those of the peers that are here, or can be installed; none in a comparison of two revisions. */
export async function withPeers<T>(
  { peers, newFolder, backendPort, leaveOut }: Bench,
  starts: readonly StartPeer[],
  use: (peers: readonly Peer[]) => Promise<T>,
): Promise<T> {
  const started: Peer[] = [];
  try {
    for (const start of peers ? starts : []) {
      try {
        started.push(await start({ folder: newFolder(), backendPort }));
      } catch (error) {
        leaveOut((error as Error).message);
      }
    }
    return await use(started);
  } finally {
    await stopAll(started);
  }
}

async function stopAll(started: readonly { readonly server: Server }[]): Promise<void> {
  await Promise.all(started.map(({ server }) => server.stop()));
}
