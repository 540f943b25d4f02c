/**
 * Whom a connection to the admin port comes from. Headers are not asked: whoever stands in front is the one who is known here.
 */
import type { IncomingMessage } from 'node:http';

/** The address of the socket's peer; an IPv4 address reads the same on a port that also listens on IPv6. */
export const peerAddress = ({ socket }: IncomingMessage): string =>
  (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
