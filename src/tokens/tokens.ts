/**
 * The access tokens of every API that has them: what they are signed with, and where they are issued. Made anew when the
 * configuration changes; what must outlive that (failures counted, the secret made at start) is kept.
 */
import { randomBytes } from 'node:crypto';
import type { ApiName } from '../config/api-names.ts';
import type { TokenConfig } from '../config/apis-schema.ts';
import { createFailureLimiter, type FailureLimiter } from './failure-limiter.ts';
import { createTokenEndpoint, type TokenEndpoint } from './token-endpoint.ts';
import { createTokenService, type TokenService } from './token.ts';

/** Of one API. */
export interface ApiTokens {
  readonly service: TokenService;
  readonly endpoint: TokenEndpoint;
}

export interface Tokens {
  /** For a configuration of an API. Throws one sentence when a token key cannot be used. */
  readonly configure: (api: ApiName, config: TokenConfig) => ApiTokens;
}

export interface TokensOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly warn: (warning: string) => void;
}

export function createTokens({ now, warn }: TokensOptions): Tokens {
  const ephemeralSecret = randomBytes(32);
  // One count for all endpoints: whoever guesses has ten tries, however many APIs there are to guess at.
  const failures = countedNow(createFailureLimiter(), now);
  const warned = new Set<ApiName>();
  return {
    configure(api, config) {
      const service = createTokenService(api, config, ephemeralSecret);
      if (service.warning !== null && !warned.has(api)) warn(service.warning);
      if (service.warning !== null) warned.add(api);
      return { service, endpoint: createTokenEndpoint(api, service, failures) };
    },
  };
}

/**
 * Counts a failure when it happens, not when its request arrived: whoever holds many requests back and ends them in reverse
 * order would have each judged before the failures of those that came after it.
 */
function countedNow(failures: FailureLimiter, now: () => number): FailureLimiter {
  return {
    secondsToWait: (address) => failures.secondsToWait(address, now()),
    fail: (address) => failures.fail(address, now()),
  };
}

/** The JWK Set (RFC 7517 5) of all APIs that publish their keys, as JSON. APIs that sign with one key name it once. */
export function keySetOf(services: readonly TokenService[]): string {
  const keys = new Map<string, unknown>();
  for (const { jwks } of services)
    for (const key of jwks === null ? [] : (JSON.parse(jwks) as { keys: { kid: string }[] }).keys)
      keys.set(key.kid, key);
  return JSON.stringify({ keys: [...keys.values()] });
}
