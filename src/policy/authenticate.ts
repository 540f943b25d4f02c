/**
 * Who sends a request to the integration API: the key whose secret came with it. A credential of the other API is unknown here.
 */
import { findCredential, identify, invalid, type Identity } from './credential.ts';
import type { Passage } from './pipeline.ts';
import { refused, type Decision } from './refusal.ts';
import type { ApiRules } from './ruleset.ts';

/** The identity behind the secret in the request (contract of `PolicyPorts.authenticate`, synchronous). */
export function authenticateBySecret(passage: Passage, api: ApiRules): Decision<Identity> {
  const { rules, facts } = passage;
  const shown = findCredential(passage, api.credential);
  if (!shown.ok) return shown;
  const identity = identify(shown.value.digest, rules.keys, facts.now);
  if (identity.ok && identity.value.key.type === 'metrics')
    return refused(invalid('unknown', `key ${identity.value.key.id} belongs to the metrics API`));
  return identity;
}
