/**
 * The identifier that ties an answer, a log line and the backend's own log together. It authenticates nothing.
 */
import { randomBytes } from 'node:crypto';

const ACCEPTABLE = /^[A-Za-z0-9._-]{1,128}$/;

/** Makes identifiers that are unique over replicas and restarts: 72 random bits a process, then a counter. */
export function requestIds(): () => string {
  const prefix = randomBytes(9).toString('base64url').replaceAll(/[_-]/g, 'x');
  let count = 0;
  return () => `${prefix}.${(count++).toString(36)}`;
}

/** The client's own identifier, if it is one that can do no harm in a header or a log; else null. */
export function acceptableRequestId(value: string | undefined): string | null {
  return value !== undefined && ACCEPTABLE.test(value) ? value : null;
}
