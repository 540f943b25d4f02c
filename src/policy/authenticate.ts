/**
 * Who sends a request to an API without access tokens: the key whose secret came with it. A credential of a key that is for other APIs
 * is unknown here.
 */
import { keyServes } from '../keys/key.ts';
import { refused, type Decision } from '../refusal.ts';
import { findCredential, identify, invalid, type CredentialPlaces, type Identity } from './credential.ts';
import type { ApiRules, Ruleset } from './ruleset.ts';

/** A request, and where in it a credential may stand. */
export interface Caller extends CredentialPlaces {
  readonly rules: Ruleset;
  readonly api: ApiRules;
}

/** The identity behind the secret in the request. */
export function authenticateBySecret(caller: Caller): Decision<Identity> {
  const { rules, facts, api } = caller;
  const shown = findCredential(caller, api.credential);
  if (!shown.ok) return shown;
  const identity = identify(shown.value.digest, rules.keys, facts.now);
  if (identity.ok && !keyServes(identity.value.key, api.name))
    return refused(invalid('unknown', `key ${identity.value.key.id} is not for the API ${api.name}`));
  return identity;
}
