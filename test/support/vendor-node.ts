/** A Postern with a vendor's preset alone, for that vendor's SDK for Node, and a backend that records. */
import type { Test } from 'tap';
import { startBackend, type Backend } from './backend.ts';
import { startPostern, type Postern } from './postern.ts';
import { namesIn } from './vendor-events.ts';

export const FREE = 'secret-of-the-free-key';
export const LIMITED = 'secret-of-the-limited-key';

/** One that may send all, and one that may send `login` alone. */
export const NODE_KEYS = [
  { id: 'free', type: 'read-write', secret: FREE },
  { id: 'limited', type: 'read-write', secret: LIMITED, allowedEvents: ['login'] },
];

export interface NodeWorld {
  readonly backend: Backend;
  readonly postern: Postern;
  /** The names of the events, or the kinds of the calls, that reached the backend. */
  readonly names: () => readonly string[];
}

export async function startForNode(
  t: Test,
  preset: string,
  keys: readonly Record<string, unknown>[],
  answer = '{"code":200,"flags":{},"featureFlags":{}}',
): Promise<NodeWorld> {
  const backend = await startBackend(t, (_req, res) => {
    res.setHeader('content-type', 'application/json').end(answer);
  });
  const config = { apis: { integration: { upstream: backend.url, preset } } };
  const postern = await startPostern(t, { config, keys });
  return { backend, postern, names: () => backend.requests.flatMap(namesIn) };
}
