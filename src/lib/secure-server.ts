/**
 * What a listening server shows of TLS, and how that changes while it listens: the next handshake has the new certificate and the
 * new authorities, open connections go on. Reads no file.
 */
import { constants } from 'node:crypto';
import { Server as TlsServer, type TlsOptions } from 'node:tls';
import type { Server } from 'node:net';
import type { TlsTexts } from './certificate.ts';

/**
 * Of a server that listens. With authorities it asks for a certificate, and breaks off a handshake without a good one. Then no session
 * is resumed (RFC 8446 2.2): OpenSSL does not look at the certificate again, and each session resumed is good for the next, so that
 * one which has expired would open connections for ever.
 */
export const secureOptions = ({ ca, cert, key }: TlsTexts): TlsOptions => ({
  ...(cert !== null && { cert }),
  ...(key !== null && { key }),
  ...(ca !== null && { ca, requestCert: true, rejectUnauthorized: true, secureOptions: constants.SSL_OP_NO_TICKET }),
  // Whatever NODE_OPTIONS allow (RFC 8996).
  minVersion: 'TLSv1.2',
});

/**
 * Gives a server other texts. Each has ticket keys of its own, so that no session which another certificate or other authorities
 * vouched for is resumed. Whether clients are asked for a certificate stays as the server was made.
 */
export function showCertificate(server: Server, texts: TlsTexts): void {
  if (!(server instanceof TlsServer)) throw new TypeError('only a server that speaks TLS has a certificate');
  server.setSecureContext(secureOptions(texts));
}
