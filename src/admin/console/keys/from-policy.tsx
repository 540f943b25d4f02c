/** Marks what a key does not say itself, but has from its policy. */
import { policyAddress } from '../route.ts';
import type { FormPartProps } from './draft.ts';
import type { FieldName } from './fields.ts';

export interface FromPolicyProps {
  readonly part: Pick<FormPartProps, 'draft' | 'inherited'>;
  readonly names: readonly FieldName[];
}

export function FromPolicy({ part: { draft, inherited = [] }, names }: FromPolicyProps) {
  if (draft.policy === null || !names.some((name) => inherited.includes(name))) return null;
  return (
    <p class="from-policy">
      Follows the policy <a href={policyAddress(draft.policy)}>{draft.policy}</a>. What is changed here, the key says
      itself from then on.
    </p>
  );
}
