/**
 * Decodes percent-encoded text that may be malformed, without exceptions: one for each of thousands of broken escapes would cost
 * a hundred times as much as the decoding. Judges nothing.
 */
import { isUtf8 } from 'node:buffer';

/** What a run of whole escapes (`%c3%a9`) means in UTF-8, or null: it is no UTF-8. */
export function decodeEscapes(escapes: string): string | null {
  const bytes = Buffer.from(escapes.replaceAll('%', ''), 'hex');
  return isUtf8(bytes) ? bytes.toString() : null;
}
