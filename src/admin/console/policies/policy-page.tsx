/** One policy, or a new one: the fields that it says, the keys that use it, and what a change will mean for each of them. */
import { listKeys, readPolicy } from '../api/requests.ts';
import type { KeyDefinition, Policy } from '../api/types.ts';
import { useChoices } from '../keys/choices.ts';
import { withoutBlankRows } from '../keys/draft.ts';
import { FIELDS } from '../keys/fields.ts';
import { UndoNotice } from '../history/undo-notice.tsx';
import { policyAddress, setUnsaved } from '../route.ts';
import { useEditing } from '../state/edited.ts';
import type { Stored } from '../state/subject.ts';
import { useReadOnly } from '../state/editing.ts';
import { useResource } from '../state/resource.ts';
import { announcement } from '../state/status.ts';
import { useUndo, withBefore } from '../state/undo.ts';
import { Check, isWithin, messagesFor, SelectField, TextField } from '../ui/field.tsx';
import { Await } from '../ui/notice.tsx';
import { RecordEditor } from '../ui/record-editor.tsx';
import { TYPE_NAMES } from '../ui/type-names.ts';
import { Effects } from './effects.tsx';
import {
  effectsOf,
  NEW_POLICY,
  offeredFields,
  POLICY_FIELDS,
  policyDraftOf,
  policyOf,
  type PolicyDraft,
  type PolicyField,
} from './policy-draft.ts';
import { PolicyFieldControls } from './policy-field.tsx';
import { policySubject } from './policy-subject.ts';

const REFRESH_MS = 10_000;

export function PolicyPage({ name }: { readonly name: string | null }) {
  const keys = useResource('keys', listKeys);
  const all = keys.value?.keys ?? [];
  if (name === null) return <PolicyEditor stored={{ value: NEW_POLICY, etag: null }} name={null} keys={all} />;
  return <StoredPolicy name={name} keys={all} />;
}

interface StoredPolicyProps {
  readonly name: string;
  readonly keys: readonly KeyDefinition[];
}

function StoredPolicy({ name, keys }: StoredPolicyProps) {
  const policy = useResource(`policy ${name}`, () => readPolicy(name), REFRESH_MS);
  return (
    <Await resource={policy} what="the policy">
      {(value) => <PolicyEditor stored={{ value, etag: policy.etag }} name={name} keys={keys} />}
    </Await>
  );
}

interface PolicyEditorProps {
  readonly stored: Stored<Policy>;
  /** null: a new one. */
  readonly name: string | null;
  readonly keys: readonly KeyDefinition[];
}

function PolicyEditor({ stored, name, keys }: PolicyEditorProps) {
  const editing = useEditing(stored, policySubject(name), (saved) => {
    if (name !== null) return;
    announcement.set(`The policy ${saved.name} is saved. Requests are judged by it from now on.`);
    setUnsaved(null);
    location.hash = policyAddress(saved.name);
  });
  const { base, draft, dirty } = editing;
  const readOnly = useReadOnly();
  const undo = useUndo('policy', name, ({ change: { target }, before }) =>
    editing.change(policyDraftOf(withBefore({ ...stored.value, name: target }, before))),
  );
  const body = policyOf({ ...draft, draft: withoutBlankRows(draft.draft) });
  return (
    <RecordEditor
      editing={editing}
      what="policy"
      list={['#/policies', 'Policies']}
      name={name}
      readOnly={readOnly}
      shows={(field) => field === 'name' || field === 'type' || draft.said.some((said) => isWithin(field, said))}
      preview={name !== null && dirty && <Effects effects={effectsOf(base.value, body, keys)} />}
      usedBy={base.value.usedBy}
    >
      {dirty && <UndoNotice undo={undo} />}
      <PolicyForm
        draft={draft}
        isNew={name === null}
        findings={editing.findings}
        readOnly={readOnly !== null}
        onChange={editing.change}
      />
    </RecordEditor>
  );
}

/** Fields whose controls have a heading of their own. */
const HEADED: ReadonlySet<PolicyField> = new Set<PolicyField>([
  'allowFrom',
  'allowedEvents',
  'allowedOrigins',
  'denyFrom',
  'apis',
  'allowedRoutes',
  'accessToken',
]);

interface PolicyFormProps {
  readonly draft: PolicyDraft;
  readonly isNew: boolean;
  readonly findings: Parameters<typeof messagesFor>[0];
  readonly readOnly: boolean;
  readonly onChange: (part: Partial<PolicyDraft>) => void;
}

function PolicyForm({ draft, isNew, findings, readOnly, onChange }: PolicyFormProps) {
  const choices = useChoices();
  const toggle = (name: PolicyField, on: boolean): void =>
    onChange({ said: on ? [...draft.said, name] : draft.said.filter((other) => other !== name) });
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
            disabled={readOnly}
            autocomplete="off"
            errors={messagesFor(findings, 'name')}
            onChange={(name) => onChange({ name })}
          />
        )}
        <SelectField
          label="Type"
          value={draft.type ?? ''}
          disabled={readOnly}
          errors={messagesFor(findings, 'type')}
          onChange={(type) => onChange({ type: type === '' ? null : type })}
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
          {!HEADED.has(name) && <h2>{FIELDS[name].title}</h2>}
          <PolicyFieldControls
            name={name}
            type={draft.type ?? 'read-write'}
            draft={draft.draft}
            change={(part) => onChange({ draft: { ...draft.draft, ...part } })}
            findings={findings}
            readOnly={readOnly}
            choices={choices}
          />
        </div>
      ))}
    </>
  );
}
