/** A policy as something that is edited: what it says and what it leaves to its keys, and how it is read, saved and deleted. */
import { deletePolicy, putPolicy, readPolicy } from '../api/requests.ts';
import type { Policy } from '../api/types.ts';
import { draftFindingsAfter, rebase, withHiddenParts, withoutBlankRows } from '../keys/draft.ts';
import { FIELDS } from '../keys/fields.ts';
import type { Subject } from '../state/subject.ts';
import { joinedRows } from '../state/join.ts';
import { findingsAfter } from '../state/row-findings.ts';
import { TYPE_NAMES } from '../ui/type-names.ts';
import { keyLike, POLICY_FIELDS, policyDraftOf, policyOf, type PolicyDraft, type PolicyField } from './policy-draft.ts';

/** What a policy says of each field, as it would be saved. */
const saidBy = (draft: PolicyDraft): Readonly<Record<string, unknown>> => ({ name: draft.name, ...policyOf(draft) });

export function policyDifferences(one: PolicyDraft, other: PolicyDraft): string[] {
  const [before, after] = [saidBy(one), saidBy(other)];
  return ['name', 'type', ...POLICY_FIELDS].filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
}

/** `name`: null for a new one. */
export const policySubject = (name: string | null): Subject<Policy, PolicyDraft> => ({
  name: name === null ? 'the new policy' : `the policy ${name}`,
  saved: `The policy ${name ?? ''} is saved. Requests are judged by it from now on.`,
  all: '#/policies',
  draftOf: policyDraftOf,
  tidied: (draft) => ({ ...draft, draft: withoutBlankRows(draft.draft) }),
  withHidden: (saved, typed) => ({ ...saved, draft: withHiddenParts(saved.draft, typed.draft) }),
  differences: policyDifferences,
  rebase(typed, base, now) {
    const mine = policyDifferences(base, typed);
    const theirs = policyDifferences(base, now);
    const clashes = policyDifferences(typed, now).filter((field) => mine.includes(field) && theirs.includes(field));
    return {
      draft: {
        name: typed.name,
        type: typed.type === base.type ? now.type : typed.type,
        said: joinedRows<PolicyField>(typed.said, base.said, now.said),
        draft: rebase(typed.draft, base.draft, now.draft).draft,
      },
      theirs,
      both: clashes,
    };
  },
  findingsAfter(findings, before, after) {
    const left = draftFindingsAfter(findings, before.draft, after.draft);
    return (['name', 'type'] as const).reduce(
      (still, field) => findingsAfter(still, field, { before: before[field], after: after[field] }),
      left,
    );
  },
  words(policy, field) {
    if (field === 'type')
      return ['Type', policy.type === undefined ? 'Each key says its own' : TYPE_NAMES[policy.type]];
    const said = policy[field as PolicyField] !== undefined;
    const { title, words } = FIELDS[field as PolicyField];
    return [title, said ? words(keyLike(policy)) : 'Each key says its own'];
  },
  read: () => readPolicy(name ?? ''),
  put: (draft, etag) => putPolicy(draft.name, policyOf(draft), etag),
  remove: (etag) => deletePolicy(name ?? '', etag),
});
