/**
 * The certificates, keys and authorities that the configuration names: where they stand, what they hold, and what is wrong with
 * them. Uses none of them, and keeps nothing.
 */
import {
  certificatesMistake,
  lastExpiry,
  ownExpiry,
  ownStart,
  pairMistake,
  privateKeyMistake,
  type TlsTexts,
} from '../lib/certificate.ts';
import { readWhole } from '../lib/files.ts';
import type { Finding } from './issue.ts';
import type { Config } from './schema.ts';

/** One section `tls` of the configuration. */
export interface TlsPlace {
  /** `listen`, `admin` or `apis.NAME`. */
  readonly name: string;
  /** Where the section stands. */
  readonly path: readonly string[];
  readonly caField: 'caFile' | 'clientCaFile';
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
}

type ApiTls = Config['apis'][string]['tls'];

/** Of the data port; null: it speaks plain HTTP. */
export const tlsOfListen = ({ listen: { tls } }: Pick<Config, 'listen'>): TlsPlace | null =>
  tls && { name: 'listen', path: ['listen', 'tls'], caField: 'clientCaFile', ...tls, caFile: tls.clientCaFile };

/** Of the admin port; null: it speaks plain HTTP. */
export const tlsOfAdmin = ({ admin: { tls } }: Pick<Config, 'admin'>): TlsPlace | null =>
  tls && { name: 'admin', path: ['admin', 'tls'], caField: 'caFile', caFile: null, ...tls };

/** Of an API, to its backend. */
export const tlsOfApi = (name: string, { caFile, certFile, keyFile }: ApiTls): TlsPlace => ({
  name: `apis.${name}`,
  path: ['apis', name, 'tls'],
  caField: 'caFile',
  caFile,
  certFile,
  keyFile,
});

export function tlsPlaces(config: Config): TlsPlace[] {
  const own = [tlsOfListen(config), tlsOfAdmin(config)].filter((place) => place !== null);
  return [...own, ...Object.entries(config.apis).map(([name, { tls }]) => tlsOfApi(name, tls))];
}

export const filesOfTls = ({ caFile, certFile, keyFile }: TlsPlace): string[] =>
  [caFile, certFile, keyFile].filter((file) => file !== null);

/** What the files of a section hold now; null where none is named, or it cannot be read. */
export const textsOfTls = ({ caFile, certFile, keyFile }: TlsPlace): TlsTexts => ({
  ca: textOf(caFile),
  cert: textOf(certFile),
  key: textOf(keyFile),
});

/** Whatever would keep the files from being used. */
export function tlsFindings({ path, caField, caFile, certFile, keyFile }: TlsPlace, texts: TlsTexts): Finding[] {
  const judge = (field: string, file: string | null, text: string | null, check: Check): Finding[] => {
    if (file === null) return [];
    const mistake = text === null ? 'names a file that cannot be read' : check(text);
    return mistake === null ? [] : [{ path: [...path, field], message: `${mistake}: ${JSON.stringify(file)}` }];
  };
  const ofAuthorities = judge(caField, caFile, texts.ca, certificatesMistake);
  const ofPair = [
    ...judge('certFile', certFile, texts.cert, certificatesMistake),
    ...judge('keyFile', keyFile, texts.key, privateKeyMistake),
  ];
  const { cert, key } = texts;
  const mistake = cert === null || key === null || ofPair.length > 0 ? null : pairMistake(cert, key);
  if (mistake !== null) ofPair.push({ path: [...path, 'keyFile'], message: mistake });
  return [...ofAuthorities, ...ofPair];
}

type Check = (text: string) => string | null;

const SOON_DAYS = 30;
const DAY_MS = 86_400_000;

/** What has ended, soon will or has not begun, of files without findings; `now` in milliseconds since the epoch. */
export function expiryFindings({ path, caField }: TlsPlace, { ca, cert }: TlsTexts, now: number): Finding[] {
  return [
    ...(ca === null ? [] : endOf([...path, caField], 'authorities, the last of which', lastExpiry(ca), now)),
    ...(cert === null ? [] : endOf([...path, 'certFile'], 'a certificate that', ownExpiry(cert), now)),
    ...(cert === null ? [] : startOf([...path, 'certFile'], ownStart(cert), now)),
  ];
}

function startOf(path: readonly string[], at: number, now: number): Finding[] {
  if (at <= now) return [];
  const when = new Date(at).toISOString();
  return [{ path, message: `names a certificate that is not valid before ${when}: until then it is refused` }];
}

function endOf(path: readonly string[], what: string, at: number, now: number): Finding[] {
  if (at > now + SOON_DAYS * DAY_MS) return [];
  const when = new Date(at).toISOString();
  const ends = at <= now ? `expired on ${when}` : `expires on ${when}, which is within ${SOON_DAYS} days`;
  return [{ path, message: `names ${what} ${ends}; renew it` }];
}

function textOf(file: string | null): string | null {
  if (file === null) return null;
  try {
    return readWhole(file).toString();
  } catch {
    return null;
  }
}
