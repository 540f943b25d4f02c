/**
 * Whether the files that the configuration names are there and hold what they should: certificates, private keys,
 * authorities; and whether the paths of sockets can be used. Uses none of them.
 */
import { certificatesMistake } from '../lib/certificate.ts';
import { readWhole } from '../lib/files.ts';
import { socketPathOf, socketPathProblem } from '../lib/unix-socket.ts';
import { privateKeysIn } from '../lib/private-keys.ts';
import type { Finding } from './issue.ts';
import type { Config } from './schema.ts';
import { expiryFindings, filesOfTls, textsOfTls, tlsFindings, tlsPlaces } from './tls-files.ts';

export interface NamedFiles {
  readonly findings: readonly Finding[];
  /** About the files of TLS, which a process that runs may go on without. */
  readonly tlsFindings: readonly Finding[];
  /** Certificates that have ended or soon will. */
  readonly tlsWarnings: readonly Finding[];
  readonly files: readonly string[];
}

/** Reads every file that the configuration names and reports those that would fail at start; `now` in milliseconds. */
export function checkNamedFiles(config: Config, now: number): NamedFiles {
  const findings: Finding[] = [];
  const files: string[] = [];
  const read = (path: readonly string[], file: string, check: (content: string) => string | null): void => {
    files.push(file);
    const content = contentOf(file);
    const mistake = content === null ? 'names a file that cannot be read' : check(content);
    if (mistake !== null) findings.push({ path, message: `${mistake}: ${JSON.stringify(file)}` });
  };
  const places = tlsPlaces(config).map((place) => {
    const texts = textsOfTls(place);
    return { place, texts, findings: tlsFindings(place, texts) };
  });
  for (const { place } of places) files.push(...filesOfTls(place));
  const { path: socket } = config.listen;
  if (socket !== null) findings.push(...socketFindings(['listen', 'path'], socket));
  for (const [name, api] of Object.entries(config.apis)) {
    const signingKey = api.token?.privateKeyFile ?? null;
    if (signingKey !== null) read(['apis', name, 'token', 'privateKeyFile'], signingKey, signingKeyMistake);
    const upstream = socketPathOf(api.upstream);
    if (upstream !== null) findings.push(...socketFindings(['apis', name, 'upstream'], upstream));
  }
  const redisCa = config.redis.tls?.caFile ?? null;
  if (redisCa !== null) read(['redis', 'tls', 'caFile'], redisCa, certificatesMistake);
  return {
    findings,
    tlsFindings: places.flatMap((one) => one.findings),
    tlsWarnings: places.flatMap((one) => (one.findings.length > 0 ? [] : expiryFindings(one.place, one.texts, now))),
    files,
  };
}

/** A socket that is not there yet is no mistake: its backend may start later. */
function socketFindings(path: readonly string[], socket: string): Finding[] {
  const problem = socketPathProblem(socket);
  return problem === null ? [] : [{ path, message: problem }];
}

function contentOf(file: string): string | null {
  try {
    return readWhole(file).toString();
  } catch {
    return null;
  }
}

/** One or several keys, for rotation. EdDSA needs Ed25519 and ES256 needs P-256 (RFC 8037 3.1, RFC 7518 3.4). */
function signingKeyMistake(pem: string): string | null {
  const keys = privateKeysIn(pem);
  if (typeof keys === 'string' || keys.length === 0)
    return 'names a file that holds no unencrypted private key in PEM form';
  const kinds = new Set(keys.map((key) => key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType));
  if ([...kinds].some((kind) => kind !== 'ed25519' && kind !== 'prime256v1'))
    return 'names a file with a key that is neither Ed25519 nor P-256';
  return kinds.size === 1
    ? null
    : 'names a file with keys of both Ed25519 and P-256, of which one algorithm is accepted';
}
