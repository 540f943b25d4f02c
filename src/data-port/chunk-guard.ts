/**
 * Refuses chunk framing that Node's parser accepts and another parser may read differently: absurd chunk sizes and long
 * chunk extensions. Looks at connections that carry chunked requests only, and never changes what the parser gets to see.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { findBodyStart, effortPerPacket, type SearchEffort } from './body-start.ts';
import { followChunks, type ChunkFraming } from './chunk-framing.ts';

interface Followed {
  /** The packet that the parser is reading. */
  packet: Buffer;
  /** Where in `packet` a message is known to start: at the start of the stream, or where the last followed body ended. */
  messageAt: number | null;
  /** For finding where heads end in `packet`. */
  effort: SearchEffort;
  framing: ChunkFraming | null;
  onViolation: (why: string) => void;
  violated: boolean;
}

/** Node has no public way to the bytes being parsed; this one is there in Node 20 to 24. */
interface ParsedSocket {
  readonly parser?: { readonly getCurrentBuffer?: () => Buffer } | null;
}

const connections = new WeakMap<Socket, Followed>();

/**
 * Follows the framing of a request's chunked body to its end. To be called from within the server's `request` or
 * `checkContinue` event, for requests with `Transfer-Encoding: chunked` only.
 *
 * `onViolation` is called at most once, before the parser hands on any body byte of the packet that breaks the rule: at
 * once if that is the packet at hand. Where the framing cannot be followed, it is called too: an unseen body is refused.
 */
export function guardChunks(req: IncomingMessage, onViolation: (why: string) => void): void {
  const followed = connections.get(req.socket) ?? attach(req.socket);
  if (followed === null) return onViolation('this Node shows no packets: chunked bodies cannot be checked');
  if (followed.violated) return onViolation('an earlier request of this connection broke the chunk framing');
  followed.framing = followChunks();
  followed.onViolation = onViolation;
  const start = findBodyStart(followed.packet, req, followed.messageAt, followed.effort);
  if (typeof start === 'number') follow(followed, start);
  else violate(followed, start.why);
}

/** Stays for the life of the connection: Node has left its fast read path for good, and a pipelined request may follow. */
function attach(socket: Socket): Followed | null {
  const packet = (socket as ParsedSocket).parser?.getCurrentBuffer?.();
  if (packet === undefined) return null;
  const messageAt = socket.bytesRead === packet.length ? 0 : null;
  const effort = effortPerPacket();
  const followed: Followed = { packet, messageAt, effort, framing: null, onViolation: () => {}, violated: false };
  // In front of the parser's own listener. A packet that is being delivered now is not seen again.
  socket.prependListener('data', (next: Buffer) => {
    followed.messageAt = followed.messageAt === followed.packet.length ? 0 : null;
    followed.packet = next;
    followed.effort = effortPerPacket();
    if (followed.framing !== null) follow(followed, 0);
  });
  connections.set(socket, followed);
  return followed;
}

function follow(followed: Followed, start: number): void {
  const step = followed.framing?.follow(followed.packet, start);
  switch (step?.kind) {
    case 'end':
      followed.framing = null;
      followed.messageAt = step.at;
      return;
    case 'violation':
      return violate(followed, step.why);
    case 'more':
    case undefined:
  }
}

function violate(followed: Followed, why: string): void {
  followed.framing = null;
  followed.violated = true;
  followed.onViolation(why);
}
