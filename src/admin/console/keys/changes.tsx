/** What Save will change, field by field, and the question that is asked first when it lets in what was kept out. */
import type { KeyDefinition } from '../api/types.ts';
import { Dialog } from '../ui/dialog.tsx';
import { definitionOf } from './draft.ts';
import { keyDifferences, keyDraftOf, keyWords, type KeyDraft } from './key-subject.ts';

/** A definition as the form would save it, for its words. */
const asSaved = (base: KeyDefinition, draft: KeyDraft): KeyDefinition =>
  ({ ...base, ...definitionOf(draft, draft.type), apiKey: base.apiKey }) as KeyDefinition;

export function Changes({ base, draft }: { readonly base: KeyDefinition; readonly draft: KeyDraft }) {
  const changed = keyDifferences(keyDraftOf(base), draft);
  if (changed.length === 0) return null;
  const next = asSaved(base, draft);
  return (
    <section class="card wide" aria-labelledby="changes">
      <h2 id="changes">What Save will change</h2>
      <dl class="changes">
        {changed.map((field) => {
          const [title, before] = keyWords(base, field);
          const [, after] = field === 'apiKey' ? ['', 'the one that was typed'] : keyWords(next, field);
          return (
            <div key={field}>
              <dt>{title}</dt>
              <dd>
                <del>{before}</del> <span aria-hidden="true">→</span> <ins>{after}</ins>
              </dd>
            </div>
          );
        })}
      </dl>
    </section>
  );
}

export interface WideningDialogProps {
  readonly id: string;
  readonly says: readonly string[];
  readonly onCancel: () => void;
  readonly onSave: () => void;
}

export function WideningDialog({ id, says, onCancel, onSave }: WideningDialogProps) {
  return (
    <Dialog title={`Let ${id} do more?`} onClose={onCancel}>
      <ul class="plain-list">
        {says.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={onCancel}>
          Cancel
        </button>
        <button type="button" class="button button-primary" onClick={onSave}>
          Save all the same
        </button>
      </div>
    </Dialog>
  );
}
