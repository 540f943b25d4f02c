/**
 * Whether a body is one JSON text and nothing else. Where its value ends is found by whoever scans it.
 */
import { isUtf8 } from 'node:buffer';
import { INVALID, skipSpace } from './scan.ts';

/** Whether the one value that ends at `stop` is all that the body holds, and its bytes are UTF-8 (RFC 8259 section 8.1). */
export function isWhole(body: Buffer, stop: number): boolean {
  return stop !== INVALID && skipSpace(body, stop) === body.length && isUtf8(body);
}
