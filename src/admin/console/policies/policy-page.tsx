/** One policy, or a new one: the fields that it says, the keys that use it, and what a change will mean for each of them. */
import { useState } from 'preact/hooks';
import { deletePolicy, listKeys, putPolicy, readPolicy } from '../api/requests.ts';
import type { KeyDefinition, Policy } from '../api/types.ts';
import { useChoices } from '../keys/choices.ts';
import { withoutBlankRows } from '../keys/draft.ts';
import { FIELDS } from '../keys/fields.ts';
import { policyAddress, setUnsaved } from '../route.ts';
import { useReadOnly } from '../state/editing.ts';
import { useResource } from '../state/resource.ts';
import { useSaving } from '../state/saving.ts';
import { announcement } from '../state/status.ts';
import { Check, messagesFor, SelectField, TextField, useFocusOnMistake } from '../ui/field.tsx';
import { Await, Notice } from '../ui/notice.tsx';
import { RecordBar, RecordHead, Users } from '../ui/record.tsx';
import { Effects } from './effects.tsx';
import {
  effectsOf,
  offeredFields,
  POLICY_FIELDS,
  policyDraftOf,
  policyOf,
  type PolicyDraft,
  type PolicyField,
} from './policy-draft.ts';
import { PolicyFieldControls } from './policy-field.tsx';
import { TYPE_NAMES } from '../ui/type-names.ts';

export function PolicyPage({ name }: { readonly name: string | null }) {
  const keys = useResource('keys', listKeys);
  const all = keys.value?.keys ?? [];
  if (name === null) return <PolicyEditor policy={null} etag={null} keys={all} onChanged={() => undefined} />;
  return <StoredPolicy name={name} keys={all} onChanged={() => void keys.reload()} />;
}

interface StoredPolicyProps {
  readonly name: string;
  readonly keys: readonly KeyDefinition[];
  readonly onChanged: () => void;
}

function StoredPolicy({ name, keys, onChanged }: StoredPolicyProps) {
  const policy = useResource(`policy ${name}`, () => readPolicy(name));
  const reload = (): void => {
    void policy.reload();
    onChanged();
  };
  return (
    <Await resource={policy} what="the policy">
      {(read) => <PolicyEditor key={policy.etag} policy={read} etag={policy.etag} keys={keys} onChanged={reload} />}
    </Await>
  );
}

interface PolicyEditorProps {
  /** null: a new one. */
  readonly policy: Policy | null;
  readonly etag: string | null;
  readonly keys: readonly KeyDefinition[];
  readonly onChanged: () => void;
}

function PolicyEditor({ policy, etag, keys, onChanged }: PolicyEditorProps) {
  const [draft, setDraft] = useState(() => policyDraftOf(policy));
  const readOnly = useReadOnly();
  const body = policyOf({ ...draft, draft: withoutBlankRows(draft.draft) });
  const dirty =
    draft.name !== (policy?.name ?? '') || JSON.stringify(body) !== JSON.stringify(policyOf(policyDraftOf(policy)));
  const saving = useSaving(dirty ? 'There are unsaved changes of the policy.' : null);
  useFocusOnMistake(saving.findings);
  const save = (): Promise<void> =>
    saving.attempt(
      () => putPolicy(draft.name, body, etag),
      () => {
        setUnsaved(null);
        announcement.set(`The policy ${draft.name} is saved. Requests are judged by it from now on.`);
        if (policy === null) location.hash = policyAddress(draft.name);
        else onChanged();
        return 'Saved.';
      },
    );
  const remove = (): Promise<void> =>
    saving.attempt(
      () => deletePolicy(draft.name, etag ?? ''),
      () => {
        setUnsaved(null);
        announcement.set(`The policy ${draft.name} is deleted.`);
        location.hash = '#/policies';
        return '';
      },
    );
  const canChange = readOnly === null;
  const shows = (field: string): boolean =>
    field === 'name' || draft.said.some((name) => new RegExp(`^${name}\\b`).test(field));
  return (
    <>
      <RecordHead
        list={['#/policies', 'Policies']}
        title="New policy"
        name={policy?.name ?? null}
        onDelete={policy === null || !canChange ? null : () => void remove()}
      />
      {readOnly !== null && <Notice kind="info">{readOnly}</Notice>}
      <form
        noValidate
        class="record-form"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <PolicyForm
          draft={draft}
          isNew={policy === null}
          findings={saving.findings}
          readOnly={!canChange}
          onChange={setDraft}
        />
        {canChange && (
          <RecordBar saving={saving} dirty={dirty} isNew={policy === null} shows={shows}>
            {policy !== null && dirty && <Effects effects={effectsOf(policy, body, keys)} />}
          </RecordBar>
        )}
      </form>
      {policy !== null && <Users usedBy={policy.usedBy} />}
    </>
  );
}

interface PolicyFormProps {
  readonly draft: PolicyDraft;
  readonly isNew: boolean;
  readonly findings: Parameters<typeof messagesFor>[0];
  readonly readOnly: boolean;
  readonly onChange: (draft: PolicyDraft) => void;
}

function PolicyForm({ draft, isNew, findings, readOnly, onChange }: PolicyFormProps) {
  const choices = useChoices();
  const toggle = (name: PolicyField, on: boolean): void =>
    onChange({ ...draft, said: on ? [...draft.said, name] : draft.said.filter((other) => other !== name) });
  return (
    <>
      <section class="card" aria-labelledby="policy-fields">
        <h2 id="policy-fields">What this policy says</h2>
        {isNew && (
          <TextField
            label="Name"
            mono
            required
            value={draft.name}
            autocomplete="off"
            errors={messagesFor(findings, 'name')}
            onChange={(name) => onChange({ ...draft, name })}
          />
        )}
        <SelectField
          label="Type"
          value={draft.type ?? ''}
          disabled={readOnly}
          errors={messagesFor(findings, 'type')}
          onChange={(type) => onChange({ ...draft, type: type === '' ? null : type })}
          options={
            [['', 'Each key says its own'], ...Object.entries(TYPE_NAMES)] as [
              NonNullable<PolicyDraft['type']> | '',
              string,
            ][]
          }
        />
        <p class="hint">What is chosen here holds for every key of the policy that does not say it itself.</p>
        <div class="choices">
          {offeredFields(draft).map((name) => (
            <Check
              key={name}
              label={FIELDS[name].title}
              checked={draft.said.includes(name)}
              disabled={readOnly}
              onChange={(on) => toggle(name, on)}
            />
          ))}
        </div>
      </section>
      {POLICY_FIELDS.filter((name) => draft.said.includes(name)).map((name) => (
        <div key={name} class="card policy-field">
          <PolicyFieldControls
            name={name}
            type={draft.type ?? 'read-write'}
            draft={draft.draft}
            change={(part) => onChange({ ...draft, draft: { ...draft.draft, ...part } })}
            findings={findings}
            readOnly={readOnly}
            choices={choices}
          />
        </div>
      ))}
    </>
  );
}
