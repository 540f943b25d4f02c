/**
 * On which conditions a policy or an address list may be changed or removed: that it is still what the caller saw, that a new one is
 * meant to be new, and that nothing uses what goes. Changes nothing.
 */
import type { Loaded } from '../keys/definition.ts';
import { entityTag, matches } from './definition-view.ts';
import type { Call } from './operation.ts';
import { problem, type AdminProblem } from './problem.ts';
import type { ShownUsers } from './record-view.ts';

export interface Wording {
  readonly missing: AdminProblem;
  readonly word: string;
}

/** A new one is made only where there is none, and none is made by chance: a name that is misspelt is no new name. */
export function putProblem(call: Call, stored: Loaded<object> | null, wording: Wording): AdminProblem | null {
  if (call.ifNoneMatch === undefined || call.ifMatch !== undefined) return ifMatchProblem(call, stored, wording);
  if (stored === null && call.ifNoneMatch.trim() === '*') return null;
  return problem(
    'precondition_failed',
    call.ifNoneMatch.trim() === '*'
      ? `This ${wording.word} is there already.`
      : 'If-None-Match can only be `*` here: it creates.',
  );
}

/** Why a change must not be made to what is stored now, or null. */
export function ifMatchProblem(
  { method, ifMatch }: Call,
  stored: Loaded<object> | null,
  { missing, word }: Wording,
): AdminProblem | null {
  if (ifMatch === undefined) return stored === null && method !== 'PUT' ? missing : unconditional(method, word);
  if (stored === null) return missing;
  if (matches(ifMatch, entityTag(stored))) return null;
  return problem(
    'precondition_failed',
    `The ${word} has changed since it was read. Read it again, and base the change on that.`,
  );
}

const unconditional = (method: string, word: string): AdminProblem =>
  problem(
    'precondition_required',
    `Send the ETag of the ${word} in If-Match, so that no change of another is lost${method === 'PUT' ? ', or `If-None-Match: *` to create it' : ''}.`,
  );

/** How many users are named in the sentence. */
const NAMED_USERS = 10;

/** Why what has users cannot be deleted; null: it has none. */
export function inUseProblem(word: string, { keys, policies, configuration, total }: ShownUsers): AdminProblem | null {
  if (total === 0) return null;
  const named = [
    ...configuration,
    ...policies.map((name) => `the policy ${name}`),
    ...keys.map((id) => `the key ${id}`),
  ].slice(0, NAMED_USERS);
  const more = total - named.length;
  return problem('in_use', `The ${word} is in use: ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`);
}
