/**
 * The form of secrets that `postern keygen` and the admin API make: `pstn_`, the type in two letters, 256 random bits and a
 * checksum, so that secret scanners find them and a typing error is told from an unknown key. Keys may have any other secret.
 */
import { crc32 } from 'node:zlib';
import type { KeyType } from './key-fields.ts';

/** Matches every secret of this form, for secret scanners; the last six characters are the checksum. */
export const SECRET_PATTERN = /^pstn_(?:wo|ro|rw|mt)_[0-9A-Za-z]{49}$/;

export type SecretChecksum = 'valid' | 'mistyped' | 'foreign';

const PREFIXES: Readonly<Record<KeyType, string>> = {
  'write-only': 'pstn_wo_',
  'read-only': 'pstn_ro_',
  'read-write': 'pstn_rw_',
  metrics: 'pstn_mt_',
};

const RANDOM_BYTES = 32;
/** 62 ** 43 exceeds 2 ** 256, and 62 ** 6 exceeds 2 ** 32. */
const RANDOM_DIGITS = 43;
const CHECKSUM_DIGITS = 6;

/** A new secret for a key of this type. `random` yields that many bytes fit for keys. */
export function makeSecret(type: KeyType, random: (bytes: number) => Uint8Array): string {
  const number = BigInt(`0x${Buffer.from(random(RANDOM_BYTES)).toString('hex')}`);
  const body = `${PREFIXES[type]}${base62(number, RANDOM_DIGITS)}`;
  return body + checksum(body);
}

/** Whether a text is a whole secret of this form, one with a typing error, or something else altogether. */
export function verifySecretChecksum(text: string): SecretChecksum {
  if (!text.startsWith('pstn_')) return 'foreign';
  if (!SECRET_PATTERN.test(text)) return 'mistyped';
  return checksum(text.slice(0, -CHECKSUM_DIGITS)) === text.slice(-CHECKSUM_DIGITS) ? 'valid' : 'mistyped';
}

const checksum = (body: string): string => base62(BigInt(crc32(body)), CHECKSUM_DIGITS);

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function base62(number: bigint, length: number): string {
  let rest = number;
  let text = '';
  for (let place = 0; place < length; place++) {
    text = DIGITS.charAt(Number(rest % 62n)) + text;
    rest /= 62n;
  }
  return text;
}
