/**
 * Who is at the other end of a socket, read and parsed once a connection, not once a request.
 * Believes nothing that the request says.
 */
import type { Socket } from 'node:net';
import { formatAddress, parseAddress, parseKernelAddress, type Address } from '../lib/address.ts';
import type { Peer } from '../policy/facts.ts';

const PEER = Symbol('peer');

interface Marked {
  [PEER]?: Peer;
}

/** The socket's peer, or what a PROXY protocol header from a trusted peer said instead. */
export function peerOf(socket: Socket): Peer {
  return (socket as Marked)[PEER] ?? fix(socket, addressOf(socket));
}

/** Where the connection itself comes from; null when it is gone already. */
export function addressOf({ remoteAddress }: Socket): Address | null {
  return remoteAddress === undefined ? null : parseKernelAddress(remoteAddress);
}

/** Fixes the peer of a socket for its life. Text that is no address leaves it unknown, which matches no allow-list. */
export function setPeer(socket: Socket, text: string): Peer {
  return fix(socket, parseAddress(text));
}

function fix(socket: Socket, address: Address | null): Peer {
  const peer = { text: address === null ? UNKNOWN : formatAddress(address), address };
  (socket as Marked)[PEER] = peer;
  return peer;
}

const UNKNOWN = 'unknown';
