/**
 * SHA-256 (FIPS 180-4) as lower-case hex. Secrets are compared by their digests alone, so that neither the time a
 * comparison takes nor a memory dump of the tables tells anything of a secret.
 */
import { hash } from 'node:crypto';

/** The digest of a text's UTF-8 bytes, or of bytes. */
export function sha256Hex(data: string | Buffer): string {
  return hash('sha256', data, 'hex');
}

/** The digest of the bytes of a header value, which Node hands over as one character a byte (latin1). */
export function sha256HexOfHeader(value: string): string {
  return hash('sha256', Buffer.from(value, 'latin1'), 'hex');
}
