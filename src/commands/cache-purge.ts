/**
 * `postern cache purge`: empties the cache of the running sidecar, by its admin port. With `store: redis` that is the cache of all
 * replicas.
 */
import { adminClient, type AdminPlace } from './admin-client.ts';
import type { CommandIo } from './io.ts';

/** Exit codes: 0 done, 1 configuration error, or the token was refused, 2 usage error, 70 the admin port cannot be asked. */
export async function runCachePurge(place: AdminPlace, io: CommandIo): Promise<number> {
  const ask = adminClient(place, io);
  if (typeof ask === 'number') return ask;
  const answer = await ask('/api/cache/purge', 'POST');
  if (answer.ok) {
    io.stdout('The cache is empty.');
    return 0;
  }
  io.stderr(`The cache was not emptied: ${answer.why}`);
  return answer.exit;
}
