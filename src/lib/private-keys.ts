/**
 * Reads private keys from PEM text: PKCS #8, PKCS #1 or SEC 1, one or several after each other. Shows nothing of a key: an
 * error of OpenSSL, which may quote what it read, is dropped.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';

export type PrivateKeyMistake = 'encrypted' | 'unreadable';

// Other blocks, such as the EC PARAMETERS that OpenSSL writes first, are passed over.
const PRIVATE_KEY_BLOCK = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]+?-----END \1-----/g;

/** The keys in their order, or what is wrong with one of them. Text without a key gives none. */
export function privateKeysIn(pem: string): readonly KeyObject[] | PrivateKeyMistake {
  const keys: KeyObject[] = [];
  for (const block of pem.match(PRIVATE_KEY_BLOCK) ?? []) {
    if (block.includes('ENCRYPTED')) return 'encrypted';
    try {
      keys.push(createPrivateKey(block));
    } catch {
      return 'unreadable';
    }
  }
  return keys;
}
