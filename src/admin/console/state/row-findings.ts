/**
 * What stays true of the findings of the last attempt to save while a form is typed into: a finding goes with the value that it was
 * about, and those of later rows move up when a row is removed.
 */
import type { Finding } from '../api/types.ts';

/** `field` as the server names it, such as `allowFrom`; `before` and `after`: what stood there, and what does now. */
export function findingsAfter(
  findings: readonly Finding[],
  field: string,
  { before, after }: { readonly before: unknown; readonly after: unknown },
): readonly Finding[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return findings;
  if (!Array.isArray(before) || !Array.isArray(after)) return findings.filter((one) => placeIn(one, field) === null);
  const changed = before.findIndex((row, at) => JSON.stringify(row) !== JSON.stringify(after[at]));
  const removed = before.length - after.length;
  return findings.flatMap((finding) => {
    const at = placeIn(finding, field);
    if (at === null) return [finding];
    if (at === 'whole') return [];
    if (changed === -1 || at < changed) return [finding];
    if (removed <= 0) return at === changed ? [] : [finding];
    return at < changed + removed ? [] : [movedTo(finding, field, { from: at, to: at - removed })];
  });
}

/** The row of the field that a finding is about; null: it is about another field. */
function placeIn({ field: found }: Finding, field: string): number | 'whole' | null {
  if (!found.startsWith(field)) return null;
  const [, index] = /^\[(\d+)\]/.exec(found.slice(field.length)) ?? [];
  if (index !== undefined) return Number(index);
  return /^(?:$|[.[])/.test(found.slice(field.length)) ? 'whole' : null;
}

function movedTo(
  { field: found, message }: Finding,
  field: string,
  { from, to }: { from: number; to: number },
): Finding {
  const place = (index: number): string => `${field}[${index}]`;
  const moved = (text: string): string =>
    text.startsWith(place(from)) ? place(to) + text.slice(place(from).length) : text;
  return { field: moved(found), message: moved(message) };
}
