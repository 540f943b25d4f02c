/** The button under a long table of which only the beginning is shown; nothing where all of it is. */
export interface ShowMoreProps {
  /** How many rows are not shown; none or fewer: the table is whole. */
  readonly left: number;
  /** How many more it shows at a time. */
  readonly step: number;
  readonly onMore: () => void;
}

export function ShowMore({ left, step, onMore }: ShowMoreProps) {
  if (left <= 0) return null;
  return (
    <p class="more">
      <button type="button" class="button" onClick={onMore}>
        Show {Math.min(step, left)} more
      </button>
    </p>
  );
}
