/**
 * Tells of clients whose certificate a server that asks for one refused: the client itself often learns no more than that the
 * connection is gone. Refuses nobody: Node and OpenSSL do.
 */
import type { Server } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { connectionUnder, peerOf } from './socket-record.ts';

/** `peer`: as the PROXY protocol names it, where that is spoken. To be called before the server listens, and before `acceptProxyProtocol`. */
export function watchClientCertificates(server: Server, onRefused: (peer: string, why: string) => void): void {
  // Whose it is cannot be asked any more when the connection is gone.
  server.on('connection', (socket) => void peerOf(socket));
  server.on('tlsClientError', (error: NodeJS.ErrnoException, secure: TLSSocket) => {
    const why = reasonOf(error, secure);
    if (why !== null) onRefused(peerOf(connectionUnder(secure) ?? secure).text, why);
  });
}

function reasonOf({ code }: NodeJS.ErrnoException, { authorizationError }: TLSSocket): string | null {
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') return 'it showed none';
  // A code such as CERT_HAS_EXPIRED, whatever the types say; null where the handshake failed for another reason.
  return (authorizationError as unknown as string | null) ?? null;
}
