/**
 * The certificates in use: read anew whenever a configuration is put to use, and kept where what is read now cannot be used, so
 * that a renewal that goes wrong ends no service. Opens no connection.
 */
import { fieldName } from './config/problem.ts';
import { textsOfTls, tlsFindings, type TlsPlace } from './config/tls-files.ts';
import { ownExpiry, ownStart, type TlsTexts } from './lib/certificate.ts';
import type { Log } from './observability/log.ts';

export interface Certificates {
  /** What is in use, by the name of the place. */
  readonly of: (name: string) => TlsTexts;
  /** Calls the listener with what is in use at a place from then on. */
  readonly follow: (name: string, listener: (texts: TlsTexts) => void) => void;
  /**
   * Reads what the files of all places hold now, or held last when that could be used.
   *
   * @throws Error that names the field, where they cannot be used and never could
   */
  readonly read: (places: readonly TlsPlace[]) => CertificateSet;
  /** Of the two ports, where they speak TLS. */
  readonly ofPorts: () => readonly CertificateStatus[];
  /** What the files of TLS to backends hold is in use. */
  readonly backendsAreCurrent: () => boolean;
}

export interface CertificateSet {
  readonly of: (name: string) => TlsTexts;
  /** Makes these the ones in use, tells those who follow, and logs what became of them. */
  readonly use: () => void;
}

export interface CertificateStatus {
  /** The place: `listen`, `admin` or `apis.NAME`. */
  readonly name: string;
  /** Of the own certificate in use, in milliseconds since the epoch; NaN: there is none. */
  readonly expiresAt: number;
  /** What the files hold is in use. */
  readonly isCurrent: boolean;
}

interface Kept extends CertificateStatus {
  /** The names of the files; their content may change, and is kept. */
  readonly files: string;
  readonly texts: TlsTexts;
  /** What to log of this reading; null: nothing. */
  readonly news: string | null;
  /** When what the files hold can be used, in milliseconds since the epoch; Infinity: that is no question of time. */
  readonly awaited: number;
}

export interface CertificatePorts {
  readonly log: Pick<Log, 'info' | 'error'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Reads those of the first configuration. @throws Error that names the field of one that cannot be used */
export function createCertificates(first: readonly TlsPlace[], { log, now }: CertificatePorts): Certificates {
  let inUse: ReadonlyMap<string, Kept> = new Map();
  const followers = new Map<string, (texts: TlsTexts) => void>();
  let waiting: NodeJS.Timeout | undefined;

  function read(places: readonly TlsPlace[]): CertificateSet {
    const next = new Map(places.map((place) => [place.name, readPlace(place, inUse.get(place.name), now())]));
    return { of: (name) => (next.get(name) as Kept).texts, use: () => use(places, next) };
  }

  function use(places: readonly TlsPlace[], next: ReadonlyMap<string, Kept>): void {
    const before = inUse;
    inUse = next;
    clearTimeout(waiting);
    const awaited = Math.min(...[...next.values()].map((one) => one.awaited));
    if (awaited < Infinity) waiting = setTimeout(() => read(places).use(), pauseBefore(awaited - now())).unref();
    for (const { name, texts, news, isCurrent } of next.values()) {
      if (before.get(name)?.texts !== texts) followers.get(name)?.(texts);
      if (news === null) continue;
      if (isCurrent) log.info('certificate_renewed', { use: name, detail: news });
      else log.error('certificate_kept', { use: name, detail: news });
    }
  }

  read(first).use();
  return {
    of: (name) => (inUse.get(name) as Kept).texts,
    follow: (name, listener) => void followers.set(name, listener),
    read,
    ofPorts: () => [...inUse.values()].filter(isOfPort),
    backendsAreCurrent: () => [...inUse.values()].every((one) => isOfPort(one) || one.isCurrent),
  };
}

/** A timer cannot wait for a month, and clocks are set meanwhile. */
const LONGEST_PAUSE_MS = 86_400_000;
const SHORTEST_PAUSE_MS = 1000;

const pauseBefore = (ms: number): number => Math.min(Math.max(ms, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS);

const isOfPort = ({ name }: Kept): boolean => name === 'listen' || name === 'admin';

function readPlace(place: TlsPlace, last: Kept | undefined, now: number): Kept {
  const files = JSON.stringify([place.caFile, place.certFile, place.keyFile]);
  // Files that the configuration names for the first time have nothing to fall back on.
  const before = last?.files === files ? last : null;
  const texts = textsOfTls(place);
  const current = { isCurrent: true, news: null, awaited: Infinity };
  if (before !== null && isSame(before.texts, texts))
    return { ...before, ...current, news: before.isCurrent ? null : 'the files hold what is in use again' };
  const mistakes = tlsFindings(place, texts).map(({ path, message }) => `${fieldName(path)} ${message}`);
  const isUsable = texts.cert !== null && mistakes.length === 0;
  const expiresAt = isUsable ? ownExpiry(texts.cert) : NaN;
  if (before === null) {
    if (mistakes.length > 0) throw new Error(mistakes.join('; '));
    // One that has expired, or is not valid yet, is used all the same: there is none that is better.
    return { name: place.name, files, texts, expiresAt, ...current };
  }
  // One that is in use already gets no worse by a change of the authorities beside it.
  const isNew = isUsable && texts.cert !== before.texts.cert;
  const validFrom = isNew ? ownStart(texts.cert) : NaN;
  const certificate = `${fieldName([...place.path, 'certFile'])} names a certificate that`;
  if (isNew && expiresAt <= now) mistakes.push(`${certificate} expired on ${timeOf(expiresAt)}`);
  else if (validFrom > now) mistakes.push(`${certificate} is not valid before ${timeOf(validFrom)}`);
  if (mistakes.length > 0) {
    const news = `${mistakes.join('; ')}; the last ones stay in use`;
    return { ...before, isCurrent: false, news, awaited: validFrom > now ? validFrom : Infinity };
  }
  const hasNewPair = isNew || texts.ca === before.texts.ca;
  const news = hasNewPair ? `it expires on ${timeOf(expiresAt)}` : 'the authorities changed';
  return { ...before, ...current, texts, expiresAt, news };
}

const isSame = (a: TlsTexts, b: TlsTexts): boolean => a.ca === b.ca && a.cert === b.cert && a.key === b.key;

const timeOf = (at: number): string => new Date(at).toISOString();
