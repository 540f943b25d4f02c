/**
 * Refuses chunk framing that Node's parser accepts and another parser may read differently: absurd chunk sizes and long
 * chunk extensions. Looks at connections that carry chunked requests only, and never changes what the parser gets to see.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { watchPackets } from '../lib/pipelining.ts';
import { atTurnEnd } from '../lib/turn-end.ts';
import { effortPerPacket, findBodyStart, type SearchEffort } from './body-start.ts';
import { followChunks, type ChunkFraming } from './chunk-framing.ts';

interface Followed {
  /** The packet that the parser is reading; empty between packets, which would stay in memory for as long as the connection. */
  packet: Buffer;
  length: number;
  /** Where in the packet a message is known to start: at the start of the stream, or where the last followed body ended. */
  messageAt: number | null;
  /** Where in the packet the body of the latest followed message starts. */
  bodyAt: number | null;
  /** For finding where heads end in `packet`. */
  effort: SearchEffort;
  framing: ChunkFraming | null;
  /** Whom to tell of a violation in the message that is followed. Holds on to its request. */
  onViolation: ((why: string) => void) | null;
  violated: boolean;
}

const NOTHING = Buffer.alloc(0);

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
  if (typeof start !== 'number') return violate(followed, start.why);
  followed.bodyAt = start;
  follow(followed, start);
}

/** Stays for the life of the connection: Node has left its fast read path for good, and a pipelined request may follow. */
function attach(socket: Socket): Followed | null {
  const packet = (socket as ParsedSocket).parser?.getCurrentBuffer?.();
  if (packet === undefined) return null;
  const { length } = packet;
  const messageAt = socket.bytesRead === length ? 0 : null;
  const unknown = { bodyAt: null, effort: effortPerPacket(), framing: null, onViolation: null, violated: false };
  const followed: Followed = { packet, length, messageAt, ...unknown };
  forgetPacket(followed);
  // A packet that is being delivered now is not seen again, unless the parser stops in it.
  watchPackets(socket, {
    onPacket: (next) => {
      followed.messageAt = followed.messageAt === followed.length ? 0 : null;
      followed.packet = next;
      followed.length = next.length;
      followed.bodyAt = null;
      followed.effort = effortPerPacket();
      if (followed.framing !== null) follow(followed, 0);
      forgetPacket(followed);
    },
    onCut: (at) => {
      // What was followed of the body comes again.
      if (followed.bodyAt === at) followed.framing = followChunks();
      followed.messageAt = null;
    },
  });
  connections.set(socket, followed);
  return followed;
}

/** Its requests are read by the end of the turn. */
function forgetPacket(followed: Followed): void {
  atTurnEnd(() => {
    followed.packet = NOTHING;
  });
}

function follow(followed: Followed, start: number): void {
  const step = followed.framing?.follow(followed.packet, start);
  switch (step?.kind) {
    case 'end':
      followed.framing = null;
      followed.messageAt = step.at;
      forgetMessage(followed);
      return;
    case 'violation':
      return violate(followed, step.why);
    case 'more':
    case undefined:
  }
}

/** Unless the parser stops in the packet at hand, and reads the message's body again. */
function forgetMessage(followed: Followed): void {
  atTurnEnd(() => {
    if (followed.framing === null) followed.onViolation = null;
  });
}

function violate(followed: Followed, why: string): void {
  const { onViolation } = followed;
  followed.framing = null;
  followed.onViolation = null;
  followed.violated = true;
  onViolation?.(why);
}
