/**
 * How a careless backend reads a path: each leniency seen in the wild as a switch. Written apart from the code under test,
 * segment by segment, so that both cannot share a mistake.
 */
import type { RouteDefinition } from '../../src/config/route-definition.ts';

export interface Leniency {
  /** How often percent-encoding is decoded; 0 leaves it. */
  readonly decodes: 0 | 1 | 2;
  /** Whether segments are told apart only after decoding, so that an encoded slash is one. */
  readonly splitsLate: boolean;
  readonly foldsCase: boolean;
  readonly collapsesSlashes: boolean;
  /** When `;parameters` are dropped. */
  readonly dropsParameters: 'never' | 'before decoding' | 'after decoding';
  readonly readsBackslashes: boolean;
  /** Whether an encoded `?` or `#` ends the path. */
  readonly cutsLateQuery: boolean;
  /** Whether dots and spaces at a segment's end are dropped, as Windows does. */
  readonly trimsSegments: boolean;
}

/** Every combination of leniencies. */
export const LENIENCIES: readonly Leniency[] = [0, 1, 2].flatMap((decodes) =>
  (['never', 'before decoding', 'after decoding'] as const).flatMap((dropsParameters) =>
    Array.from({ length: 64 }, (_, bits) => ({
      decodes: decodes as 0 | 1 | 2,
      dropsParameters,
      splitsLate: (bits & 1) !== 0,
      foldsCase: (bits & 2) !== 0,
      collapsesSlashes: (bits & 4) !== 0,
      readsBackslashes: (bits & 8) !== 0,
      cutsLateQuery: (bits & 16) !== 0,
      trimsSegments: (bits & 32) !== 0,
    })),
  ),
);

export interface LenientReading {
  /** As the backend routes by them, dot segments resolved. */
  readonly segments: readonly string[];
  /** Whether there were dot segments to resolve. */
  readonly hadDots: boolean;
}

export function readLeniently(path: string, leniency: Leniency): LenientReading {
  let segments = path.split('/').slice(1);
  if (leniency.dropsParameters === 'before decoding') segments = segments.map(dropParameters);
  for (let i = 0; i < leniency.decodes; i++) segments = segments.map(decodeLeniently);
  if (leniency.readsBackslashes) segments = segments.map((segment) => segment.replaceAll('\\', '/'));
  if (leniency.cutsLateQuery) segments = cutQuery(segments);
  if (leniency.splitsLate) segments = segments.flatMap((segment) => segment.split('/'));
  if (leniency.dropsParameters === 'after decoding') segments = segments.map(dropParameters);
  if (leniency.trimsSegments)
    segments = segments.map((segment) => (/^\.\.?$/.test(segment) ? segment : segment.replace(/[. ]+$/, '')));
  if (segments.at(-1) === '') segments = segments.slice(0, -1);
  if (leniency.collapsesSlashes) segments = segments.filter((segment) => segment !== '');
  if (leniency.foldsCase) segments = segments.map((segment) => segment.toUpperCase().toLowerCase());
  return resolveDots(segments);
}

/** The listed route that a backend with these segments finds: literal segments before parameters, from the left. */
export function findLeniently(
  routes: readonly RouteDefinition[],
  method: string,
  segments: readonly string[],
): RouteDefinition | null {
  const found = routes
    .filter((route) => route.method === method && matches(route.path.split('/').slice(1), segments))
    .sort((a, b) => (rank(a.path) < rank(b.path) ? -1 : 1));
  return found[0] ?? null;
}

const dropParameters = (segment: string): string => segment.replace(/;.*$/s, '');

/** Byte by byte: what is no UTF-8 becomes U+FFFD, and a broken escape stays. */
function decodeLeniently(segment: string): string {
  const bytes: number[] = [];
  for (let i = 0; i < segment.length; i++) {
    const hex = segment.slice(i + 1, i + 3);
    if (segment[i] === '%' && /^[0-9a-fA-F]{2}$/.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      i += 2;
    } else bytes.push(...Buffer.from(segment.charAt(i)));
  }
  return Buffer.from(bytes).toString('utf8');
}

function cutQuery(segments: readonly string[]): string[] {
  const at = segments.findIndex((segment) => /[?#]/.test(segment));
  return at === -1 ? [...segments] : segments.slice(0, at + 1).map((segment) => segment.replace(/[?#].*$/s, ''));
}

function resolveDots(segments: readonly string[]): LenientReading {
  const resolved: string[] = [];
  let hadDots = false;
  for (const segment of segments) {
    if (segment === '.' || segment === '..') hadDots = true;
    if (segment === '..') resolved.pop();
    else if (segment !== '.') resolved.push(segment);
  }
  return { segments: resolved, hadDots };
}

const matches = (pattern: readonly string[], segments: readonly string[]): boolean =>
  pattern.length === segments.length &&
  pattern.every((part, i) => (part.startsWith(':') ? segments[i] !== '' : part === segments[i]));

const rank = (path: string): string => path.replace(/[^/:]+/g, '0').replace(/:0/g, '1');
