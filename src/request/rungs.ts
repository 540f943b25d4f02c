/**
 * The way of a request, whole: every rung from its form to the backend, in the order that Postern promises. docs/request-path.md
 * is held equal to this list. What each rung decides stands in policy/, what it moves in the files beside this one.
 */
import { checkBrowser } from '../policy/browser.ts';
import { checkPlainForm, checkRequestForm } from '../policy/request-form.ts';
import { refusal } from '../refusal.ts';
import { checkLength, compareCredentials, judgeEvents } from './body.ts';
import {
  checkAddress,
  checkAddressOfApi,
  checkDenied,
  checkPreflight,
  judgeListed,
  judgeScope,
  takeCredential,
  takeFromRate,
  takePath,
  takeRoute,
  type PolicyWorld,
} from './checks.ts';
import type { Exchange } from './exchange.ts';
import { issueToken, takeClientCredentials } from './own.ts';
import { isIdentified, isPublic, isRouted, type Identified, type Passage, type Routed } from './passage.ts';
import type { Reportable, Rung, Verdict, Wait } from './run.ts';
import { askCache, forwardToBackend, takeBody, type World } from './send.ts';

type Check<P, W> = (passage: P, world: W) => Verdict | Wait | Promise<Verdict>;

const on = <P extends Passage, W, N extends string>(
  name: N,
  reportable: Reportable,
  check: Check<P, W>,
): Rung<P, W, N> => ({
  name,
  reportable,
  check,
});

/** A rung that needs the API. */
const routed = <P extends Passage, W, N extends string>(name: N, reportable: Reportable, check: Check<Routed<P>, W>) =>
  on<P, W, N>(name, reportable, (passage, world) =>
    isRouted(passage) ? check(passage, world) : outOfOrder(name, 'route'),
  );

/** A rung that needs the key. On a public route there is none, and nothing to ask of it. */
const identified = <P extends Passage, W, N extends string>(
  name: N,
  reportable: Reportable,
  check: Check<Identified<P>, W>,
) =>
  on<P, W, N>(name, reportable, (passage, world) =>
    isIdentified(passage) ? check(passage, world) : isPublic(passage) ? 'passed' : outOfOrder(name, 'credential'),
  );

function outOfOrder(name: string, needed: string): never {
  throw new Error(`the rung "${name}" was asked before the rung "${needed}"`);
}

const NOT_READY = refusal('not_ready', 'no keys have been loaded yet');

/** The rungs that judge by facts alone: what enforcement asks and what `explain` shows. */
export const JUDGING = {
  form: on('request form', 'never', ({ facts }: Passage) => checkRequestForm(facts) ?? 'passed'),
  path: on('path', 'traffic', takePath),
  route: on('route', 'never', takeRoute),
  plainForm: on('plain form', 'traffic', ({ facts }: Passage) => checkPlainForm(facts) ?? 'passed'),
  denied: on('denied addresses', 'never', checkDenied),
  apiAddress: routed('addresses of the API', 'api', checkAddressOfApi),
  preflight: on('preflight', 'traffic', checkPreflight),
  ownEndpoint: on('own endpoint', 'never', ({ endpoint }: Passage) => (endpoint === 'key set' ? 'own' : 'passed')),
  credential: routed('credential', 'api', takeCredential),
  clientAddress: identified('client address', 'key', checkAddress),
  browserGuard: identified(
    'browser guard',
    'key',
    (p: Identified) => checkBrowser(p.facts.headers, p.identity.key) ?? 'passed',
  ),
  scope: identified('scope', 'key', judgeScope),
  listed: routed('listed routes', 'api', judgeListed),
  rate: identified('rate', 'key', takeFromRate),
  events: routed('events', 'key', judgeEvents),
} as const satisfies Record<string, Rung<Passage, PolicyWorld>>;

export const RUNGS: readonly Rung<Exchange, World>[] = [
  on('ready', 'never', ({ rules }: Exchange) => (rules.ready ? 'passed' : NOT_READY)),
  JUDGING.form,
  JUDGING.path,
  JUDGING.route,
  JUDGING.plainForm,
  JUDGING.denied,
  JUDGING.apiAddress,
  JUDGING.preflight,
  JUDGING.ownEndpoint,
  routed('client credentials', 'never', takeClientCredentials),
  JUDGING.credential,
  JUDGING.clientAddress,
  JUDGING.browserGuard,
  routed('token', 'never', issueToken),
  JUDGING.scope,
  JUDGING.listed,
  JUDGING.rate,
  on('capacity', 'never', (exchange: Exchange, { ending }: World) => ending.begin(exchange) ?? 'passed'),
  routed('length', 'traffic', checkLength),
  routed('credential in the body', 'api', compareCredentials),
  JUDGING.events,
  routed('cache', 'never', askCache),
  routed('body', 'never', takeBody),
  routed('forward', 'never', forwardToBackend),
];
