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
import { jsonToken, oauthToken, type TokenAnswer } from './token-answer.ts';
import { readJsonRequest, readOAuthRequest, tokenForm, type ReadTokenRequest } from './token-request.ts';
import type { TokenService } from './token.ts';

/** No token request needs more; read no more than this of a body. */
export const MAX_TOKEN_BODY_BYTES = 16_384;

/** What is known of a token request before its body is read. */
export interface TokenRequestHead {
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly authorization: string | undefined;
  /** The resolved client address, as text. */
  readonly address: string;
  readonly requestId: string;
  readonly keys: KeySnapshot;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface TokenEndpoint {
  /** What can be refused before the body is read: null when nothing can. */
  readonly open: (head: TokenRequestHead) => Refusal | null;
  /** Whose client secret and API key the body (or Basic) shows. A wrong pair counts against its address. */
  readonly identify: (head: TokenRequestHead, body: Buffer) => Decision<Identity>;
  /** The answer with a token for a right pair. */
  readonly issue: (identity: Identity, head: TokenRequestHead) => Promise<TokenAnswer>;
}

export function createTokenEndpoint(tokens: Pick<TokenService, 'issue'>, failures: FailureLimiter): TokenEndpoint {
  return {
    open({ address, now, contentEncoding = 'identity', contentType }) {
      const seconds = failures.secondsToWait(address, now);
      if (seconds > 0) {
        const why = `${address} failed too often to obtain a token`;
        return { ...refusal('rate_limited', why), retryAfter: seconds };
      }
      if (contentEncoding.toLowerCase() !== 'identity')
        return refusal('unsupported_encoding', 'a token request with a content coding');
      if (tokenForm(contentType) === null)
        return refusal('unsupported_media_type', 'a token request that is neither JSON nor a form');
      return null;
    },
    identify({ contentType, authorization, address, keys, now }, body) {
      const read = tokenForm(contentType) === 'oauth' ? readOAuthRequest(body, authorization) : readJsonRequest(body);
      if (read.kind === 'error') return refused(errorRefusal(read));
      const identity = identifyPair(read, keys, now);
      if (!identity.ok) failures.fail(address, now);
      return identity;
    },
    async issue(identity, { contentType, requestId, now }) {
      const token = await tokens.issue(identity, now);
      return tokenForm(contentType) === 'oauth' ? oauthToken(requestId, token) : jsonToken(requestId, token);
    },
  };
}

/** The pair is right when one metrics key has both; only then does it matter whether that key can be used. */
function identifyPair(
  { apiKey, clientSecret }: ReadTokenRequest & { readonly kind: 'pair' },
  keys: KeySnapshot,
  now: number,
): Decision<Identity> {
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
  return { ...refusal(error === 'invalid_client' ? error : 'invalid_request', why), oauth: { error, why } };
}
