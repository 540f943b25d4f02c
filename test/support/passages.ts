/** Facts, rules and passages for tests of the policy: a plain POST to an API with UserFlux's routes, changed by what the test is about. */
import { createHash } from 'node:crypto';
import { loadConfig } from '../../src/config/load.ts';
import { presetOf } from '../../src/config/presets.ts';
import type { Config } from '../../src/config/schema.ts';
import { ANYWHERE, NOWHERE as NOWHERE_DENIED } from '../../src/keys/address-rule.ts';
import { NO_RECORDS } from '../../src/keys/definition.ts';
import type { Key, KeySnapshot } from '../../src/keys/key.ts';
import { parseAddress } from '../../src/lib/address.ts';
import { compileApiChoice } from '../../src/policy/api-choice.ts';
import { compileTrustedProxies } from '../../src/policy/trusted-proxies.ts';
import { authenticateBySecret } from '../../src/policy/authenticate.ts';
import type { Facts } from '../../src/policy/facts.ts';
import { readHeaders } from '../../src/policy/header-facts.ts';
import { compileRoutes } from '../../src/policy/route.ts';
import type { ApiRules, Ruleset, UpstreamAuthorization, UpstreamCredentials } from '../../src/policy/ruleset.ts';
import type { PolicyWorld } from '../../src/request/checks.ts';
import { NOWHERE, type Passage, type Place } from '../../src/request/passage.ts';
import { createRun } from '../../src/request/run.ts';
import { JUDGING } from '../../src/request/rungs.ts';
import { key, NOON } from './outcomes.ts';

export { key, NOON };

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** `fields`: names and values alternating, after Host. */
export function factsOf(change: Partial<Facts> = {}, fields: readonly string[] = []): Facts {
  const rawHeaders = ['Host', 'api.test', ...fields];
  return {
    method: 'POST',
    target: '/event/ingest',
    httpVersion: '1.1',
    rawHeaders,
    headers: readHeaders(rawHeaders),
    peer: { text: '192.0.2.1', address: parseAddress('192.0.2.1'), isUnix: false },
    secure: false,
    now: NOON,
    ...change,
  };
}

/** The same in every place, of which there are a few at most. */
export const everywhere = (handed: UpstreamAuthorization): UpstreamCredentials => ({
  basic: handed,
  bearer: handed,
  places: Array<UpstreamAuthorization>(9).fill(handed),
});

export function apiRules(change: Partial<ApiRules> = {}): ApiRules {
  return {
    name: 'integration',
    hosts: null,
    allowFrom: ANYWHERE,
    denyFrom: NOWHERE_DENIED,
    router: compileRoutes(presetOf('userflux').routes),
    credential: [{ kind: 'bearer' }],
    credentialFields: [],
    looksIntoBody: false,
    authorization: everywhere({ kind: 'strip' }),
    cors: { allowedHeaders: new Set(['authorization']), maxAgeSeconds: 60, allowCredentials: false },
    refusalForm: 'problem',
    enforcement: 'enforce',
    unlisted: 'allow',
    maxBodyBytes: 1000,
    idleTimeoutMs: 1000,
    caches: change.name === 'metrics',
    tokenPath: change.name === 'metrics' ? '/metrics/auth/token' : null,
    publishesKeys: false,
    ...change,
  };
}

/** Each key gets the one secret `secret-of-ID`. */
export function snapshotOf(keys: readonly Key[]): KeySnapshot {
  const held = keys.map((one) => ({
    ...one,
    secrets: [{ id: `s-${one.id}`, digest: sha256(`secret-of-${one.id}`), expiresAt: null }],
  }));
  return {
    version: 1,
    invalid: [],
    lists: new Map(),
    records: NO_RECORDS,
    byId: new Map(held.map((one) => [one.id, one])),
    bySecret: new Map(
      held.map((one) => [sha256(`secret-of-${one.id}`), { key: one, secret: one.secrets[0] as Key['secrets'][0] }]),
    ),
  };
}

export interface RulesChange extends Partial<Ruleset> {
  /** null: there is none. Without `apis` these two are all there are. */
  readonly integration?: ApiRules | null;
  readonly metrics?: ApiRules | null;
}

export function rulesOf(
  keys: readonly Key[],
  { integration = apiRules(), metrics = null, ...change }: RulesChange = {},
): Ruleset {
  const apis = change.apis ?? [integration, metrics].filter((api) => api !== null);
  return {
    ready: true,
    trustedProxies: compileTrustedProxies([]),
    denyFrom: NOWHERE_DENIED,
    pathQuirks: new Set(),
    choice: compileApiChoice(apis.map((rules) => ({ rules, paths: null }))),
    idleTimeoutMs: Math.min(...apis.map(({ idleTimeoutMs }) => idleTimeoutMs)),
    keys: snapshotOf(keys),
    ...change,
    apis,
  };
}

/** The rules of one API; null: there is none of this name. */
export const apiIn = ({ apis }: Pick<Ruleset, 'apis'>, name: string): ApiRules | null =>
  apis.find((api) => api.name === name) ?? null;

export const bearer = (id: string): readonly string[] => ['Authorization', `Bearer secret-of-${id}`];

/** A passage at the door. A body is there when a test puts one in. */
export function passageOf(facts: Facts, rules: Ruleset, place: Place = NOWHERE): Passage {
  return {
    facts,
    rules,
    path: place.path,
    isAmbiguous: false,
    query: place.query,
    api: place.api,
    route: place.route,
    endpoint: null,
    identity: null,
    client: null,
    body: 'unread',
    bodyText: null,
    envelope: null,
    bodyHandedOver: false,
    lookedThrough: false,
    bodyJudged: false,
    eventsJudged: false,
    typeOfUntyped: null,
    bodyChanged: false,
    forwardedEvents: 0,
    removedEvents: 0,
    refusedNames: [],
    rejectedEvents: 0,
    eventNames: null,
    quota: null,
    wouldReject: null,
    isDecided: false,
    readBody: () => {
      throw new Error('no body to wait for');
    },
    hold: () => null,
  };
}

/** No limits, and whoever shows a secret is who has it. */
export const WORLD: PolicyWorld & { readonly observing: null } = {
  authenticate: authenticateBySecret,
  rate: { take: () => ({ allowed: true, remaining: 1, resetSeconds: 1 }), close: () => {}, shared: () => null },
  observing: null,
};

/** Where a passage gets to on the rungs that judge: `passed`, `own`, or the code of its refusal; at once unless a rung waits. */
export function judged(passage: Passage, world: PolicyWorld = WORLD): string {
  let end = 'passed';
  const run = createRun(Object.values(JUDGING), world, {
    begin: () => null,
    isOver: () => end !== 'passed',
    refuse: (_passage, { code }) => void (end = code),
    answerOwn: () => void (end = 'own'),
  });
  run(passage);
  return end;
}

/** A configuration from a file that is written for it. */
export function configFrom(file: string): Config {
  const { config, problems } = loadConfig(file, {});
  if (config === null) throw new Error(JSON.stringify(problems));
  return config;
}
