/** The time as every log line writes it: RFC 3339 in UTC with milliseconds. */

let lastTime = Number.NaN;
let lastText = '';

/** `2026-01-31T12:00:00.000Z`. Lines of the same millisecond share one text, because making it costs more than the rest of a line. */
export function isoTime(epochMs: number): string {
  if (epochMs !== lastTime) {
    lastText = new Date(epochMs).toISOString();
    lastTime = epochMs;
  }
  return lastText;
}
