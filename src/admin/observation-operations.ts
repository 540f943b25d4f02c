/**
 * What callers did, over the admin API: as it was counted, as the key that fits it, and as what another key would have refused of it.
 * Changes nothing.
 */
import type { KeyDefinition } from '../keys/definition.ts';
import { completed, keyCompiler } from '../keys/compile.ts';
import { keyServes, type KeySnapshot } from '../keys/key.ts';
import type { DayCounts } from '../observe/day-counts.ts';
import { createApiRoutes } from '../observe/api-view.ts';
import type { Observer } from '../observe/observer.ts';
import type { Subject } from '../observe/observations.ts';
import { suggest } from '../observe/suggest.ts';
import { observedView } from '../observe/view.ts';
import { whatIf } from '../observe/what-if.ts';
import type { Ruleset } from '../policy/ruleset.ts';
import { readReplacement } from './definition-view.ts';
import type { KeyChanges } from './key-changes.ts';
import { malformed, noSuchKey } from './key-operations.ts';
import { inParts } from './long-list.ts';
import { CallersQuery, DaysQuery } from './observation-schemas.ts';
import { readInput, type Answer, type Call, type Operation } from './operation.ts';
import { fieldFindings, invalid, problem, type AdminProblem } from './problem.ts';

export interface ObservationPorts {
  /** null: observation is off. */
  readonly observer: Pick<Observer, 'read' | 'days'> | null;
  readonly rules: () => Ruleset;
  readonly changes: Pick<KeyChanges, 'get'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

type Reading = (subject: Subject) => Promise<DayCounts>;

const OFF: AdminProblem = problem(
  'not_observing',
  'Nothing is observed: set `observe.enabled` and start Postern again.',
);

export function observationOperations({ observer, rules, changes, now }: ObservationPorts): Operation[] {
  /** Reads what callers did, for as many days as were asked for. */
  const reading = (asked: unknown): Reading | AdminProblem => {
    if (observer === null) return OFF;
    const query = readInput(DaysQuery, asked);
    if (!query.ok) return query.problem;
    const days = query.value.days === undefined ? observer.days : Number(query.value.days);
    return (subject) => observer.read(subject, days);
  };

  const definitionOf = async (call: Call): Promise<KeyDefinition | AdminProblem> => {
    const { id = '' } = call.params;
    const stored = await changes.get(id);
    if (stored === null) return noSuchKey;
    if ('code' in stored) return stored;
    return 'invalid' in stored ? malformed(stored.invalid) : stored.definition;
  };

  /** Answers with what is made of a key's definition and of what it did. */
  const ofKey =
    (make: (counts: DayCounts, definition: KeyDefinition, call: Call) => Answer) =>
    async (call: Call): Promise<Answer> => {
      const definition = await definitionOf(call);
      if ('code' in definition) return definition;
      const read = reading(call.query);
      if (typeof read !== 'function') return read;
      return make(await read({ kind: 'key', name: definition.id }), definition, call);
    };

  const observed = ofKey((counts) => ({ status: 200, body: observedView(counts) }));

  const suggested = ofKey((counts, definition) => {
    const whole = completed({ id: definition.id, definition }, rules().keys.records);
    if ('invalid' in whole) return malformed(whole.invalid);
    return { status: 200, body: suggest(counts, { definition: whole.definition, rules: rules() }) };
  });

  const refusedBy = ofKey((counts, stored, { body }) => {
    const { records } = rules().keys;
    const wanted = readReplacement(body, stored, records);
    if (!wanted.ok) return invalid('invalid_definition', fieldFindings(wanted.findings));
    const whole = completed({ id: stored.id, definition: wanted.value }, records);
    if ('invalid' in whole) return invalid('invalid_definition', [{ field: '', message: whole.invalid }]);
    const key = keyCompiler()(whole.definition);
    return { status: 200, body: whatIf(counts, { key, rules: rules() }, now()) };
  });

  const ofApi = async (call: Call): Promise<Answer> => {
    const { apis, keys } = rules();
    const { name = '' } = call.params;
    if (!apis.some((api) => api.name === name)) return problem('not_found', 'There is no such API.');
    const query = readInput(CallersQuery, call.query);
    if (!query.ok) return query.problem;
    const { callers = 'unknown', ...days } = query.value;
    const read = reading(days);
    if (typeof read !== 'function') return read;
    const unknown = await read({ kind: 'api', name });
    if (callers === 'unknown') return { status: 200, body: observedView(unknown) };
    return { status: 200, body: await withKeys(unknown, name, keys, read) };
  };

  const days = { query: DaysQuery } as const;
  const key = {
    problems: ['not_found', 'malformed_definition', 'source_unavailable', 'not_observing', 'invalid_request'],
  } as const;
  return [
    {
      ...days,
      ...key,
      method: 'GET',
      path: '/api/keys/{id}/observed',
      operationId: 'getObserved',
      access: 'viewer',
      summary: 'What a key did.',
      success: { status: 200, schema: 'Observed' },
      handle: observed,
    },
    {
      ...days,
      ...key,
      method: 'GET',
      path: '/api/keys/{id}/suggestion',
      operationId: 'getSuggestion',
      access: 'viewer',
      summary: 'The narrowest key that fits what it did.',
      success: { status: 200, schema: 'Suggestion' },
      handle: suggested,
    },
    {
      ...days,
      method: 'POST',
      path: '/api/keys/{id}/what-if',
      operationId: 'askWhatIf',
      access: 'viewer',
      summary: 'What a definition would have refused of what the key did. Changes nothing.',
      body: 'KeyReplacement',
      success: { status: 200, schema: 'WhatIf' },
      problems: [...key.problems, 'invalid_definition'],
      handle: refusedBy,
    },
    {
      method: 'GET',
      path: '/api/apis/{name}/observed',
      operationId: 'getObservedApi',
      access: 'viewer',
      summary: 'What callers of an API did that showed no known key.',
      query: CallersQuery,
      success: { status: 200, schema: 'ObservedApi' },
      problems: ['not_found', 'not_observing', 'invalid_request'],
      handle: ofApi,
    },
  ];
}

/** What callers without a known key did, with the routes of everybody, and who used each. Holds one caller's counts at a time. */
async function withKeys(unknown: DayCounts, api: string, keys: KeySnapshot, read: Reading): Promise<unknown> {
  const routes = createApiRoutes(api);
  routes.add('', unknown);
  const view = observedView(unknown);
  // Of what found no room nobody knows where it went: some of it may have been here.
  let missed = view.truncated.routes;
  for await (const part of inParts(keys.byId))
    for (const [name, key] of part) {
      const counts = await read({ kind: 'key', name });
      routes.add(name, counts);
      if (keyServes(key, api)) missed += counts.routes.truncated;
    }
  return { ...view, routes: routes.shown(), truncated: { ...view.truncated, routes: missed } };
}
