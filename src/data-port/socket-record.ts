/**
 * What the data port knows of one client's connection, in one record on its socket: who is at the other end, and how far the
 * connection has come. Believes nothing that a request says.
 */
import { Socket, type Server } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { formatAddress, parseAddress, parseKernelAddress, type Address } from '../lib/address.ts';
import type { Peer } from '../policy/facts.ts';

export interface SocketRecord {
  /** null until somebody asks for it: read and parsed once a connection, not once a request. */
  peer: Peer | null;
  /** How many of the bytes that the socket has read were its PROXY header. */
  proxyHeaderLength: number;
  /** Whether the last answer is out: whatever still arrives is not a request. */
  closing: boolean;
  /** Whether the request at hand is the last one: what follows it is not read as a request. */
  hadLast: boolean;
}

/** A property, not a WeakMap: every request asks for it. */
const RECORD = Symbol('record of the data port');

interface Recorded {
  [RECORD]?: SocketRecord;
}

/** The record of a socket, from the first question to the end of the connection. */
export function recordOf(socket: Socket): SocketRecord {
  return ((socket as Recorded)[RECORD] ??= { peer: null, proxyHeaderLength: 0, closing: false, hadLast: false });
}

/** Marks the peers of a server that listens on a Unix socket. To be called last before it listens: others ask for peers. */
export function markUnixPeers(server: Server): void {
  const mark = (socket: Socket): void => void (recordOf(socket).peer ??= UNIX_PEER);
  server.prependListener('connection', mark);
  // Unless the connection that it is made from was marked otherwise meanwhile.
  server.on('secureConnection', mark);
}

/** The socket's peer, or what a PROXY protocol header from a trusted peer said instead. */
export function peerOf(socket: Socket): Peer {
  return (recordOf(socket).peer ??= peerAt(addressOf(socket)));
}

/** What a TLS socket knows of the connection that it is made from, and Node's documentation leaves out. */
interface Made {
  readonly _parent?: unknown;
}

/** The connection that a TLS socket is made from; null, should Node not tell. */
export function connectionUnder(secure: TLSSocket): Socket | null {
  // oxlint-disable-next-line no-underscore-dangle -- their ends tell connections apart as well, but not those on a Unix socket
  const socket = (secure as Made)._parent;
  return socket instanceof Socket ? socket : null;
}

/** Where the connection itself comes from; null when it is gone already. */
export function addressOf({ remoteAddress }: Socket): Address | null {
  return remoteAddress === undefined ? null : parseKernelAddress(remoteAddress);
}

/** Fixes the peer of a socket for its life. Text that is no address leaves it unknown, which matches no allow-list. */
export function setPeer(socket: Socket, text: string): void {
  recordOf(socket).peer = peerAt(parseAddress(text));
}

const UNKNOWN = 'unknown';
const UNIX_PEER: Peer = { text: UNKNOWN, address: null, isUnix: true };

const peerAt = (address: Address | null): Peer => ({
  text: address === null ? UNKNOWN : formatAddress(address),
  address,
  isUnix: false,
});
