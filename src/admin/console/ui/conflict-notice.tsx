/** Says that somebody else changed what is edited meanwhile, what they changed, and how to go on without losing anything. */
import type { Conflict } from '../state/edited.ts';
import { Notice } from './notice.tsx';

export interface ConflictNoticeProps {
  readonly conflict: Conflict;
  /** What is edited, such as `key`. */
  readonly what: string;
  readonly all: string;
  readonly onKeepMine: () => void;
  readonly onTakeTheirs: () => void;
}

export function ConflictNotice({ conflict: { theirs }, what, all, onKeepMine, onTakeTheirs }: ConflictNoticeProps) {
  if (theirs === null)
    return (
      <Notice kind="warning">
        <p>
          Not saved: somebody deleted this {what} meanwhile. <a href={all}>All of them</a>
        </p>
      </Notice>
    );
  return (
    <Notice kind="warning">
      <p>Not saved: somebody else changed this {what} after you opened it. What you typed is still here.</p>
      {theirs.length === 0 && <p>Its secrets are other ones now.</p>}
      {theirs.length > 0 && (
        <dl class="changes">
          {theirs.map(({ title, value, both }) => (
            <div key={title}>
              <dt>{title}</dt>
              <dd>
                Now stored: {value}
                {both && <em> You changed this too: rows of both are joined; of all else yours stays in the form.</em>}
              </dd>
            </div>
          ))}
        </dl>
      )}
      <div class="actions">
        <button type="button" class="button" onClick={onKeepMine}>
          Reload and keep my changes
        </button>
        <button type="button" class="button" onClick={onTakeTheirs}>
          Reload and discard mine
        </button>
      </div>
    </Notice>
  );
}
