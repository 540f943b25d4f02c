/**
 * Whether an answer tells its own end. Pure; decides nothing about what an answer says.
 */
import { hasField } from '../lib/header-list.ts';

/** Whether the end of an answer is told by its header section, and not by the closing of the connection alone. */
export const tellsItsEnd = (headers: readonly string[]): boolean =>
  hasField(headers, 'content-length') || hasField(headers, 'transfer-encoding');
