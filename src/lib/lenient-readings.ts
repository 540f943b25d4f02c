/**
 * What an ambiguous path may mean to any backend: every order of every step that some server takes before it looks for a file or a
 * handler. Wider than `readPath`, which is for paths that are let through; made to find out where a path can never lead.
 */
import { COOKIELESS_SESSION, decode, decomposeWithoutMarks, isAscii } from './path-reading.ts';

/** Longer paths, and those with more readings, are given up: the work must not be a stranger's to choose. */
const LONGEST_PATH = 1024;
const MOST_READINGS = 64;
/** An escape that is nested deeper is given up. */
const DEEPEST_ESCAPE = 4;

/** Every reading of a path without its query; null: they cannot be told. */
export function lenientReadings(path: string): readonly string[] | null {
  if (path.length > LONGEST_PATH || !isReadable(path)) return null;
  const readings = new Set([path]);
  for (const reading of readings) {
    for (const step of STEPS) readings.add(step(reading));
    if (readings.size > MOST_READINGS) return null;
  }
  return [...readings];
}

/** Whether its escapes, undone as often as there are any, are text in which nothing is hidden. */
function isReadable(path: string): boolean {
  let text = path;
  for (let depth = 0; depth <= DEEPEST_ESCAPE; depth++) {
    if (hides(text)) return false;
    if (!text.includes('%')) return true;
    const decoded = decode(text);
    // A broken escape, or one that is no UTF-8: every server makes something else of it.
    if (decoded === text) return false;
    text = decoded;
  }
  return false;
}

/** Controls, what shows nothing, and what some servers take for a delimiter: its compatibility forms, and what code pages make of it. */
function hides(text: string): boolean {
  // oxlint-disable-next-line no-control-regex
  if (/[\0-\x1f\x7f-\x9f\u00a5\u20a9\u2044\u2215\u2216\ufffd]|\p{Default_Ignorable_Code_Point}/u.test(text))
    return true;
  // oxlint-disable-next-line no-control-regex
  return !isAscii(text) && /[/\\.;%]/.test(decomposeWithoutMarks(text.replace(/[\0-\x7f]/g, '')));
}

const STEPS: readonly ((path: string) => string)[] = [
  decode,
  // Some take an encoded slash for data.
  (path) => decode(path.replace(/%2f/gi, '%252F')),
  (path) => path.replaceAll('\\', '/'),
  (path) => path.replace(/;[^/]*/g, ''),
  (path) => path.replace(/[?#].*/s, ''),
  (path) => path.replace(/\/{2,}/g, '/'),
  (path) => path.split('/').map(withoutEnd).join('/'),
  (path) => path.split('/').map(withoutSpace).join('/'),
  withoutDotSegments,
  (path) => path.replace(COOKIELESS_SESSION, ''),
  // Whoever resolves it as a reference reads a host name (RFC 3986 4.2), browsers behind any number of slashes.
  (path) => path.replace(/^\/{2,}[^/]*/, ''),
];

/** As Windows names files: without the dots and spaces at the end of a segment. */
function withoutEnd(segment: string): string {
  let end = segment.length;
  while (end > 0 && (segment[end - 1] === '.' || segment[end - 1] === ' ')) end--;
  return segment.slice(0, end);
}

/** Without the white space around it, of which a plus is one to some. */
function withoutSpace(segment: string): string {
  let start = 0;
  let end = segment.length;
  while (end > 0 && isSpace(segment[end - 1] as string)) end--;
  while (start < end && isSpace(segment[start] as string)) start++;
  return segment.slice(start, end);
}

const isSpace = (character: string): boolean => /[\s+]/.test(character);

/** RFC 3986 5.2.4, and as browsers and Node have it: an encoded dot is one here, and nothing is above the root. */
function withoutDotSegments(path: string): string {
  if (!/\/(?:\.|%2e)/i.test(path)) return path;
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  segments.forEach((segment, i) => {
    const dots = segment.length > LONGEST_DOTS ? segment : segment.replace(/%2e/gi, '.');
    if (dots === '..') kept.pop();
    if (dots !== '.' && dots !== '..') kept.push(segment);
    else if (i === segments.length - 1) kept.push('');
  });
  return `/${kept.join('/')}`;
}

const LONGEST_DOTS = '%2e%2e'.length;
