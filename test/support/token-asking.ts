/** Asks a token endpoint as the rungs do (src/request/own.ts): head first, then the body, then the token. */
import type { TokenAnswer } from '../../src/tokens/token-answer.ts';
import { oauthRefusal } from '../../src/tokens/token-answer.ts';
import { neitherForm, type TokenEndpoint, type TokenHead } from '../../src/tokens/token-endpoint.ts';
import { speaksOAuth } from '../../src/tokens/token-request.ts';
import type { Identity } from '../../src/policy/credential.ts';
import type { Refusal } from '../../src/refusal.ts';

/** `answer` null: the refusal is a problem document like any other. */
export type TokenOutcome =
  | { readonly kind: 'issued'; readonly identity: Identity; readonly answer: TokenAnswer }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly answer: TokenAnswer | null };

export async function askToken(endpoint: TokenEndpoint, head: TokenHead, body: Buffer): Promise<TokenOutcome> {
  const refuse = (refusal: Refusal, oauth: boolean): TokenOutcome => ({
    kind: 'refused',
    refusal,
    answer: oauth ? oauthRefusal(head.requestId, refusal, 'metrics') : null,
  });
  const early = endpoint.open(head);
  if (early !== null) return refuse(early, speaksOAuth(head));
  const form = endpoint.formOf(head, body);
  if (form === null) return refuse(neitherForm(), speaksOAuth(head));
  const identity = endpoint.identify(head, form, body);
  if (!identity.ok) return refuse(identity.refusal, form === 'oauth');
  return { kind: 'issued', identity: identity.value, answer: await endpoint.issue(head, form, identity.value) };
}
