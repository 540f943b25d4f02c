/** The page of a policy or an address list that is edited: its head, its form with Save, and who uses it. */
import type { ComponentChildren } from 'preact';
import type { UsedBy } from '../api/types.ts';
import type { Editing } from '../state/edited.ts';
import { ConflictNotice } from './conflict-notice.tsx';
import { Notice } from './notice.tsx';
import { RecordHead, Users } from './record.tsx';
import { SaveBar } from './save-bar.tsx';

export interface RecordEditorProps {
  readonly editing: Omit<Editing<unknown, never>, 'draft' | 'change' | 'saveApart'>;
  readonly what: 'policy' | 'list';
  readonly list: readonly [address: string, title: string];
  /** null: a new one. */
  readonly name: string | null;
  /** Why nothing can be changed; null: everything can. */
  readonly readOnly: string | null;
  /** Whether a control of the form shows what was found wrong with this field. */
  readonly shows: (field: string) => boolean;
  /** What a change will mean. */
  readonly preview?: ComponentChildren;
  readonly usedBy: UsedBy;
  /** The parts of the form. */
  readonly children: ComponentChildren;
}

export function RecordEditor(props: RecordEditorProps) {
  const { editing, what, list, name, readOnly, shows, preview, usedBy, children } = props;
  return (
    <>
      <RecordHead
        list={list}
        title={`New ${what}`}
        name={name}
        onDelete={name === null || readOnly !== null ? null : () => void editing.remove()}
      />
      {readOnly !== null && <Notice kind="info">{readOnly}</Notice>}
      <form
        noValidate
        class="record-form"
        onSubmit={(event) => {
          event.preventDefault();
          void editing.save();
        }}
      >
        {children}
        {readOnly === null && preview}
        {readOnly === null && (
          <SaveBar
            outcome={editing}
            busy={editing.busy}
            dirty={editing.dirty}
            always={name === null}
            label={name === null ? 'Create' : 'Save'}
            notSaved={() => NOT_SAVED}
            shows={shows}
            {...(name !== null && { onDiscard: editing.discard })}
            conflict={
              editing.conflict && (
                <ConflictNotice
                  conflict={editing.conflict}
                  what={what}
                  all={list[0]}
                  onKeepMine={editing.keepMine}
                  onTakeTheirs={editing.takeTheirs}
                />
              )
            }
          />
        )}
      </form>
      {name !== null && <Users usedBy={usedBy} />}
    </>
  );
}

const NOT_SAVED = 'Not saved. Something is wrong with it, or with this change some keys could not be used any more.';
