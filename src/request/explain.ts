/**
 * Takes a made-up request up the very rungs of enforcement and tells the verdict and the reason of each. Contacts no backend,
 * counts against no limit and never repeats a secret.
 */
import type { Mode } from '../keys/key.ts';
import type { BodyText } from '../policy/body-credential.ts';
import type { ClientAddress } from '../policy/client-address.ts';
import type { Identity } from '../policy/credential.ts';
import type { Facts } from '../policy/facts.ts';
import type { RouteMatch } from '../policy/route.ts';
import { ruleOfKey } from '../policy/rule.ts';
import type { ApiRules, Ruleset } from '../policy/ruleset.ts';
import { refusal, REFUSALS, type Refusal, type RefusalCode } from '../refusal.ts';
import type { PolicyWorld } from './checks.ts';
import { madeUpBody } from './made-up-body.ts';
import { clientOf, isPublic, NOWHERE, type Body, type OwnEndpoint, type Passage } from './passage.ts';
import { isExempt, judge, modeOf, type Verdict } from './run.ts';
import { JUDGING } from './rungs.ts';

export type ExplainedVerdict = 'passed' | 'answered' | 'refused' | 'would_reject' | 'not_reached';

/** The rungs that a made-up request can be judged by, in their order. */
const EXPLAINED = Object.values(JUDGING);
type ExplainedName = (typeof EXPLAINED)[number]['name'];

export interface StepVerdict {
  readonly step: ExplainedName;
  readonly verdict: ExplainedVerdict;
  readonly reason: string;
  /** What decided, where a rule did that has a name: a list and its entry, a route. */
  readonly rule: string | null;
}

export interface Explanation {
  readonly outcome: 'allowed' | 'refused';
  /** Of the refusal; null when the backend's answer decides. */
  readonly status: number | null;
  readonly code: RefusalCode | null;
  readonly keyId: string | null;
  readonly clientAddress: string;
  /** The X-Forwarded-For entries that were walked, right to left. */
  readonly chain: readonly string[];
  readonly removedEvents: number;
  readonly steps: readonly StepVerdict[];
}

export interface Question {
  readonly facts: Facts;
  readonly rules: Ruleset;
  /** Names of the events that the request would carry. */
  readonly events: readonly string[];
  readonly authenticate: PolicyWorld['authenticate'];
}

/**
 * Explains what would become of a request. Where a body holds one event, each of several names is asked about as in a request of
 * its own, up to the first that may not be sent.
 */
export async function explain({ facts, rules, events, authenticate }: Question): Promise<Explanation> {
  const passage = new MadeUpPassage(facts, rules, events);
  let told = await goUp(passage, authenticate);
  for (const name of holdsOneEvent(passage.route) ? events.slice(1) : []) {
    if (told.steps.some(({ step, verdict }) => step === 'events' && verdict !== 'passed')) break;
    told = await goUp(new MadeUpPassage(facts, rules, [name]), authenticate);
  }
  return told;
}

const holdsOneEvent = (route: RouteMatch | null): boolean => route?.route.events?.selectors[0]?.containers.length === 0;

async function goUp(passage: MadeUpPassage, authenticate: Question['authenticate']): Promise<Explanation> {
  const world: PolicyWorld = { authenticate, rate: UNCOUNTED, observing: null };
  const steps: StepVerdict[] = [];
  let refused: Refusal | null = null;
  let reached = true;
  for (const { name: step, reportable, check } of EXPLAINED) {
    if (!reached || isExempt(passage, reportable)) {
      steps.push({ step, verdict: 'not_reached', reason: '', rule: null });
      continue;
    }
    const result = await check(passage, world);
    const told = typeof result === 'function' ? withoutBody(step) : result;
    const verdict = answersTokenRequest(passage, step) ? 'own' : told;
    reached = judge(passage, reportable, verdict) === 'goes on';
    if (!reached && isRefusal(verdict)) refused = verdict;
    steps.push({ step, ...shown(verdict, step, passage, modeOf(passage, reportable)) });
  }
  return conclude(passage, refused, steps);
}

/** A made-up request has no body to wait for: no credential is in it, and no event that could be judged. */
const withoutBody = (step: ExplainedName): Verdict =>
  step === 'credential' ? refusal('missing_credential', 'no credential outside the body') : 'passed';

/** Nobody made a body with a client secret up. */
const answersTokenRequest = ({ endpoint }: Passage, step: ExplainedName): boolean =>
  step === 'own endpoint' && endpoint === 'token';

const isRefusal = (verdict: Verdict): verdict is Refusal => typeof verdict === 'object' && 'code' in verdict;

function conclude(passage: MadeUpPassage, refused: Refusal | null, steps: readonly StepVerdict[]): Explanation {
  const client = clientOf(passage);
  return {
    outcome: refused === null ? 'allowed' : 'refused',
    status: refused === null ? (isPreflightAnswered(steps) ? 204 : null) : REFUSALS[refused.code].status,
    code: refused?.code ?? null,
    keyId: passage.identity?.key.id ?? ((refused ?? passage.wouldReject)?.keyId || null),
    clientAddress: client.text,
    chain: client.chain,
    removedEvents: passage.removedEvents,
    steps,
  };
}

const isPreflightAnswered = (steps: readonly StepVerdict[]): boolean =>
  steps.some(({ step, verdict }) => step === 'preflight' && verdict === 'answered');

function shown(verdict: Verdict, step: ExplainedName, passage: Passage, mode: Mode): Omit<StepVerdict, 'step'> {
  if (verdict === 'own' && mode === 'report')
    return { verdict: 'passed', reason: 'enforcement would answer it; here the backend does', rule: null };
  if (verdict === 'own')
    return {
      verdict: 'answered',
      reason: `Postern answers this itself: ${step === 'preflight' ? step : passage.endpoint}`,
      rule: null,
    };
  if (!isRefusal(verdict))
    return { verdict: 'passed', reason: whyPassed(step, passage, mode), rule: ruleThatPassed(step, passage) };
  const { rule = null } = verdict;
  const reason = `${verdict.reason}: ${verdict.why}`;
  return { verdict: mode === 'enforce' ? 'refused' : 'would_reject', reason, rule };
}

/** What let it pass, where that is one entry of a list or one route. */
function ruleThatPassed(step: ExplainedName, passage: Passage): string | null {
  const { identity, route, rules } = passage;
  if (step === 'client address' && identity !== null) {
    const entry = identity.key.allowFrom.entryOf(clientOf(passage).address, rules.keys.lists);
    return entry === null ? null : ruleOfKey(identity.key, 'allowFrom', entry);
  }
  return step === 'route' && route !== null ? `route ${route.route.method} ${route.route.pattern}` : null;
}

/** What is asked of a key, and of nobody on a public route. */
const OF_KEYS: ReadonlySet<ExplainedName> = new Set(['credential', 'client address', 'browser guard', 'scope', 'rate']);

function whyPassed(step: ExplainedName, passage: Passage, mode: Mode): string {
  return isPublic(passage) && OF_KEYS.has(step) ? 'the route is public' : WHY_PASSED[step](passage, mode);
}

const WHY_PASSED: Readonly<Record<ExplainedName, (passage: Passage, mode: Mode) => string>> = {
  'request form': () => 'well-formed HTTP/1.1',
  path: ({ path, query }) => `matched and forwarded as ${path}${query === '' ? '' : ' with its query'}`,
  route: ({ api, route }) =>
    `${api?.name} API, ${route === null ? 'no listed route' : `route ${route.route.method} ${route.route.pattern}`}`,
  'plain form': () => 'nothing is said twice, and no body comes where none is usual',
  'denied addresses': (passage) => `${clientOf(passage).text} is not on listen.denyFrom`,
  'addresses of the API': (passage) => `${clientOf(passage).text} may use the ${passage.api?.name} API`,
  preflight: () => 'not a CORS preflight',
  'own endpoint': () => 'for the backend',
  credential: ({ identity }) => nameIdentity(identity),
  'client address': (passage) => `${clientOf(passage).text} may use key ${passage.identity?.key.id}`,
  'browser guard': ({ facts }) =>
    facts.headers.origin === undefined ? 'not sent by a web page' : 'the key admits this origin',
  scope: ({ identity, facts }) => `a ${identity?.key.type} key may use ${facts.method} here`,
  'listed routes': ({ api, route }) => {
    if (api?.unlisted !== 'refuse') return `the ${api?.name} API admits what no route lists`;
    return `route ${route?.route.method} ${route?.route.pattern}`;
  },
  rate: ({ identity }) => {
    const limit = identity?.key.rateLimit ?? null;
    return limit === null ? 'no limit' : `${limit.requests} requests in ${limit.windowSeconds} s (not counted here)`;
  },
  events: ({ identity, route, body, forwardedEvents, removedEvents }, mode) => {
    if (identity?.key.allowedEvents === null) return 'the key may send all events';
    if (route === null || route.route.events === null) return 'the route carries no events';
    if (body === 'unread') return 'no event was named';
    return `${forwardedEvents} forwarded, ${removedEvents} ${mode === 'report' ? 'would be ' : ''}removed`;
  },
};

function nameIdentity(identity: Identity | null): string {
  return identity === null ? '' : `secret ${identity.secret.id} of key ${identity.key.id} (${identity.key.type})`;
}

const UNCOUNTED: PolicyWorld['rate'] = {
  take: (_keyId, { requests, windowSeconds }) => ({ allowed: true, remaining: requests, resetSeconds: windowSeconds }),
  shared: () => null,
  close: () => undefined,
};

/** A request that nobody sent. Its body, if it has one, is made of the names of its events alone. */
class MadeUpPassage implements Passage {
  readonly facts: Facts;
  readonly rules: Ruleset;
  path = NOWHERE.path;
  isAmbiguous = false;
  query = NOWHERE.query;
  api: ApiRules | null = null;
  route: RouteMatch | null = null;
  endpoint: OwnEndpoint | null = null;
  identity: Identity | null = null;
  client: ClientAddress | null = null;
  bodyText: BodyText = null;
  envelope = null;
  bodyHandedOver = false;
  lookedThrough = false;
  bodyChanged = false;
  bodyJudged = false;
  eventsJudged = false;
  typeOfUntyped: Passage['typeOfUntyped'] = null;
  forwardedEvents = 0;
  removedEvents = 0;
  refusedNames: readonly string[] = [];
  rejectedEvents = 0;
  eventNames: Passage['eventNames'] = null;
  quota: Passage['quota'] = null;
  wouldReject: Refusal | null = null;
  isDecided = false;
  readonly #events: readonly string[];
  #body: Body | null = null;

  constructor(facts: Facts, rules: Ruleset, events: readonly string[]) {
    this.facts = facts;
    this.rules = rules;
    this.#events = events;
  }

  get body(): Body {
    if (this.#body !== null) return this.#body;
    return this.route === null || this.#events.length === 0 ? 'unread' : madeUpBody(this.route.route, this.#events);
  }

  set body(body: Body) {
    this.#body = body;
  }

  readBody(): void {
    throw new Error('a made-up request has no body to wait for');
  }

  hold(): null {
    return null;
  }
}
