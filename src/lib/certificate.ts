/**
 * Reads certificates and private keys from PEM text, and says what keeps them from being used. Stricter than OpenSSL, which takes
 * the beginning of a file that is still being written for the whole. Shows nothing of a key, and reads no file.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { createLruMap } from './lru-map.ts';

/** PEM texts; null where there is none. */
export interface TlsTexts {
  /** Of the authorities that may sign the other side's certificate. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

const KINDS: ReadonlySet<string> = new Set(['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE']);

/** What keeps a text from being one or several certificates, as the end of a sentence about the field; null: nothing. */
export const certificatesMistake = (pem: string): string | null => certificatesIn(pem).mistake;

/** The same for an unencrypted private key. */
export const privateKeyMistake = (pem: string): string | null =>
  isCutShort(pem) || privateKeyOf(pem) === null
    ? 'names a file that holds no unencrypted private key in PEM form'
    : null;

/** What keeps a certificate and a key, each right by itself, from being used together. */
export function pairMistake(cert: string, key: string): string | null {
  const own = certificateOf(certificateBlocks(cert)[0] ?? '');
  const privateKey = privateKeyOf(key);
  if (own === null || privateKey === null || !own.checkPrivateKey(privateKey))
    return 'is not the private key of the certificate in `certFile`';
  try {
    createSecureContext({ cert, key });
    return null;
  } catch (error) {
    // OpenSSL's reason, such as a key that is too short, names nothing of what it read.
    return `cannot be used with its certificate (${(error as { reason?: string }).reason ?? 'OpenSSL refuses it'})`;
  }
}

/** When the first certificate of a text ends, which is the one that is shown; milliseconds since the epoch. */
export const ownExpiry = (pem: string): number => certificatesIn(pem).ends[0] ?? NaN;

/** When the first certificate of a text begins to be valid; milliseconds since the epoch. */
export const ownStart = (pem: string): number => certificatesIn(pem).starts[0] ?? NaN;

/** When the last certificate of a text ends: until then some authority is left. */
export const lastExpiry = (pem: string): number => Math.max(...certificatesIn(pem).ends);

interface Certificates {
  readonly mistake: string | null;
  /** When each begins and ends; NaN for one that cannot be read. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** A bundle of authorities takes tens of milliseconds, stands in many places as a rule, and is asked about more than once. */
const READ_LAST = 8;
const readLast = createLruMap<string, Certificates>(READ_LAST);

function certificatesIn(pem: string): Certificates {
  const known = readLast.get(pem);
  if (known !== undefined) return known;
  const read = certificateBlocks(pem).map(certificateOf);
  const starts = read.map((one) => Date.parse(one?.validFrom ?? ''));
  const ends = read.map((one) => Date.parse(one?.validTo ?? ''));
  const certificates = { mistake: mistakeOf(pem, ends), starts, ends };
  readLast.set(pem, certificates);
  return certificates;
}

function mistakeOf(pem: string, ends: readonly number[]): string | null {
  if (isCutShort(pem)) return 'names a file that is cut short, or holds a broken PEM block';
  if (ends.length === 0) return 'names a file that holds no certificate in PEM form';
  return ends.some(Number.isNaN) ? 'names a file with a certificate that cannot be read' : null;
}

interface Blocks {
  readonly whole: readonly { readonly kind: string; readonly text: string }[];
  /** What stands around them. */
  readonly rest: string;
}

/** Whole blocks of PEM. Other text may stand between them (RFC 7468 5.2). */
function blocksIn(pem: string): Blocks {
  const whole: { kind: string; text: string }[] = [];
  let rest = '';
  let from = 0;
  for (const { index, 1: kind = '' } of pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)) {
    const close = `-----END ${kind}-----`;
    const end = pem.indexOf('-----', index + `-----BEGIN ${kind}-----`.length);
    if (end === -1 || !pem.startsWith(close, end)) continue;
    whole.push({ kind, text: pem.slice(index, end + close.length) });
    rest += pem.slice(from, index);
    from = end + close.length;
  }
  return { whole, rest: rest + pem.slice(from) };
}

const certificateBlocks = (pem: string): string[] =>
  blocksIn(pem).whole.flatMap(({ kind, text }) => (KINDS.has(kind) ? [text] : []));

/** Whether a block begins or ends outside of a whole one. */
function isCutShort(pem: string): boolean {
  const rest = blocksIn(pem).rest.trimEnd();
  return /-----(?:BEGIN|END) /.test(rest) || rest.slice(rest.lastIndexOf('\n') + 1).startsWith('--');
}

function certificateOf(block: string): X509Certificate | null {
  try {
    return new X509Certificate(block);
  } catch {
    return null;
  }
}

function privateKeyOf(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
}
