/**
 * Decodes percent-encoded text that may be malformed, and says whether it is. Parts of it are decoded without exceptions: one for
 * each of thousands of broken escapes would cost a hundred times as much as the decoding.
 */
import { isUtf8 } from 'node:buffer';

/** What a run of whole escapes (`%c3%a9`) means in UTF-8, or null: it is no UTF-8. */
export function decodeEscapes(escapes: string): string | null {
  const bytes = Buffer.from(escapes.replaceAll('%', ''), 'hex');
  return isUtf8(bytes) ? bytes.toString() : null;
}

/** Whether every `%` begins an escape, and the escapes are UTF-8 (RFC 3629). */
export function isPercentEncoded(text: string): boolean {
  try {
    // What it yields has to be used: bundlers take the call for one without effect, and would leave it out.
    return decodeURIComponent(text) !== null;
  } catch {
    return false;
  }
}
