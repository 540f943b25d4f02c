/**
 * Who sends a request to the metrics API: the key whose access token came with it. Secrets and API keys are unknown here.
 */
import { findCredential } from '../policy/credential.ts';
import type { PolicyPorts } from '../policy/pipeline.ts';
import type { TokenService } from './token.ts';

/** The credential step of the metrics API. Synchronous for a token that was verified before. */
export function authenticateByToken({ verify }: Pick<TokenService, 'verify'>): PolicyPorts['authenticate'] {
  return (passage, api) => {
    const token = findCredential(passage, api.credential);
    return token.ok ? verify(token.value, passage.rules.keys, passage.facts.now) : token;
  };
}
