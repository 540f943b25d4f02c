/**
 * Whether the files that the configuration names are there and hold what they should: certificates, private keys,
 * authorities; and whether the paths of sockets can be used. Uses none of them.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { socketPathOf, socketPathProblem } from '../lib/unix-socket.ts';
import { privateKeysIn } from '../lib/private-keys.ts';
import type { Finding } from './issue.ts';
import type { Config } from './schema.ts';

export interface NamedFiles {
  readonly findings: readonly Finding[];
  readonly files: readonly string[];
}

/** Reads every file that the configuration names and reports those that would fail at start. */
export function checkNamedFiles(config: Config): NamedFiles {
  const findings: Finding[] = [];
  const files: string[] = [];
  const read = (path: readonly string[], file: string, check: (content: Buffer) => string | null): Buffer | null => {
    files.push(file);
    const content = contentOf(file);
    const mistake = content === null ? 'names a file that cannot be read' : check(content);
    if (mistake !== null) findings.push({ path, message: `${mistake}: ${JSON.stringify(file)}` });
    return mistake === null ? content : null;
  };
  const readPair = (path: readonly string[], { certFile, keyFile }: Pair): void => {
    const cert = read([...path, 'certFile'], certFile, certificateMistake);
    const key = read([...path, 'keyFile'], keyFile, privateKeyMistake);
    if (cert !== null && key !== null && !belongTogether(cert, key))
      findings.push({ path: [...path, 'keyFile'], message: 'is not the private key of the certificate in `certFile`' });
  };
  const { tls, path: socket } = config.listen;
  if (socket !== null) findings.push(...socketFindings(['listen', 'path'], socket));
  if (tls !== null) readPair(['listen', 'tls'], tls);
  for (const [name, api] of Object.entries(config.apis)) {
    const { caFile, certFile, keyFile } = api.tls;
    if (caFile !== null) read(['apis', name, 'tls', 'caFile'], caFile, certificateMistake);
    if (certFile !== null && keyFile !== null) readPair(['apis', name, 'tls'], { certFile, keyFile });
    const signingKey = api.token?.privateKeyFile ?? null;
    if (signingKey !== null) read(['apis', name, 'token', 'privateKeyFile'], signingKey, signingKeyMistake);
    const upstream = socketPathOf(api.upstream);
    if (upstream !== null) findings.push(...socketFindings(['apis', name, 'upstream'], upstream));
  }
  const redisCa = config.redis.tls?.caFile ?? null;
  if (redisCa !== null) read(['redis', 'tls', 'caFile'], redisCa, certificateMistake);
  return { findings, files };
}

interface Pair {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A socket that is not there yet is no mistake: its backend may start later. */
function socketFindings(path: readonly string[], socket: string): Finding[] {
  const problem = socketPathProblem(socket);
  return problem === null ? [] : [{ path, message: problem }];
}

function contentOf(file: string): Buffer | null {
  try {
    return readFileSync(file);
  } catch {
    return null;
  }
}

function certificateMistake(pem: Buffer): string | null {
  try {
    void new X509Certificate(pem);
    return null;
  } catch {
    return 'names a file that holds no certificate in PEM form';
  }
}

const privateKeyMistake = (pem: Buffer): string | null =>
  privateKey(pem) === null ? 'names a file that holds no unencrypted private key in PEM form' : null;

/** One or several keys, for rotation. EdDSA needs Ed25519 and ES256 needs P-256 (RFC 8037 3.1, RFC 7518 3.4). */
function signingKeyMistake(pem: Buffer): string | null {
  const keys = privateKeysIn(pem.toString());
  if (typeof keys === 'string' || keys.length === 0)
    return 'names a file that holds no unencrypted private key in PEM form';
  const kinds = new Set(keys.map((key) => key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType));
  if ([...kinds].some((kind) => kind !== 'ed25519' && kind !== 'prime256v1'))
    return 'names a file with a key that is neither Ed25519 nor P-256';
  return kinds.size === 1
    ? null
    : 'names a file with keys of both Ed25519 and P-256, of which one algorithm is accepted';
}

function privateKey(pem: Buffer): ReturnType<typeof createPrivateKey> | null {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
}

function belongTogether(cert: Buffer, key: Buffer): boolean {
  const own = privateKey(key);
  return own !== null && new X509Certificate(cert).checkPrivateKey(own);
}
