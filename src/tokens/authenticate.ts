/**
 * Who sends a request to the metrics API: the key whose access token came with it. Secrets and API keys are unknown here.
 */
import type { Caller } from '../policy/authenticate.ts';
import { findCredential, type Identity } from '../policy/credential.ts';
import type { Decision } from '../refusal.ts';
import type { TokenService } from './token.ts';

/** Synchronous for a token that was verified before. */
export function authenticateByToken(
  caller: Caller,
  { verify }: Pick<TokenService, 'verify'>,
): Decision<Identity> | Promise<Decision<Identity>> {
  const token = findCredential(caller, caller.api.credential);
  return token.ok ? verify(token.value, caller.rules.keys, caller.facts.now) : token;
}
