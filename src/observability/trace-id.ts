/**
 * Which trace a request says that it belongs to, as the field `traceparent` of W3C Trace Context has it. Believes nothing that is
 * not of that form: what comes out is 32 hex digits or nothing.
 */

/** `version "-" trace-id "-" parent-id "-" flags`; later versions may add more (W3C Trace Context 3.2.2). */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;

/** The trace id; null: the field is not there, or says none. */
export function traceIdIn(traceparent: string | undefined): string | null {
  if (traceparent === undefined) return null;
  const [, version, traceId, more] = TRACEPARENT.exec(traceparent) ?? [];
  return traceId === undefined || (version === '00' && more !== undefined) ? null : traceId;
}
