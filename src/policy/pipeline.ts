/**
 * The steps that a request passes before its body is read, in their order, each with its verdict. Enforcement stops at the
 * first refusal, report mode remembers it, `explain` prints them all: one pipeline. It reads no body and writes no answer.
 */
import type { Key, Mode } from '../keys/key.ts';
import type { RateStore } from '../rate-store/rate-store.ts';
import { mayHoldCredential, type BodyText } from './body-credential.ts';
import { checkBrowser } from './browser.ts';
import { resolveClientAddress, type ClientAddress } from './client-address.ts';
import { admittedOrigins, isPreflight } from './cors.ts';
import { findCredential, type Identity } from './credential.ts';
import type { Facts } from './facts.ts';
import { normalizeTarget } from './path.ts';
import { refusal, type Decision, type Refusal } from './refusal.ts';
import { checkRequestForm } from './request-form.ts';
import { isMetricsPath, type RouteMatch } from './route.ts';
import type { ApiRules, Ruleset } from './ruleset.ts';
import { checkScope } from './scope.ts';

/** A request on its way: each step adds what it found. Belongs to one request. */
export interface Passage {
  readonly facts: Facts;
  readonly rules: Ruleset;
  /** As matched and as forwarded, without the query; '' until the path step. */
  path: string;
  /** '' or `?...`, as received. */
  query: string;
  api: ApiRules | null;
  route: RouteMatch | null;
  identity: Identity | null;
  /** Only of an API that looks for credentials there; from the handing over on, what the backend gets. */
  bodyText: BodyText;
  /** The credential in the body was taken out or replaced. */
  bodyHandedOver: boolean;
  client: ClientAddress | null;
  /** Set when Postern answers by itself. */
  endpoint: OwnEndpoint | null;
  /** In report mode: the refusal that enforcement would have answered with. */
  wouldReject: Refusal | null;
}

/** What Postern answers itself instead of the backend. */
export type OwnEndpoint = 'preflight' | 'token' | 'key set';

/** What the pipeline asks of the world. */
export interface PolicyPorts {
  /** Whose credential came with the request; may have to verify a signature. */
  readonly authenticate: (passage: Passage, api: ApiRules) => Decision<Identity> | Promise<Decision<Identity>>;
  readonly rate: RateStore;
  /** Whether a path is one of the metrics API's that Postern answers itself. */
  readonly ownEndpoint: (path: string, metrics: ApiRules) => OwnEndpoint | null;
}

/**
 * `answered`: a request that Postern answers itself, such as a CORS preflight. `body wanted`: the credential can only be in
 * the body; once that is read into `bodyText`, the way goes on `FROM_CREDENTIAL`.
 */
export type StepResult = Refusal | 'passed' | 'answered' | 'body wanted';

export type StepName =
  | 'request form'
  | 'path'
  | 'route'
  | 'preflight'
  | 'own endpoint'
  | 'credential'
  | 'client address'
  | 'browser guard'
  | 'scope'
  | 'rate';

export interface Step {
  readonly name: StepName;
  /** Whose report mode turns a refusal of this step into a note: nobody's, the API's, or the API's and the key's. */
  readonly reportable: 'never' | 'api' | 'key';
  readonly check: (passage: Passage, ports: PolicyPorts) => StepResult | Promise<StepResult>;
}

/** The request's way up to its body. The order is part of what Postern promises. */
export const STEPS: readonly Step[] = [
  { name: 'request form', reportable: 'never', check: ({ facts }) => checkRequestForm(facts) ?? 'passed' },
  { name: 'path', reportable: 'never', check: takePath },
  { name: 'route', reportable: 'never', check: takeRoute },
  { name: 'preflight', reportable: 'never', check: answerPreflight },
  { name: 'own endpoint', reportable: 'never', check: ({ endpoint }) => (endpoint === null ? 'passed' : 'answered') },
  { name: 'credential', reportable: 'api', check: takeCredential },
  { name: 'client address', reportable: 'key', check: checkAddress },
  { name: 'browser guard', reportable: 'key', check: (p) => checkBrowser(p.facts.headers, keyOf(p)) ?? 'passed' },
  {
    name: 'scope',
    reportable: 'key',
    check: (p) => checkScope(keyOf(p), p.facts.method, p.query, p.route) ?? 'passed',
  },
  { name: 'rate', reportable: 'key', check: takeFromRate },
];

/** Where a request goes on that had to wait for its body. */
export const FROM_CREDENTIAL = STEPS.findIndex(({ name }) => name === 'credential');

/**
 * A passage at the door. `before`: where the request before on the same connection went. If that was the same place by the same
 * configuration, where this one goes is known.
 */
export function enter(facts: Facts, rules: Ruleset, before: Visit | null = null): Passage {
  const known = before !== null && wentTo(before, facts, rules) ? before : NOWHERE;
  return {
    facts,
    rules,
    path: known.path,
    query: known.query,
    api: known.api,
    route: known.route,
    identity: null,
    bodyText: null,
    bodyHandedOver: false,
    client: null,
    endpoint: null,
    wouldReject: null,
  };
}

type Place = Pick<Passage, 'path' | 'query' | 'api' | 'route'>;

const NOWHERE: Place = { path: '', query: '', api: null, route: null };

/** Where a request went. Holds no keys: it may be remembered for long after they were replaced. */
export interface Visit extends Place {
  readonly target: string;
  readonly method: string;
  readonly host: string | undefined;
  readonly configuration: Configuration;
}

/** What of a ruleset decides where a request goes. Made anew with each configuration, and kept when keys change. */
type Configuration = Pick<Ruleset, 'pathQuirks' | 'integration' | 'metrics'>;

/** Where a passage went, if it took a route. Postern's own endpoints are not routes. */
export function visitOf({ facts, rules, path, query, api, route, endpoint }: Passage): Visit | null {
  if (api === null || endpoint !== null) return null;
  const { target, method, headers } = facts;
  const { pathQuirks, integration, metrics } = rules;
  return {
    target,
    method,
    host: headers.host,
    configuration: { pathQuirks, integration, metrics },
    path,
    query,
    api,
    route,
  };
}

/** Whether a request asks now for what was visited. */
function wentTo({ target, method, host, configuration }: Visit, now: Facts, rulesNow: Ruleset): boolean {
  return (
    configuration.pathQuirks === rulesNow.pathQuirks &&
    configuration.integration === rulesNow.integration &&
    configuration.metrics === rulesNow.metrics &&
    target === now.target &&
    method === now.method &&
    host === now.headers.host
  );
}

/**
 * Takes a request through the steps: a refusal, `answered`, or `passed` when it may go on (with `wouldReject` set if report
 * mode is all that let it pass). Synchronous unless a step has to wait.
 */
export function admit(passage: Passage, ports: PolicyPorts, from = 0): StepResult | Promise<StepResult> {
  for (let i = from; i < STEPS.length; i++) {
    const step = STEPS[i] as Step;
    const result = step.check(passage, ports);
    if (result === 'passed') continue;
    if (result instanceof Promise)
      return result.then((late) => (late === 'passed' ? admit(passage, ports, i + 1) : settle(passage, step, late)));
    return settle(passage, step, result);
  }
  return 'passed';
}

/**
 * For a caller who was recognised before the body was read: what stands there must not contradict what was found then. Whose
 * that is was found out on arrival, and is not asked again: the body may have been long in coming.
 */
export function checkCredential(passage: Passage): StepResult {
  const shown = findCredential(passage, (passage.api as ApiRules).credential);
  return shown.ok ? 'passed' : settle(passage, STEPS[FROM_CREDENTIAL] as Step, shown.refusal);
}

/**
 * What stands in the way of reporting instead of refusing: `enforce` unless the API or the key says `report`.
 * A refusal before the key is known can only be reported by the API.
 */
export function modeOf(passage: Passage, reportable: Step['reportable']): Mode {
  if (reportable === 'never') return 'enforce';
  if (passage.api?.enforcement === 'report') return 'report';
  return reportable === 'key' && passage.identity?.key.mode === 'report' ? 'report' : 'enforce';
}

/** The address and browser steps alone, for a key that was recognised by other means than a credential on the request. */
export function checkGuards(passage: Passage): Refusal | null {
  const address = checkAddress(passage);
  const result = address === 'passed' ? checkBrowser(passage.facts.headers, keyOf(passage)) : (address as Refusal);
  if (result === null || modeOf(passage, 'key') === 'enforce') return result;
  passage.wouldReject = result;
  return null;
}

/** The first refusal ends the steps in report mode too: enforcement would have counted just that one. */
function settle(passage: Passage, step: Step, result: StepResult): StepResult {
  if (typeof result === 'string' || modeOf(passage, step.reportable) === 'enforce') return result;
  passage.wouldReject = result;
  passage.client ??= clientOf(passage);
  return 'passed';
}

function takePath(passage: Passage): StepResult {
  if (passage.path !== '') return 'passed';
  const target = normalizeTarget(passage.facts.target, passage.rules.pathQuirks);
  if (!target.ok) return target.refusal;
  passage.path = target.value.path;
  passage.query = target.value.query;
  return 'passed';
}

function takeRoute(passage: Passage, ports: PolicyPorts): StepResult {
  if (passage.api !== null) return 'passed';
  const { facts, rules, path } = passage;
  const own = rules.metrics === null ? null : ports.ownEndpoint(path, rules.metrics);
  passage.endpoint = own;
  if (own === 'key set') {
    // Public keys are for everybody, under every Host.
    passage.api = rules.metrics;
    return facts.method === 'GET' || facts.method === 'HEAD'
      ? 'passed'
      : refusal('no_route', 'the key set is read only');
  }
  const api = isMetricsPath(path) ? rules.metrics : rules.integration;
  if (api === null) return refusal('no_route', 'no API is configured for this path');
  if (api.hosts !== null && !api.hosts.has(hostName(facts.headers.host ?? '')))
    return refusal('no_route', `the ${api.name} API does not serve this Host`);
  passage.api = api;
  passage.route = api.router.match(facts.method, path);
  return 'passed';
}

function answerPreflight(passage: Passage): StepResult {
  if (!isPreflight(passage.facts)) return 'passed';
  const { origin, originCount } = passage.facts.headers;
  const origins = admittedOrigins(passage.rules.keys);
  if (originCount === 1 && (origins === null || origins.has(origin ?? ''))) {
    passage.endpoint = 'preflight';
    return 'answered';
  }
  return refusal('cors_not_allowed', 'no enabled write-only key admits this origin');
}

function takeCredential(passage: Passage, ports: PolicyPorts): StepResult | Promise<StepResult> {
  const api = passage.api as ApiRules;
  const keep = (decision: Decision<Identity>): StepResult => {
    if (!decision.ok) return isInBody(passage, api, decision.refusal) ? 'body wanted' : decision.refusal;
    passage.identity = decision.value;
    return 'passed';
  };
  const decision = ports.authenticate(passage, api);
  return decision instanceof Promise ? decision.then(keep) : keep(decision);
}

/** Every other place was looked at in vain, and the body was not read yet. */
function isInBody({ facts, bodyText }: Passage, api: ApiRules, { code }: Refusal): boolean {
  return code === 'missing_credential' && bodyText === null && mayHoldCredential(facts, api);
}

function checkAddress(passage: Passage): StepResult {
  passage.client = clientOf(passage);
  const key = keyOf(passage);
  if (key.admitsAddress(passage.client.address)) return 'passed';
  return refusal('ip_not_allowed', `${passage.client.text} is not on the allow-list of key ${key.id}`);
}

function takeFromRate(passage: Passage, { rate }: PolicyPorts): StepResult | Promise<StepResult> {
  const key = keyOf(passage);
  if (key.rateLimit === null) return 'passed';
  const { requests, windowSeconds } = key.rateLimit;
  const why = `key ${key.id} is over its limit of ${requests} requests in ${windowSeconds} s`;
  const verdict = rate.take(key.id, key.rateLimit, passage.facts.now);
  const read = (verdict: Awaited<ReturnType<RateStore['take']>>): StepResult =>
    verdict.allowed ? 'passed' : { ...refusal('rate_limited', why), retryAfter: verdict.retryAfterSeconds };
  return verdict instanceof Promise ? verdict.then(read) : read(verdict);
}

function keyOf(passage: Passage): Key {
  if (passage.identity === null) throw new Error('a step that needs a key ran before the credential step');
  return passage.identity.key;
}

/** The address is resolved once a request, also for the log line of a request that was refused before it mattered. */
export function clientOf(passage: Passage): ClientAddress {
  const { facts, rules } = passage;
  return passage.client ?? resolveClientAddress(facts.peer, facts.headers.forwardedFor, rules.trustedProxies);
}

/** The host name of a Host value: lower case, without port (RFC 3986 3.2.2). */
function hostName(host: string): string {
  const end = host.startsWith('[') ? host.indexOf(']') + 1 : host.indexOf(':');
  return (end <= 0 ? host : host.slice(0, end)).toLowerCase();
}
