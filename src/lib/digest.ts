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
  return hash('sha256', isAscii(value) ? value : Buffer.from(value, 'latin1'), 'hex');
}

/** ASCII is the same bytes in latin1 and in UTF-8, in which a text is digested without a copy. */
function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
