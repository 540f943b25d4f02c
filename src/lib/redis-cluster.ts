/**
 * A Redis Cluster whose nodes need not know their own address: one that has met no other, such as a Cluster of a single node, names
 * none for itself, and by the protocol is where the question was sent. The library passes such a node over.
 */
import type { Cluster, Redis, RedisOptions } from 'ioredis';

/** The same client, which takes nodes that name no address too. To be called in the turn in which it is made. */
export function withNamelessNodes(cluster: Cluster): Cluster {
  const internals = cluster as unknown as ClusterInternals;
  const { getInfoFromNode } = internals;
  internals.getInfoFromNode = (node, done) => getInfoFromNode.call(cluster, node && namingItself(node), done);
  return cluster;
}

/** What ioredis does not publish: how it asks a node for the slots, on a connection of its own. */
interface ClusterInternals {
  getInfoFromNode: (node: Node | undefined, done: unknown) => void;
}

type Node = Pick<Redis, 'options' | 'duplicate'>;

function namingItself(node: Node): Node {
  const { options } = node;
  const duplicate = (override?: Partial<RedisOptions>): Redis => {
    const asking = node.duplicate(override);
    const own = asking as unknown as Asking;
    const { cluster } = own;
    own.cluster = (command, reply) =>
      cluster.call(asking, command, (error, ranges) => reply(error, ranges?.map(withHost(options.host ?? ''))));
    return asking;
  };
  return { options, duplicate };
}

interface Asking {
  cluster: (command: 'SLOTS', reply: (error: Error | null, ranges?: SlotRange[]) => void) => unknown;
}

/** First and last slot, then the nodes that have them: address, port and more. */
type SlotRange = [first: number, last: number, ...nodes: [host: string | null, ...more: unknown[]][]];

const withHost =
  (own: string) =>
  ([first, last, ...nodes]: SlotRange): SlotRange => [
    first,
    last,
    ...nodes.map(([host, ...more]): [string, ...unknown[]] => [host || own, ...more]),
  ];
