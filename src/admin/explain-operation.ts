/**
 * "Why was this refused?" over the admin API: a made-up request taken through the very steps of enforcement, by the rules and
 * keys in use. The secret that was asked about is not repeated.
 */
import type { Config } from '../config/schema.ts';
import { REFUSALS } from '../refusal.ts';
import { explain, type Explanation } from '../request/explain.ts';
import { authenticateAsAsked, factsOf } from '../request/made-up-request.ts';
import type { Ruleset } from '../policy/ruleset.ts';
import { readInput, type Answer, type Call, type Operation } from './operation.ts';
import { Question } from './schemas.ts';

export interface ExplainPorts {
  readonly rules: () => Ruleset;
  readonly config: () => Config;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function explainOperation({ rules, config, now }: ExplainPorts): Operation {
  const handle = async ({ body }: Call): Promise<Answer> => {
    const read = readInput(Question, body);
    if (!read.ok) return read.problem;
    const { key = null, keyId = null, events, ...request } = read.value;
    const ruleset = rules();
    if (!ruleset.ready) return { status: 200, body: notReady(request.ip) };
    const facts = factsOf({ ...request, secure: config().listen.tls !== null, now: now() }, ruleset);
    const authenticate = authenticateAsAsked(key, keyId);
    return { status: 200, body: await explain({ facts, rules: ruleset, events, authenticate }) };
  };
  return {
    method: 'POST',
    path: '/api/explain',
    operationId: 'explain',
    access: 'viewer',
    body: 'Question',
    problems: [],
    handle,
    summary: 'What would become of a request, step by step.',
    success: { status: 200, schema: 'Explanation' },
  };
}

/** Before there are keys, every request is refused before the first step. */
const notReady = (ip: string): Explanation => ({
  outcome: 'refused',
  status: REFUSALS.not_ready.status,
  code: 'not_ready',
  keyId: null,
  clientAddress: ip,
  chain: [],
  removedEvents: 0,
  steps: [],
});
