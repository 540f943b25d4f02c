/**
 * How a backend's answer is framed: its header bytes as text, whether it tells its own end, and what makes it readable in two ways.
 * Pure; decides nothing about what an answer says.
 */
import { hasField } from '../lib/header-list.ts';

/** Header bytes are latin1 on the wire (RFC 9110 5.5): no byte is lost or changed. */
export function decode(raw: readonly (string | Buffer)[]): string[] {
  const decoded: string[] = [];
  for (const part of raw) decoded.push(typeof part === 'string' ? part : part.toString('latin1'));
  return decoded;
}

/** Whether the end of an answer is told by its header section, and not by the closing of the connection alone. */
export const tellsItsEnd = (headers: readonly string[]): boolean =>
  hasField(headers, 'content-length') || hasField(headers, 'transfer-encoding');

/** The framing of an answer must have one reading (RFC 9112 6.3), whatever the parser made of it. */
export function flawOf(headers: readonly string[]): string | null {
  let lengths = 0;
  let codings = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length === 14 && name.toLowerCase() === 'content-length') lengths += 1;
    else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
      codings += 1;
      if ((headers[i + 1] as string).trim().toLowerCase() !== 'chunked') return 'transfer coding other than chunked';
    }
  }
  if (lengths > 1) return 'repeated Content-Length';
  if (codings > 1) return 'repeated Transfer-Encoding';
  return lengths > 0 && codings > 0 ? 'Content-Length with Transfer-Encoding' : null;
}
