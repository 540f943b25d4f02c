/**
 * Decides what a token request is answered with: whether its address has failed too often, whether the pair is right, whether
 * it may be used from there. A wrong pair gets one answer, whatever is wrong with it. Reads no socket and writes none.
 */
import { timingSafeEqual } from 'node:crypto';
import type { KeySnapshot } from '../keys/key.ts';
import { sha256Hex } from '../lib/digest.ts';
import { identify, type Identity } from '../policy/credential.ts';
import { allowed, refusal, refused, type Decision, type Refusal } from '../policy/refusal.ts';
import type { FailureLimiter } from './failure-limiter.ts';
import { jsonToken, oauthRefusal, oauthToken, type OAuthError, type TokenAnswer } from './token-answer.ts';
import {
  mayBeForm,
  readJsonRequest,
  readOAuthRequest,
  speaksOAuth,
  tokenForm,
  type ClientPair,
  type ReadTokenRequest,
} from './token-request.ts';
import type { TokenService } from './token.ts';

/** No token request needs more; read no more than this of a body. */
export const MAX_TOKEN_BODY_BYTES = 16_384;

export interface TokenRequest {
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly authorization: string | undefined;
  /** The resolved client address, as text. */
  readonly address: string;
  readonly requestId: string;
  readonly keys: KeySnapshot;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly body: Buffer;
  /** Whether the key may be used from this address and this origin: asked for a right pair only. */
  readonly guard: (identity: Identity) => Refusal | null;
}

/** `answer` null: the refusal is answered with a problem document like any other, `Cache-Control: no-store` on it. */
export type TokenOutcome =
  | { readonly kind: 'issued'; readonly identity: Identity; readonly answer: TokenAnswer }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly answer: TokenAnswer | null };

export interface TokenEndpoint {
  /** What can be refused before the body is read: null when nothing can. */
  readonly open: (request: RequestHead) => TokenOutcome | null;
  /** Judges the whole request. */
  readonly answer: (request: TokenRequest) => Promise<TokenOutcome>;
}

export function createTokenEndpoint(tokens: Pick<TokenService, 'issue'>, failures: FailureLimiter): TokenEndpoint {
  const open: TokenEndpoint['open'] = (request) => {
    const seconds = failures.secondsToWait(request.address, request.now);
    if (seconds > 0) {
      const why = `${request.address} failed too often to obtain a token`;
      return refuse(request, { ...refusal('rate_limited', why), retryAfter: seconds });
    }
    const { contentEncoding = 'identity' } = request;
    if (contentEncoding.toLowerCase() !== 'identity')
      return refuse(request, refusal('unsupported_encoding', 'a token request with a content coding'));
    return tokenForm(request) === null ? refuse(request, neitherForm()) : null;
  };

  return {
    open,
    async answer(request) {
      const early = open(request);
      if (early !== null) return early;
      const announced = tokenForm(request);
      if (announced === 'untyped' && !mayBeForm(request.body)) return refuse(request, neitherForm());
      const form = announced === 'untyped' ? 'oauth' : announced;
      const refuseIn = (reason: Refusal, told?: OAuthError): TokenOutcome =>
        outcomeIn(form === 'oauth', request.requestId, reason, told);
      const read =
        form === 'oauth' ? readOAuthRequest(request.body, request.authorization) : readJsonRequest(request.body);
      if (read.kind === 'error') return refuseIn(errorRefusal(read), read);
      const identity = identifyAny(read.pairs, request.keys, request.now);
      if (!identity.ok) {
        failures.fail(request.address, request.now);
        return refuseIn(identity.refusal);
      }
      const guarded = request.guard(identity.value);
      if (guarded !== null) return refuseIn(guarded);
      const token = await tokens.issue(identity.value, request.now);
      const answer = form === 'oauth' ? oauthToken(request.requestId, token) : jsonToken(request.requestId, token);
      return { kind: 'issued', identity: identity.value, answer };
    },
  };
}

const neitherForm = (): Refusal => refusal('unsupported_media_type', 'a token request that is neither JSON nor a form');

/** The first reading of what was shown that is right; else what is wrong with the first. */
function identifyAny(pairs: readonly ClientPair[], keys: KeySnapshot, now: number): Decision<Identity> {
  const readings = pairs.map((pair) => identifyPair(pair, keys, now));
  return readings.find(({ ok }) => ok) ?? (readings[0] as Decision<Identity>);
}

/** The pair is right when one metrics key has both; only then does it matter whether that key can be used. */
function identifyPair({ apiKey, clientSecret }: ClientPair, keys: KeySnapshot, now: number): Decision<Identity> {
  const digest = sha256Hex(clientSecret);
  const key = keys.bySecret.get(digest)?.key;
  if (key?.type !== 'metrics' || !equal(key.apiKeyDigest, sha256Hex(apiKey)))
    return refused(refusal('invalid_client', 'no metrics key has this client secret and this API key'));
  const identity = identify(digest, keys, now);
  return identity.ok ? allowed(identity.value) : refused({ ...identity.refusal, code: 'invalid_client' });
}

function equal(expected: string | null, shown: string): boolean {
  return expected?.length === shown.length && timingSafeEqual(Buffer.from(expected), Buffer.from(shown));
}

function errorRefusal({ error, why }: ReadTokenRequest & { readonly kind: 'error' }): Refusal {
  return refusal(error === 'invalid_client' ? error : 'invalid_request', why);
}

type RequestHead = Omit<TokenRequest, 'body' | 'guard'>;

/** A refusal in the words that the client understands, as far as its head tells which those are. */
export function refuse(
  request: Pick<RequestHead, 'contentType' | 'authorization' | 'requestId'>,
  reason: Refusal,
): TokenOutcome {
  return outcomeIn(speaksOAuth(request), request.requestId, reason);
}

function outcomeIn(oauth: boolean, requestId: string, reason: Refusal, told?: OAuthError): TokenOutcome {
  return { kind: 'refused', refusal: reason, answer: oauth ? oauthRefusal(requestId, reason, told) : null };
}
