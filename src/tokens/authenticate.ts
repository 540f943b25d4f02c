/**
 * Who sends a request to an API with access tokens: the key whose token came with it, or whose secret, if that key may use its
 * secret there. What was shown at the token endpoint beside a secret is no credential.
 */
import { keyServes } from '../keys/key.ts';
import type { Caller } from '../policy/authenticate.ts';
import { findCredential, identify, invalid, type Identity } from '../policy/credential.ts';
import { refused, type Decision } from '../refusal.ts';
import type { TokenService } from './token.ts';

/** Synchronous for a secret, and for a token that was verified before. */
export function authenticateByTokenOrSecret(
  caller: Caller,
  { recall, verify }: Pick<TokenService, 'recall' | 'verify'>,
): Decision<Identity> | Promise<Decision<Identity>> {
  const { rules, facts, api } = caller;
  const shown = findCredential(caller, api.credential);
  if (!shown.ok) return shown;
  // Mostly it is a token that was shown before.
  const known = recall(shown.value, rules.keys, facts.now);
  if (known !== null) return known;
  const key = rules.keys.bySecret.get(shown.value.digest)?.key;
  if (key === undefined) return verify(shown.value, rules.keys, facts.now);
  if (!keyServes(key, api.name)) return refused(invalid('unknown', `key ${key.id} is not for the API ${api.name}`));
  if (key.accessToken === 'required')
    return refused(invalid('unknown', `key ${key.id} is accepted by an access token alone, and its secret was shown`));
  return identify(shown.value.digest, rules.keys, facts.now);
}
