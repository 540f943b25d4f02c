/** Says that a form was filled in to undo a change, and what could not be. */
import type { Undo } from '../state/undo.ts';
import { Notice } from '../ui/notice.tsx';
import { Moment } from '../ui/time.tsx';
import { titleOf, whoInWords } from './words.ts';

/** `undo`: null where nothing was filled in. */
export function UndoNotice({ undo }: { readonly undo: Undo | null }) {
  if (undo === null) return null;
  const { change, before, left } = undo;
  return (
    <Notice kind="info">
      <p>
        {Object.keys(before).map(titleOf).join(', ')}: filled in as before the change of <Moment at={change.time} /> by{' '}
        {whoInWords(change)}. Nothing is saved yet.
        {left.length > 0 && ` Not filled in: ${left.map(titleOf).join(', ')}.`}
      </p>
    </Notice>
  );
}
