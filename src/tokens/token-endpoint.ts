/**
 * Decides what a token request is answered with: whether its address has failed too often, whether the pair is right, whether
 * it may be used from there. A wrong pair gets one answer, whatever is wrong with it. Reads no socket and writes none.
 */
import { timingSafeEqual } from 'node:crypto';
import type { ApiName } from '../config/api-names.ts';
import type { Key, KeySnapshot } from '../keys/key.ts';
import { sha256Hex } from '../lib/digest.ts';
import { identify, type Identity } from '../policy/credential.ts';
import { allowed, refusal, refused, type Decision, type Refusal } from '../refusal.ts';
import type { FailureLimiter } from './failure-limiter.ts';
import { jsonToken, oauthToken, type TokenAnswer } from './token-answer.ts';
import {
  mayBeForm,
  readJsonRequest,
  readOAuthRequest,
  tokenForm,
  type ClientPair,
  type ReadTokenRequest,
  type TokenForm,
  type TokenRequestHead,
} from './token-request.ts';
import { mayHaveTokens, type TokenService } from './token.ts';

/** No token request needs more; read no more than this of a body. */
export const MAX_TOKEN_BODY_BYTES = 16_384;

/** What is known of a token request before its body is read. */
export interface TokenHead extends TokenRequestHead {
  readonly method: string;
  readonly contentEncoding: string | undefined;
  /** The resolved client address, as text. */
  readonly address: string;
  readonly requestId: string;
  readonly keys: KeySnapshot;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface TokenEndpoint {
  /** What can be refused before the body is read: null when nothing can. */
  readonly open: (head: TokenHead) => Refusal | null;
  /** In which form the request is, now that its body is there; null: in neither. */
  readonly formOf: (head: TokenHead, body: Buffer) => TokenForm | null;
  /** Whose client secret and API key are shown. A wrong pair counts against its address. */
  readonly identify: (head: TokenHead, form: TokenForm, body: Buffer) => Decision<Identity>;
  /** The answer with a token for a right pair. */
  readonly issue: (head: TokenHead, form: TokenForm, identity: Identity) => Promise<TokenAnswer>;
}

/** The endpoint of one API. `failures` may be shared with others. */
export function createTokenEndpoint(
  api: ApiName,
  tokens: Pick<TokenService, 'issue'>,
  failures: FailureLimiter,
): TokenEndpoint {
  return {
    open(head) {
      const seconds = failures.secondsToWait(head.address, head.now);
      if (seconds > 0) {
        const why = `${head.address} failed too often to obtain a token`;
        return { ...refusal('rate_limited', why), retryAfter: seconds };
      }
      if (head.method !== 'POST')
        return { ...refusal('method_not_supported', 'the token endpoint takes POST alone'), allow: 'POST' };
      const { contentEncoding = 'identity' } = head;
      if (contentEncoding.toLowerCase() !== 'identity')
        return refusal('unsupported_encoding', 'a token request with a content coding');
      return tokenForm(head) === null ? neitherForm() : null;
    },
    formOf(head, body) {
      const announced = tokenForm(head);
      if (announced !== 'untyped') return announced;
      return mayBeForm(body) ? 'oauth' : null;
    },
    identify({ authorization, address, keys, now }, form, body) {
      const read = form === 'oauth' ? readOAuthRequest(body, authorization) : readJsonRequest(body);
      if (read.kind === 'error') return refused(errorRefusal(read));
      const identity = identifyAny(read.pairs.map((pair) => identifyPair(api, pair, { keys, now })));
      if (!identity.ok) failures.fail(address, now);
      return identity;
    },
    async issue({ requestId, now }, form, identity) {
      const token = await tokens.issue(identity, now);
      return form === 'oauth' ? oauthToken(requestId, token) : jsonToken(requestId, token);
    },
  };
}

export const neitherForm = (): Refusal =>
  refusal('unsupported_media_type', 'a token request that is neither JSON nor a form');

/** The first reading of what was shown that is right; else what is wrong with the first. */
function identifyAny(readings: readonly Decision<Identity>[]): Decision<Identity> {
  return readings.find(({ ok }) => ok) ?? (readings[0] as Decision<Identity>);
}

/** The pair is right when one key has both and may have tokens here; only then does it matter whether that key can be used. */
function identifyPair(
  api: ApiName,
  { apiKey, clientSecret }: ClientPair,
  { keys, now }: { readonly keys: KeySnapshot; readonly now: number },
): Decision<Identity> {
  const digest = sha256Hex(clientSecret);
  const key = keys.bySecret.get(digest)?.key;
  if (key === undefined || !isClientId(key, apiKey) || !mayHaveTokens(key, api))
    return refused(refusal('invalid_client', 'no key that may have tokens here has this client secret and client id'));
  const identity = identify(digest, keys, now);
  return identity.ok ? allowed(identity.value) : refused({ ...identity.refusal, code: 'invalid_client' });
}

/** A key is called by its API key, if it has one, else by its id, which is no secret. */
function isClientId({ apiKeyDigest, id }: Key, shown: string): boolean {
  if (apiKeyDigest === null) return shown === id;
  return timingSafeEqual(Buffer.from(apiKeyDigest), Buffer.from(sha256Hex(shown)));
}

function errorRefusal({ error, why }: ReadTokenRequest & { readonly kind: 'error' }): Refusal {
  return { ...refusal(error === 'invalid_client' ? error : 'invalid_request', why), oauth: { error, why } };
}
