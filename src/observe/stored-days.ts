/**
 * A file of observations as text: one line for each caller and day, between a first and a last one. Read line by line, since all of
 * it as values would take ten times its size. Keeps nothing, and writes no file.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { DAY_MS, packed, type ObservedDay, type Subject } from './observations.ts';
import { dateOf } from './store.ts';
import { readCounts, writeCounts } from './written-counts.ts';

/** A day of a caller, as it is kept. */
export interface StoredDay {
  readonly subject: Subject;
  /** The number of the day since the epoch. */
  readonly day: number;
  /** As `packed` makes it. */
  readonly text: Buffer;
}

const VERSION = 1;
/** The first line, and the last. Those between end in a comma, all but the last of them: the whole is one JSON text. */
export const HEAD = `{"version":${VERSION},"observed":[`;
export const TAIL = ']}';

/** The line of a day, without what separates it from the next. */
export function lineOf({ subject, day, kept }: ObservedDay): string {
  const head = JSON.stringify({ day: dateOf(day), ...subject });
  const counts = Buffer.isBuffer(kept) ? kept.toString() : JSON.stringify(writeCounts(kept));
  return `${head.slice(0, -1)},${counts.slice(1)}`;
}

/** All days in the file, or null: one of them is none, or it was cut short. Throws what the file system does. */
export function readDays(path: string): StoredDay[] | null {
  const lines = linesIn(path);
  try {
    const days: StoredDay[] = [];
    for (const written of writtenIn(lines)) {
      const day = storedDay(written);
      if (day === null) return null;
      days.push(day);
    }
    return days;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  } finally {
    lines.return(undefined);
  }
}

/** What stands in the lines, one by one. Throws a SyntaxError for anything but a file of observations. */
function* writtenIn(lines: Generator<string, void>): Generator {
  const first = lines.next();
  if (first.value !== HEAD) return yield* writtenOtherwise([first.value ?? '', ...lines]);
  let hasEnd = false;
  for (const line of lines) {
    if (line === '') continue;
    if (hasEnd) throw new SyntaxError('more than one JSON text');
    hasEnd = line === TAIL;
    if (!hasEnd) yield JSON.parse(line.endsWith(',') ? line.slice(0, -1) : line) as unknown;
  }
  if (!hasEnd) throw new SyntaxError('it was cut short');
}

/** The same text in another layout. */
function writtenOtherwise(lines: readonly string[]): readonly unknown[] {
  const document = JSON.parse(lines.join('\n')) as { readonly version?: unknown; readonly observed?: unknown } | null;
  if (document?.version !== VERSION || !Array.isArray(document.observed)) throw new SyntaxError('no observations');
  return document.observed;
}

function storedDay(written: unknown): StoredDay | null {
  const counts = readCounts(written, () => true);
  if (counts === null || !isDay(written)) return null;
  const { day, kind, name } = written;
  return { subject: { kind, name }, day: Date.parse(day) / DAY_MS, text: packed(counts) };
}

interface WrittenDay {
  readonly day: string;
  readonly kind: Subject['kind'];
  readonly name: string;
}

function isDay(written: unknown): written is WrittenDay {
  const { day, kind, name } = written as Partial<Record<keyof WrittenDay, unknown>>;
  return (
    typeof day === 'string' &&
    /^\d{4}-\d\d-\d\d$/.test(day) &&
    Number.isInteger(Date.parse(day) / DAY_MS) &&
    (kind === 'key' || kind === 'api') &&
    typeof name === 'string'
  );
}

const CHUNK_BYTES = 262_144;
const LINE_END = 0x0a;

/** The lines of a file, of which never more than one is in memory, and a piece of the next. */
function* linesIn(path: string): Generator<string, void> {
  const file = openSync(path, 'r');
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let begun: Buffer[] = [];
    for (let size = readSync(file, chunk); size > 0; size = readSync(file, chunk)) {
      let from = 0;
      for (let end = chunk.indexOf(LINE_END); end !== -1 && end < size; end = chunk.indexOf(LINE_END, from)) {
        yield Buffer.concat([...begun, chunk.subarray(from, end)]).toString();
        begun = [];
        from = end + 1;
      }
      begun.push(Buffer.from(chunk.subarray(from, size)));
    }
    const last = Buffer.concat(begun).toString();
    if (last !== '') yield last;
  } finally {
    closeSync(file);
  }
}
