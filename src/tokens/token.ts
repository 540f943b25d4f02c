/**
 * Access tokens (JWT, RFC 7519, typ at+jwt): issued for a key's secret, and verified to a key whose secret still holds.
 * A signature alone opens nothing: the key, its API key and that very secret are looked up on every call.
 */
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import type { ApiName } from '../config/api-names.ts';
import { keyServes, type Key, type KeySecret, type KeySnapshot } from '../keys/key.ts';
import { createLruMap } from '../lib/lru-map.ts';
import { identify, invalid, type Identity } from '../policy/credential.ts';
import type { ShownCredential } from '../policy/shown-credential.ts';
import { allowed, refused, type Decision } from '../refusal.ts';
import { jwtLibrary, type JwtLibrary } from './jwt-library.ts';
import { privateKeysFrom, sharedSecrets, type SigningKey, type SigningKeys } from './signing-keys.ts';

export interface TokenSettings {
  /** 60 to 3600. */
  readonly ttlSeconds: number;
  /** HS256 secrets: the first signs, all verify. null: `privateKeyFile`, or a secret made at start. */
  readonly secret: readonly string[] | null;
  readonly privateKeyFile: string | null;
  readonly issuer: string;
}

export interface IssuedToken {
  readonly accessToken: string;
  /** Seconds. Shorter than configured when the key or the secret expires before. */
  readonly expiresIn: number;
}

export interface TokenService {
  /** Signs a token for a key and the secret that its caller showed. `now` in milliseconds. */
  readonly issue: (identity: Identity, now: number) => Promise<IssuedToken>;
  /**
   * Whose token this is, as of these keys and this time (milliseconds). Answers at once for a token that was verified before.
   * Every failure is `invalid_credential`.
   */
  readonly verify: (
    token: ShownCredential,
    keys: KeySnapshot,
    now: number,
  ) => Decision<Identity> | Promise<Decision<Identity>>;
  /** The same for a token that was verified before; null: this is none, or one that was not seen yet. */
  readonly recall: (shown: ShownCredential, keys: KeySnapshot, now: number) => Decision<Identity> | null;
  /** The public keys as a JWK Set, or null with shared secrets. */
  readonly jwks: string | null;
  /** What the operator should know about these settings, or null. */
  readonly warning: string | null;
}

const TOKEN_TYPE = 'at+jwt';
/** The private claim that ties a token to the client secret and the API key it was issued for. */
const BINDING_CLAIM = 'pst';
const BINDING_BYTES = 16;
const MAX_TOKEN_LENGTH = 2048;
const MAX_LIFETIME_SECONDS = 3600;
/** Replicas do not tick as one: a token issued by one whose clock is ahead is not refused by the next. */
const MAX_ISSUED_AHEAD_SECONDS = 60;
const REMEMBERED_TOKENS = 10_000;

const ephemeralWarning = (api: ApiName): string =>
  `apis.${api}.token has neither \`secret\` nor \`privateKeyFile\`: tokens are signed with a secret made at start, which suits a single instance and ends every token at a restart`;

/**
 * The tokens of one API, which no other accepts, even if it signs with the same key. `ephemeralSecret` (32 random bytes, the same for the life of the process) signs when
 * the settings name no key. Throws one sentence when a key cannot be used.
 */
export function createTokenService(api: ApiName, settings: TokenSettings, ephemeralSecret: Uint8Array): TokenService {
  const signing = signingKeys(settings, ephemeralSecret);
  // Not at the first token: it would wait for it.
  void jwtLibrary();
  const verified = createLruMap<string, VerifiedToken>(REMEMBERED_TOKENS);
  const recall: TokenService['recall'] = (shown, keys, now) => {
    const known = verified.get(shown.digest);
    return known === undefined ? null : recognise(known, api, { keys, now });
  };
  return {
    recall,
    issue: (identity, now) => issueToken({ ...settings, api, signing }, identity, now),
    verify(token, keys, now) {
      const { text } = token;
      if (text.length > MAX_TOKEN_LENGTH) return UNKNOWN_TOKEN;
      const known = recall(token, keys, now);
      if (known !== null) return known;
      return verifyToken({ api, signing, issuer: settings.issuer }, text, { keys, now }).then((decision) => {
        if (!decision.ok) return decision;
        verified.set(token.digest, decision.value);
        return recognise(decision.value, api, { keys, now });
      });
    },
    jwks: signing.jwks,
    warning: settings.secret === null && settings.privateKeyFile === null ? ephemeralWarning(api) : null,
  };
}

function signingKeys(settings: TokenSettings, ephemeralSecret: Uint8Array): SigningKeys {
  if (settings.privateKeyFile !== null) return privateKeysFrom(settings.privateKeyFile);
  return sharedSecrets(settings.secret ?? [ephemeralSecret]);
}

/** Whose tokens these are, and what they are signed with. */
interface Signing {
  readonly api: ApiName;
  readonly issuer: string;
  readonly signing: SigningKeys;
}

async function issueToken(
  { api, issuer, signing: { algorithm, keys }, ttlSeconds }: Signing & Pick<TokenSettings, 'ttlSeconds'>,
  { key, secret }: Identity,
  now: number,
): Promise<IssuedToken> {
  const [signer] = keys;
  const issuedAt = Math.floor(now / 1000);
  const end = Math.min(key.expiresAt ?? Infinity, secret.expiresAt ?? Infinity);
  const expiresAt = Math.min(issuedAt + ttlSeconds, Math.ceil(end / 1000));
  const { SignJWT } = await jwtLibrary();
  const accessToken = await new SignJWT({ [BINDING_CLAIM]: bindingOf(signer, key, secret).toString('base64url') })
    .setProtectedHeader({ alg: algorithm, typ: TOKEN_TYPE, ...(signer.kid === null ? {} : { kid: signer.kid }) })
    .setIssuer(issuer)
    .setAudience(api)
    .setSubject(key.id)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt)
    .setJti(randomUUID())
    .sign(signer.sign);
  return { accessToken, expiresIn: expiresAt - issuedAt };
}

function bindingOf(signer: SigningKey, key: Key, secret: KeySecret): Buffer {
  const subject = JSON.stringify([key.id, key.apiKeyDigest, secret.digest]);
  return createHmac('sha256', signer.bindingKey).update(subject).digest().subarray(0, BINDING_BYTES);
}

/** What is remembered of a token: nothing that could be used as one. */
interface VerifiedToken {
  readonly keyId: string;
  readonly apiKeyDigest: string | null;
  readonly secretDigest: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

const refuse = (
  reason: 'unknown' | 'disabled' | 'expired',
  why: string,
  keyId?: string,
): { ok: false } & Decision<never> => refused(invalid(reason, why, keyId));
const UNKNOWN_TOKEN = refuse('unknown', 'the credential is not an access token of this service');
const FROM_LATER =
  'the access token was issued later than it is now: the clock of the replica that issued it and this one differ';
const OUTLIVED_TOKEN = 'the access token outlived the key, the API key or the secret that it was issued for';

/** Keys, and milliseconds since the epoch. */
interface Moment {
  readonly keys: KeySnapshot;
  readonly now: number;
}

/** Whether a key may have tokens of an API. */
export const mayHaveTokens = (key: Key, api: ApiName): boolean => keyServes(key, api) && key.accessToken !== 'never';

/** What a verified token is worth now: its key as it stands in this snapshot. */
function recognise(token: VerifiedToken, api: ApiName, { keys, now }: Moment): Decision<Identity> {
  if (token.expiresAt <= now) return refuse('expired', 'the access token has expired', token.keyId);
  const identity = identify(token.secretDigest, keys, now);
  if (!identity.ok) return identity;
  const { key } = identity.value;
  if (!mayHaveTokens(key, api) || key.id !== token.keyId || key.apiKeyDigest !== token.apiKeyDigest)
    return refuse('unknown', OUTLIVED_TOKEN);
  return identity;
}

async function verifyToken(
  { api, issuer, signing }: Signing,
  token: string,
  { keys, now }: Moment,
): Promise<Decision<VerifiedToken>> {
  const library = await jwtLibrary();
  const { errors } = library;
  for (const signer of candidates(signing, token, library)) {
    try {
      const { payload } = await library.jwtVerify(token, signer.verify, {
        algorithms: [signing.algorithm],
        typ: TOKEN_TYPE,
        issuer,
        audience: api,
        requiredClaims: ['sub', 'iat', 'exp', 'jti'],
        currentDate: new Date(now),
      });
      return matchBinding({ signer, api }, payload, { keys, now });
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) continue;
      if (error instanceof errors.JWTExpired) return refuse('expired', 'the access token has expired');
      if (error instanceof errors.JOSEError) return UNKNOWN_TOKEN;
      throw error;
    }
  }
  return UNKNOWN_TOKEN;
}

/**
 * The keys that may have signed this token, none when its header is not one of ours: any other member of it (jku, jwk, x5c,
 * crit, a `kid` where secrets are shared) has no meaning here. Each part must be base64url in its one canonical spelling.
 */
function candidates(
  { algorithm, keys }: SigningKeys,
  token: string,
  { decodeProtectedHeader }: JwtLibrary,
): readonly SigningKey[] {
  const parts = token.split('.');
  if (parts.length !== 3 || !parts.every((part) => Buffer.from(part, 'base64url').toString('base64url') === part))
    return [];
  try {
    const { alg, typ, kid, ...others } = decodeProtectedHeader(token);
    if (alg !== algorithm || typ !== TOKEN_TYPE || Object.keys(others).length > 0) return [];
    return keys.filter((key) => key.kid === (kid ?? null));
  } catch {
    return [];
  }
}

function matchBinding(
  { signer, api }: { readonly signer: SigningKey; readonly api: ApiName },
  { sub, iat, exp, aud, [BINDING_CLAIM]: binding }: Readonly<Record<string, unknown>>,
  { keys, now }: Moment,
): Decision<VerifiedToken> {
  if (typeof sub !== 'string' || typeof iat !== 'number' || typeof exp !== 'number' || typeof binding !== 'string')
    return UNKNOWN_TOKEN;
  if (aud !== api || exp <= iat || exp - iat > MAX_LIFETIME_SECONDS) return UNKNOWN_TOKEN;
  if (iat > now / 1000 + MAX_ISSUED_AHEAD_SECONDS) return refuse('unknown', FROM_LATER);
  const key = keys.byId.get(sub);
  if (key === undefined) return refuse('unknown', OUTLIVED_TOKEN);
  const shown = Buffer.from(binding, 'base64url');
  const secret = key.secrets.find((secret) => {
    const expected = bindingOf(signer, key, secret);
    return shown.length === expected.length && timingSafeEqual(shown, expected);
  });
  if (secret === undefined) return refuse('unknown', OUTLIVED_TOKEN);
  return allowed({ keyId: key.id, apiKeyDigest: key.apiKeyDigest, secretDigest: secret.digest, expiresAt: exp * 1000 });
}
