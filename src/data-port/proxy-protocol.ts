/**
 * Puts the PROXY protocol in front of an HTTP or HTTPS server: a trusted peer has to name the client's address before
 * anything else, and no other peer can. Knows nothing of HTTP or TLS, and costs nothing when it is not called.
 */
import type { Server, Socket } from 'node:net';
import { Server as TlsServer, type TLSSocket } from 'node:tls';
import type { Peer } from '../policy/facts.ts';
import { readProxyHeader, type ProxySource } from './proxy-header.ts';
import { connectionUnder, peerOf, recordOf, setPeer } from './socket-record.ts';

export interface ProxyProtocolOptions {
  /** The peers that send a header, always. */
  readonly isTrusted: (peer: Peer) => boolean;
  /** Milliseconds for the whole header to arrive. */
  readonly headerTimeout: number;
  /** Told of each connection that is closed for its header. */
  readonly onRefused: (peer: string, why: string) => void;
}

export interface ProxyProtocol {
  /** Closes the connections whose header has not arrived: `server.close()` waits for them, but does not know them. */
  readonly closePending: () => void;
}

/**
 * Reads the header of each connection from a trusted peer before the server sees the connection; `peerOf` then gives what
 * it said. A trusted peer that sends no header, a malformed or a late one is disconnected: who the client is must not be
 * guessed. Connections of all other peers go on as they are, so that a header of theirs is a broken request.
 *
 * To be called once, after the server was made and before it listens.
 */
export function acceptProxyProtocol(server: Server, options: ProxyProtocolOptions): ProxyProtocol {
  const pending = new Set<Socket>();
  const secure = server instanceof TlsServer;
  const handOver = interpose(server, (socket) => {
    const peer = peerOf(socket);
    // Gone already, as health checks often are: whether it was trusted can no longer be told.
    if (socket.remoteAddress === undefined && !peer.isUnix) return void socket.destroy();
    if (!options.isTrusted(peer)) return handOver(socket);
    pending.add(socket);
    socket.once('close', () => pending.delete(socket));
    const refuse = (why: string): void => {
      options.onRefused(peer.text, why);
      socket.destroy();
    };
    const done = (source: ProxySource, length: number): void => {
      pending.delete(socket);
      recordOf(socket).proxyHeaderLength = length;
      fixPeer(socket, source);
      handOver(socket);
      // TLS reads below the socket, and has taken what was given back to it.
      if (!secure) socket.resume();
    };
    awaitHeader(socket, { timeout: options.headerTimeout, refuse, done });
  });
  if (secure) carryThroughTls(server);
  return {
    closePending: () => {
      for (const socket of pending) socket.destroy();
    },
  };
}

/** Takes the place of the server's own connection listeners (HTTP's, or TLS's with HTTP behind it); returns them as one. */
function interpose(server: Server, onConnection: (socket: Socket) => void): (socket: Socket) => void {
  const inner = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', onConnection);
  return (socket) => {
    for (const listener of inner) listener.call(server, socket);
  };
}

interface HeaderWait {
  readonly timeout: number;
  readonly refuse: (why: string) => void;
  readonly done: (source: ProxySource, length: number) => void;
}

/** Collects bytes until the header is whole; gives the rest back to the socket, which is left paused. */
function awaitHeader(socket: Socket, { timeout, refuse, done }: HeaderWait): void {
  let bytes: Buffer = Buffer.alloc(0);
  // A connection without a byte is a balancer's look whether the port is open.
  const late = (): void =>
    void (bytes.length === 0 ? socket.destroy() : refuse('the PROXY header did not arrive in time'));
  const timer = setTimeout(late, timeout);
  const onError = (): void => void socket.destroy();
  const stop = (): void => {
    clearTimeout(timer);
    socket.off('data', onData).off('end', onError).off('error', onError).off('close', stop);
  };
  const onData = (data: Buffer): void => {
    bytes = Buffer.concat([bytes, data]);
    const header = readProxyHeader(bytes);
    switch (header.kind) {
      case 'incomplete':
        return;
      case 'malformed':
        stop();
        return refuse(header.why);
      case 'complete':
        socket.pause();
        stop();
        if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
        return done(header.source, header.length);
    }
  };
  socket.on('data', onData).on('end', onError).on('error', onError).on('close', stop);
}

function fixPeer(socket: Socket, source: ProxySource): void {
  switch (source.kind) {
    case 'address':
      setPeer(socket, source.text);
      return;
    case 'unknown':
      setPeer(socket, 'unknown');
      return;
    case 'peer':
  }
}

/** The peer of a TLS socket is that of its connection. Should Node not tell that, it is unknown, and never the proxy. */
function carryThroughTls(server: Server): void {
  server.prependListener('secureConnection', (secure: TLSSocket) => {
    const socket = connectionUnder(secure);
    if (socket !== null) recordOf(secure).peer = peerOf(socket);
    else setPeer(secure, 'unknown');
  });
}
