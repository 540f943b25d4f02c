/**
 * What access tokens are signed and verified with: shared secrets (HS256) or private keys from a PEM file (Ed25519: EdDSA,
 * P-256: ES256), always one algorithm. Reads files at start only, and shows nothing of a key but its public half.
 */
import { createHash, createPublicKey, createSecretKey, hkdfSync, type KeyObject, type JsonWebKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { privateKeysIn } from '../lib/private-keys.ts';

export type TokenAlgorithm = 'HS256' | 'EdDSA' | 'ES256';

export interface SigningKey {
  /** RFC 7638 thumbprint of a public key; null for a shared secret, of which nothing may be published. */
  readonly kid: string | null;
  readonly sign: KeyObject;
  readonly verify: KeyObject;
  /** Keys the digest that ties a token to its client secret, so that a token gives nothing to guess that secret by. */
  readonly bindingKey: Buffer;
}

/** The first key signs, all verify. */
export interface SigningKeys {
  readonly algorithm: TokenAlgorithm;
  readonly keys: readonly [SigningKey, ...SigningKey[]];
  /** JWK Set (RFC 7517) as JSON, or null when there is nothing to publish. */
  readonly jwks: string | null;
}

/** RFC 7518 3.2: a key as long as the hash output, at least. */
const MIN_SECRET_BYTES = 32;

/** Keys from shared secrets. Throws one sentence for a secret that is too short. */
export function sharedSecrets(secrets: readonly (string | Uint8Array)[]): SigningKeys {
  const keys = secrets.map((secret): SigningKey => {
    const bytes = Buffer.from(secret);
    if (bytes.length < MIN_SECRET_BYTES)
      throw new Error(
        `a token secret has ${bytes.length} bytes: HS256 needs at least ${MIN_SECRET_BYTES} (RFC 7518 3.2)`,
      );
    const key = createSecretKey(bytes);
    return { kid: null, sign: key, verify: key, bindingKey: deriveBindingKey(bytes) };
  });
  return { algorithm: 'HS256', keys: atLeastOne(keys, 'no token secret is given'), jwks: null };
}

/** Keys from a PEM file: PKCS #8 or SEC 1, one or several for rotation. Throws one sentence that names the file. */
export function privateKeysFrom(file: string): SigningKeys {
  const read = privateKeysIn(readPem(file));
  if (read === 'encrypted') throw new Error(`${file}: the private key is encrypted; give it in plain PEM`);
  if (read === 'unreadable') throw new Error(`${file}: the private key cannot be read as PEM`);
  const keys = atLeastOne(
    read.map((key) => publishedKey(file, key)),
    `${file}: holds no private key in PEM form`,
  );
  const algorithm = keys[0].algorithm;
  if (keys.some((key) => key.algorithm !== algorithm))
    throw new Error(`${file}: its keys must all be Ed25519 or all be P-256: exactly one algorithm is accepted`);
  return { algorithm, keys, jwks: JSON.stringify({ keys: keys.map((key) => key.jwk) }) };
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`, {
      cause: error,
    });
  }
}

interface PublishedKey extends SigningKey {
  readonly algorithm: TokenAlgorithm;
  readonly jwk: Readonly<Record<string, string>>;
}

function publishedKey(file: string, sign: KeyObject): PublishedKey {
  const { kty, crv, x, y, d } = jwkOf(sign);
  const verify = createPublicKey(sign);
  const bindingKey = deriveBindingKey(Buffer.from(d ?? '', 'base64url'));
  const seal = (algorithm: TokenAlgorithm, members: Readonly<Record<string, string>>): PublishedKey => {
    // RFC 7638 3: the required members alone, in this order, without white space.
    const kid = createHash('sha256').update(JSON.stringify(members)).digest('base64url');
    return { kid, sign, verify, bindingKey, algorithm, jwk: { ...members, kid, use: 'sig', alg: algorithm } };
  };
  if (kty === 'OKP' && crv === 'Ed25519' && x !== undefined) return seal('EdDSA', { crv, kty, x });
  if (kty === 'EC' && crv === 'P-256' && x !== undefined && y !== undefined) return seal('ES256', { crv, kty, x, y });
  throw new Error(
    `${file}: a token key must be Ed25519 or P-256, not ${crv ?? kty ?? sign.asymmetricKeyDetails?.namedCurve ?? sign.asymmetricKeyType ?? 'this kind of key'}`,
  );
}

/** Empty for a kind of key that has no JWK. */
function jwkOf(key: KeyObject): JsonWebKey {
  try {
    return key.export({ format: 'jwk' });
  } catch {
    return {};
  }
}

function deriveBindingKey(material: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', material, '', 'postern token binding', 32));
}

function atLeastOne<T>(items: readonly T[], otherwise: string): readonly [T, ...T[]] {
  const [first, ...rest] = items;
  if (first === undefined) throw new Error(otherwise);
  return [first, ...rest];
}
