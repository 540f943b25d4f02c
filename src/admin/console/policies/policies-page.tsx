/** All policies: what each says, and how many keys use it. */
import { listPolicies } from '../api/requests.ts';
import type { Policy } from '../api/types.ts';
import { FIELDS } from '../keys/fields.ts';
import { policyAddress } from '../route.ts';
import { useReadOnly } from '../state/editing.ts';
import { useResource } from '../state/resource.ts';
import { Await, Notice } from '../ui/notice.tsx';
import { usersInWords } from '../ui/record.tsx';
import { POLICY_FIELDS } from './policy-draft.ts';
import { TYPE_NAMES } from '../ui/type-names.ts';

const REFRESH_MS = 10_000;

export function PoliciesPage() {
  const policies = useResource('policies', listPolicies, REFRESH_MS);
  const readOnly = useReadOnly();
  return (
    <>
      <div class="title-row">
        <h1>Policies</h1>
        {readOnly === null && (
          <a class="button button-primary" href="#/new-policy">
            New policy
          </a>
        )}
      </div>
      {readOnly !== null && <Notice kind="info">{readOnly}</Notice>}
      <Await resource={policies} what="policies">
        {({ policies: read, invalid }) => (
          <>
            {read.length + invalid.length === 0 && (
              <Notice kind="info">There are no policies yet. A policy holds what several keys have in common.</Notice>
            )}
            {invalid.map(({ name, why }) => (
              <Notice key={name} kind="error">
                <a href={policyAddress(name)}>{name}</a> cannot be read: {why}.
              </Notice>
            ))}
            {read.length > 0 && <Table policies={read} />}
          </>
        )}
      </Await>
    </>
  );
}

const saysOf = (policy: Policy): string =>
  POLICY_FIELDS.filter((name) => policy[name] !== undefined)
    .map((name) => FIELDS[name].title)
    .join(', ') || 'Nothing';

function Table({ policies }: { readonly policies: readonly Policy[] }) {
  return (
    <section class="card card-flush" aria-label="Policies">
      <table class="table table-cards">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Type</th>
            <th scope="col">Says</th>
            <th scope="col">Used by</th>
          </tr>
        </thead>
        <tbody>
          {policies.map((policy) => (
            <tr key={policy.name}>
              <th scope="row">
                <a class="mono" href={policyAddress(policy.name)}>
                  {policy.name}
                </a>
                <span class="muted row-note">{policy.description ?? ''}</span>
              </th>
              <td data-label="Type">{policy.type === undefined ? 'Each key’s own' : TYPE_NAMES[policy.type]}</td>
              <td data-label="Says">{saysOf(policy)}</td>
              <td data-label="Used by">{usersInWords(policy.usedBy)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
