/** Says that somebody else changed the key meanwhile, what they changed, and how to go on without losing anything. */
import type { Conflict, Editing } from './editing.ts';
import { FIELDS } from './fields.ts';
import { Notice } from '../ui/notice.tsx';

export interface ConflictNoticeProps {
  readonly conflict: Conflict;
  readonly editing: Pick<Editing, 'keepMine' | 'takeTheirs'>;
}

export function ConflictNotice({ conflict: { theirs, changed, both }, editing }: ConflictNoticeProps) {
  return (
    <div role="alert">
      <Notice kind="warning">
        {theirs === null ? (
          <p>
            Not saved: somebody deleted this key meanwhile. <a href="#/keys">All keys</a>
          </p>
        ) : (
          <>
            <p>Not saved: somebody else changed this key after you opened it. What you typed is still here.</p>
            {changed.length === 0 && <p>Its secrets are other ones now.</p>}
            {changed.length > 0 && (
              <dl class="changes">
                {changed.map((field) => (
                  <div key={field}>
                    <dt>{FIELDS[field].title}</dt>
                    <dd>
                      Now stored: {FIELDS[field].words(theirs.definition)}
                      {both.includes(field) && <em> You changed this too: yours stays in the form.</em>}
                    </dd>
                  </div>
                ))}
              </dl>
            )}
            <div class="actions">
              <button type="button" class="button button-primary" onClick={editing.keepMine}>
                Reload and keep my changes
              </button>
              <button type="button" class="button" onClick={editing.takeTheirs}>
                Reload and discard mine
              </button>
            </div>
          </>
        )}
      </Notice>
    </div>
  );
}
