/**
 * The field `traceparent` of W3C Trace Context: read strictly, and written. What is not of the form says nothing: what comes out
 * is hex digits of a known number or null.
 */

export interface TraceParent {
  /** 32 hex digits, not all of them zero. */
  readonly traceId: string;
  /** Who called: 16 hex digits, not all of them zero. */
  readonly spanId: string;
  /** The caller keeps its part of the trace. */
  readonly sampled: boolean;
}

/** `version "-" trace-id "-" parent-id "-" flags`; later versions may add more (W3C Trace Context 3.2.2). */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-[^,]*)?$/;

const SAMPLED = 1;

/** null: the field is not there, not of the form, or repeated, which a comma tells (W3C Trace Context 3.2). */
export function readTraceparent(text: string | undefined): TraceParent | null {
  if (text === undefined) return null;
  const [, version, traceId, spanId, flags = '', more] = TRACEPARENT.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || (version === '00' && more !== undefined)) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

export function writeTraceparent({ traceId, spanId, sampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}
