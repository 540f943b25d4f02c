/**
 * The form of one header field (RFC 9110 5): what no server should take as one, or not every server as the same one.
 * What fields mean, and which of them may stand together, is not judged here.
 */
import { foldFieldName } from '../lib/header-list.ts';

/** RFC 9110 5.6.2. */
export const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** What is wrong with a field name, which is a token (RFC 9110 5.1); null: nothing. */
export function nameProblem(name: string): string | null {
  if (!TOKEN.test(name)) return 'a header field name is not a token';
  return looksLikeFraming(name) ? 'a header field name could be read as Content-Length or Transfer-Encoding' : null;
}

/** What is wrong with a field value, which holds no control character but the tab (RFC 9110 5.5); null: nothing. */
export function valueProblem(value: string): string | null {
  // oxlint-disable-next-line no-control-regex
  return /[\0-\x08\x0a-\x1f\x7f]/.test(value) ? 'a header field value holds a control character' : null;
}

/** `Transfer_Encoding` is Transfer-Encoding to servers that fold names for CGI (RFC 3875 4.1.18) or environment variables. */
function looksLikeFraming(name: string): boolean {
  if (name.length !== CONTENT_LENGTH.length && name.length !== TRANSFER_ENCODING.length) return false;
  if (!/[^A-Za-z0-9-]/.test(name)) return false;
  const folded = foldFieldName(name);
  return folded === CONTENT_LENGTH || folded === TRANSFER_ENCODING;
}

const CONTENT_LENGTH = 'content-length';
const TRANSFER_ENCODING = 'transfer-encoding';
