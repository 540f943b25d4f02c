/**
 * Takes a made-up request through the very steps of enforcement and tells the verdict and the reason of each. Contacts no
 * backend, counts against no limit and never repeats a secret.
 */
import type { Identity } from './credential.ts';
import { eventFilterOf } from './events.ts';
import {
  clientOf,
  enter,
  modeOf,
  STEPS,
  type Passage,
  type PolicyPorts,
  type StepName,
  type StepResult,
} from './pipeline.ts';
import type { Facts } from './facts.ts';
import { REFUSALS, refusal, type Refusal, type RefusalCode } from './refusal.ts';
import type { CompiledRoute } from './route.ts';
import type { Ruleset } from './ruleset.ts';

export type Verdict = 'passed' | 'answered' | 'refused' | 'would_reject' | 'not_reached';

export interface StepVerdict {
  readonly step: StepName | 'events';
  readonly verdict: Verdict;
  readonly reason: string;
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
  readonly authenticate: PolicyPorts['authenticate'];
  readonly ownEndpoint: PolicyPorts['ownEndpoint'];
}

/** Explains what would become of a request. */
export async function explain({ facts, rules, events, authenticate, ownEndpoint }: Question): Promise<Explanation> {
  const passage = enter(facts, rules);
  const rate = { take: () => ({ allowed: true }) as const, shared: () => null, close: () => undefined };
  const ports: PolicyPorts = { authenticate, rate, ownEndpoint };
  const steps: StepVerdict[] = [];
  let end: { readonly result: Refusal | 'answered'; readonly enforced: boolean } | null = null;
  for (const step of STEPS) {
    if (end !== null) {
      steps.push({ step: step.name, verdict: 'not_reached', reason: '' });
      continue;
    }
    const result = withoutBody(await step.check(passage, ports));
    const enforced = modeOf(passage, step.reportable) === 'enforce';
    steps.push(verdictOf(step.name, result, enforced, passage));
    if (result !== 'passed') end = { result, enforced };
  }
  const { verdict, removed, refusal: objection } = end === null ? judgeEvents(passage, events) : NO_EVENTS;
  steps.push(verdict);
  if (objection !== null) end = { result: objection, enforced: modeOf(passage, 'key') === 'enforce' };
  const refused = end !== null && end.enforced && end.result !== 'answered' ? end.result : null;
  const client = clientOf(passage);
  return {
    outcome: refused === null ? 'allowed' : 'refused',
    status: refused === null ? (passage.endpoint === 'preflight' ? 204 : null) : REFUSALS[refused.code].status,
    code: refused?.code ?? null,
    keyId: passage.identity?.key.id ?? (refused?.keyId || null),
    clientAddress: client.text,
    chain: client.chain,
    removedEvents: removed,
    steps,
  };
}

/** A made-up request has no body to look into. */
function withoutBody(result: StepResult): Exclude<StepResult, 'body wanted'> {
  return result === 'body wanted' ? refusal('missing_credential', 'no credential outside the body') : result;
}

function verdictOf(
  step: StepName,
  result: Exclude<StepResult, 'body wanted'>,
  enforced: boolean,
  passage: Passage,
): StepVerdict {
  if (result === 'passed') return { step, verdict: 'passed', reason: WHY_PASSED[step](passage) };
  if (result === 'answered')
    return { step, verdict: 'answered', reason: `Postern answers this itself: ${passage.endpoint}` };
  return { step, verdict: enforced ? 'refused' : 'would_reject', reason: `${result.reason}: ${result.why}` };
}

const WHY_PASSED: Readonly<Record<StepName, (passage: Passage) => string>> = {
  'request form': () => 'well-formed HTTP/1.1',
  path: ({ path, query }) => `matched and forwarded as ${path}${query === '' ? '' : ' with its query'}`,
  route: ({ api, route }) =>
    `${api?.name} API, ${route === null ? 'no listed route' : `route ${route.route.method} ${route.route.pattern}`}`,
  preflight: () => 'not a CORS preflight',
  'own endpoint': () => 'for the backend',
  credential: ({ identity }) => nameIdentity(identity),
  'client address': (passage) => `${clientOf(passage).text} may use key ${passage.identity?.key.id}`,
  'browser guard': ({ facts }) =>
    facts.headers.origin === undefined ? 'not sent by a web page' : 'the key admits this origin',
  scope: ({ identity, facts }) => `a ${identity?.key.type} key may use ${facts.method} here`,
  rate: ({ identity }) => {
    const limit = identity?.key.rateLimit ?? null;
    return limit === null ? 'no limit' : `${limit.requests} requests in ${limit.windowSeconds} s (not counted here)`;
  },
};

function nameIdentity(identity: Identity | null): string {
  return identity === null ? '' : `secret ${identity.secret.id} of key ${identity.key.id} (${identity.key.type})`;
}

interface EventsJudged {
  readonly verdict: StepVerdict;
  readonly removed: number;
  readonly refusal: Refusal | null;
}

const NO_EVENTS: EventsJudged = {
  verdict: { step: 'events', verdict: 'not_reached', reason: '' },
  removed: 0,
  refusal: null,
};

/** Judges a body made of the names alone, by the same filter that judges real bodies. */
function judgeEvents(passage: Passage, names: readonly string[]): EventsJudged {
  const pass = (reason: string, removed = 0): EventsJudged => ({
    verdict: { step: 'events', verdict: 'passed', reason },
    removed,
    refusal: null,
  });
  const filter = eventFilterOf(passage);
  if (passage.identity?.key.allowedEvents === null) return pass('the key may send all events');
  if (filter === null || passage.route === null) return pass('the route carries no events');
  if (names.length === 0) return pass('no event was named');
  const report = modeOf(passage, 'key') === 'report';
  const result = filter(bodyOf(passage.route.route, names));
  if (result.ok)
    return pass(`${result.forwarded} forwarded, ${result.removed} ${report ? 'would be ' : ''}removed`, result.removed);
  const reason = `${result.refusal.reason}: ${result.refusal.why}`;
  return {
    verdict: { step: 'events', verdict: report ? 'would_reject' : 'refused', reason },
    removed: 0,
    refusal: result.refusal,
  };
}

function bodyOf({ selector }: CompiledRoute, names: readonly string[]): Buffer {
  if (selector === null) return Buffer.alloc(0);
  const events = names.map((name) => ({ [selector.member]: name }));
  if (selector.kind === 'single') return Buffer.from(JSON.stringify(events[0]));
  return Buffer.from(JSON.stringify(selector.container === null ? events : { [selector.container]: events }));
}
