/**
 * The rungs that need nothing but facts and rules: where a request goes, whose it is, from where, how often. Each asks policy/ and
 * keeps what it learnt in the passage. Nothing here reads a body or writes an answer.
 */
import { normalizeTarget } from '../lib/path-normalization.ts';
import { ANYWHERE, NOWHERE } from '../keys/address-rule.ts';
import { mayHoldCredential } from '../policy/body-credential.ts';
import { checkKeyAddress } from '../policy/client-address.ts';
import { admittedOrigins, isPreflight } from '../policy/cors.ts';
import { objectionToUnjudged, type Identity } from '../policy/credential.ts';
import { isKeySetPath, isTokenPath } from '../policy/own-endpoint.ts';
import { checkPlainForm } from '../policy/request-form.ts';
import { ruleOfKey } from '../policy/rule.ts';
import { checkListed, checkOverride, checkScope, isConfinedToMethods } from '../policy/scope.ts';
import { checkApiAddress, checkDeniedAddress } from '../policy/whole-addresses.ts';
import type { RateLimits } from '../rate-store/rate-store.ts';
import { refusal, type Decision, type Refusal } from '../refusal.ts';
import { nameUntyped, readText } from './body.ts';
import type { Observing } from './observing.ts';
import { clientOf, isPublic, type Identified, type Passage, type Routed } from './passage.ts';
import type { Verdict, Wait } from './run.ts';

/** What these rungs ask of the world. */
export interface PolicyWorld {
  /** Whose credential came with the request; may have to verify a signature. */
  readonly authenticate: (passage: Routed) => Decision<Identity> | Promise<Decision<Identity>>;
  readonly rate: RateLimits;
  /** Takes down the names of events that are judged; null: nothing is observed. */
  readonly observing: Pick<Observing, 'notes'> | null;
}

export function takePath(passage: Passage): Verdict {
  if (passage.path !== '') return 'passed';
  const target = normalizeTarget(passage.facts.target, passage.rules.pathQuirks);
  if (!target.ok) {
    takeAsReceived(passage);
    return formFirst(passage) ?? refusal('ambiguous_path', target.why);
  }
  passage.path = target.value.path;
  passage.query = target.value.query;
  return 'passed';
}

/**
 * The plain form is asked of a request once its API is known, which may be in report mode and let it pass. One that gets to no API ends
 * here: its form is what comes first.
 */
const formFirst = ({ api, facts }: Passage): Refusal | null => (api === null ? checkPlainForm(facts) : null);

/** Where an API would let the path pass, it goes there byte for byte, and by no route. */
function takeAsReceived(passage: Passage): void {
  const { facts, rules } = passage;
  const mark = facts.target.indexOf('?');
  const path = mark === -1 ? facts.target : facts.target.slice(0, mark);
  const api = rules.choice.findTolerant(facts.headers.host ?? '', path);
  if (api === null) return;
  passage.api = api;
  passage.path = path;
  passage.query = facts.target.slice(path.length);
  passage.isAmbiguous = true;
}

export function takeRoute(passage: Passage): Verdict {
  if (passage.api !== null) return 'passed';
  const { facts, rules, path } = passage;
  const publishing = isKeySetPath(path) ? rules.apis.find(({ publishesKeys }) => publishesKeys) : undefined;
  if (publishing !== undefined) {
    // Public keys are for everybody, under every Host.
    passage.api = publishing;
    passage.endpoint = 'key set';
    return facts.method === 'GET' || facts.method === 'HEAD'
      ? 'passed'
      : refusal('no_route', 'the key set is read only');
  }
  const api = rules.choice.find(facts.headers.host ?? '', path);
  if (api === null) return formFirst(passage) ?? refusal('no_route', 'no API serves this Host and path');
  passage.api = api;
  if (isTokenPath(api, path)) passage.endpoint = 'token';
  else passage.route = api.router.match(facts.method, path);
  return 'passed';
}

export const checkDenied = (passage: Passage): Verdict =>
  passage.rules.denyFrom === NOWHERE ? 'passed' : (checkDeniedAddress(passage.rules, clientOf(passage)) ?? 'passed');

/** The key set is no API's alone. */
export function checkAddressOfApi(passage: Routed): Verdict {
  const { api, rules, endpoint } = passage;
  if ((api.denyFrom === NOWHERE && api.allowFrom === ANYWHERE) || endpoint === 'key set') return 'passed';
  return checkApiAddress(api, clientOf(passage), rules.keys.lists) ?? 'passed';
}

export function checkPreflight(passage: Passage): Verdict {
  if (!isPreflight(passage.facts)) return 'passed';
  const { origin, originCount } = passage.facts.headers;
  const { rules, api } = passage;
  const origins = admittedOrigins(rules.keys, api?.name ?? null);
  if (originCount !== 1 || !origins.admits(origin ?? ''))
    return refusal('cors_not_allowed', 'no enabled key that pages may use in this API admits this origin');
  return 'own';
}

/** Where every other place was looked at in vain, the credential can only be in the body. */
export function takeCredential(passage: Routed, world: PolicyWorld): Verdict | Wait | Promise<Verdict> {
  // Of a token request: its client's credentials were read before.
  if (passage.identity !== null) return 'passed';
  if (isPublic(passage)) return objectionToUnjudged(passage, passage.api.credential, 'query') ?? 'passed';
  const decision = world.authenticate(passage);
  if (decision instanceof Promise) return decision.then((late) => keepIdentity(passage, late));
  if (!decision.ok && decision.refusal.code === 'missing_credential' && mayHoldCredential(passage)) {
    const wait = readText(passage);
    if (wait !== null) return wait;
    const again = world.authenticate(passage);
    passage.lookedThrough = true;
    return again instanceof Promise ? again.then((late) => keepIdentity(passage, late)) : keepIdentity(passage, again);
  }
  return keepIdentity(passage, decision);
}

function keepIdentity(passage: Passage, decision: Decision<Identity>): Verdict {
  if (!decision.ok) return decision.refusal;
  passage.identity = decision.value;
  return 'passed';
}

export function checkAddress(passage: Identified): Verdict {
  return checkKeyAddress(passage.identity.key, clientOf(passage), passage.rules.keys.lists) ?? 'passed';
}

export function judgeScope(passage: Identified): Verdict {
  const { key } = passage.identity;
  return checkScope(key, passage) ?? (isConfinedToMethods(key) ? nameUntyped(passage) : 'passed');
}

/** Of everybody: what the API serves at all. On a public route nobody may use another method than its own, key or not. */
export function judgeListed(passage: Routed): Verdict {
  const { api } = passage;
  const isOpen = isPublic(passage);
  const refused = checkListed(api, passage) ?? (isOpen ? checkOverride(passage) : null);
  return refused ?? (isOpen || api.unlisted === 'refuse' ? nameUntyped(passage) : 'passed');
}

export function takeFromRate(passage: Identified, { rate }: PolicyWorld): Verdict | Promise<Verdict> {
  const { key } = passage.identity;
  if (key.rateLimit === null) return 'passed';
  const { requests, windowSeconds } = key.rateLimit;
  const why = `key ${key.id} is over its limit of ${requests} requests in ${windowSeconds} s`;
  const verdict = rate.take(key.id, key.rateLimit);
  const read = (verdict: Awaited<ReturnType<RateLimits['take']>>): Verdict => {
    if (verdict.allowed) {
      passage.quota = verdict;
      return 'passed';
    }
    const { retryAfterSeconds } = verdict;
    passage.quota = { remaining: 0, resetSeconds: retryAfterSeconds };
    return { ...refusal('rate_limited', why, ruleOfKey(key, 'rateLimit')), retryAfter: retryAfterSeconds };
  };
  return verdict instanceof Promise ? verdict.then(read) : read(verdict);
}
