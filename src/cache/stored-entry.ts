/**
 * The bytes of a cache entry in Redis: a version, a digest over everything, a description as JSON, the body. Reading gives
 * back exactly what was written under the same key, or nothing.
 */
import { createHash } from 'node:crypto';
import type { CacheEntry } from './store.ts';

export interface StoredEntry {
  readonly entry: CacheEntry;
  /** When it is over, in milliseconds since the epoch, by the clock of the process that wrote it. */
  readonly expiresAt: number;
  /** What was current when it was written; another one since means that everything was purged. */
  readonly generation: string;
}

/** Raised whenever these bytes, or what they mean, change: the entries of another version are none. */
const MAGIC = Buffer.from('postern-cache-1\n');
const DIGEST_BYTES = 32;
const HEADER_BYTES = MAGIC.length + DIGEST_BYTES + 4;

/** Writes an entry for one key. */
export function encodeEntry(key: string, { entry, expiresAt, generation }: StoredEntry): Buffer {
  const { body, ...described } = entry.kind === 'answer' ? entry : { ...entry, body: Buffer.alloc(0) };
  const description = Buffer.from(JSON.stringify({ ...described, expiresAt, generation }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(description.length);
  return Buffer.concat([MAGIC, digestOf(key, [length, description, body]), length, description, body]);
}

/** Reads an entry of one key; undefined for anything that is not a whole, unchanged entry of this version and this key. */
export function decodeEntry(key: string, bytes: Buffer): StoredEntry | undefined {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const digest = bytes.subarray(MAGIC.length, MAGIC.length + DIGEST_BYTES);
  const rest = bytes.subarray(MAGIC.length + DIGEST_BYTES);
  if (!digestOf(key, [rest]).equals(digest)) return undefined;
  const end = 4 + rest.readUInt32BE();
  if (end > rest.length) return undefined;
  return readDescription(rest.toString('utf8', 4, end), rest.subarray(end));
}

function digestOf(key: string, parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256').update(`${key}\n`);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** The digest tells that a Postern wrote this; the shape is looked at all the same, because Redis is not ours alone. */
function readDescription(json: string, body: Buffer): StoredEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { expiresAt, generation, kind, ...fields } = value as Record<string, unknown>;
  if (!isCount(expiresAt) || typeof generation !== 'string') return undefined;
  const entry = kind === 'answer' ? answerOf(fields, body) : kind === 'vary' ? varyOf(fields, body) : undefined;
  return entry && { entry, expiresAt, generation };
}

function answerOf(fields: Readonly<Record<string, unknown>>, body: Buffer): CacheEntry | undefined {
  const { status, statusText, headers, storedAt, freshMs, initialAge } = fields;
  if (!isCount(status) || status < 200 || status > 599 || typeof statusText !== 'string') return undefined;
  if (!isTexts(headers) || headers.length % 2 !== 0 || !headers.every(isFieldText)) return undefined;
  if (!isCount(storedAt) || !isCount(freshMs) || !isCount(initialAge)) return undefined;
  return { kind: 'answer', status, statusText, headers, storedAt, freshMs, initialAge, body };
}

function varyOf({ names }: Readonly<Record<string, unknown>>, body: Buffer): CacheEntry | undefined {
  return isTexts(names) && body.length === 0 ? { kind: 'vary', names } : undefined;
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;

/** What can be written into a header section, and into it alone (RFC 9110 5.5). */
const isFieldText = (text: string): boolean => /^[\t\x20-\x7e\x80-\xff]*$/.test(text);

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((text) => typeof text === 'string');
