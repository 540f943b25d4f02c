/** What is refused most, by reason, address, key, path and event. Each entry filters the whole page, or stops doing so. */
import type { Listed, Mode, Summary } from '../api/types.ts';
import { count, keyName, reasonTitle, share } from './names.ts';
import { spanText } from './times.ts';
import { addressWith, type FilterName, type OverviewView } from './view.ts';

const LISTS = [
  ['reasons', 'reason', 'Reasons', reasonTitle],
  ['addresses', 'address', 'Addresses', String],
  ['keys', 'key', 'Keys', keyName],
  ['paths', 'path', 'Paths', String],
  ['events', 'event', 'Events', String],
] as const satisfies readonly (readonly [keyof Summary['top']['enforce'], FilterName, string, (v: string) => string])[];

export interface TopListsProps {
  readonly summary: Summary;
  /** Of how many refusals the lists tell; null: of all. */
  readonly listed: number | null;
  readonly view: OverviewView;
}

export function TopLists({ summary, listed, view }: TopListsProps) {
  const { mode } = view;
  const total = totalOf(summary, mode);
  return (
    <div class="tops">
      {LISTS.map(([list, filter, title, nameOf]) => (
        <TopList
          key={list}
          title={title}
          filter={filter}
          nameOf={nameOf}
          entries={summary.top[mode][list]}
          total={listed === null || view.filter[filter] !== undefined ? total : listed}
          now={summary.now}
          view={view}
        />
      ))}
    </div>
  );
}

const totalOf = ({ minutes }: Summary, mode: Mode): number => minutes.reduce((sum, step) => sum + step[mode].total, 0);

interface TopListProps {
  readonly title: string;
  readonly filter: FilterName;
  readonly nameOf: (value: string) => string;
  readonly entries: readonly Listed[];
  readonly total: number;
  readonly now: string;
  readonly view: OverviewView;
}

function TopList({ title, filter, nameOf, entries, total, now, view }: TopListProps) {
  const isRough = entries.some(({ missed }) => missed > 0);
  return (
    <section class="card card-flush top" aria-label={`Refused most: ${title}`}>
      <h3>{title}</h3>
      {entries.length === 0 ? (
        <p class="muted top-none">None</p>
      ) : (
        <ol>
          {entries.map((entry) => (
            <TopEntry key={entry.value} entry={entry} {...{ filter, nameOf, total, now, view }} />
          ))}
        </ol>
      )}
      {isRough && <p class="hint top-none">So many different ones came that counts are lower bounds.</p>}
    </section>
  );
}

type TopEntryProps = Omit<TopListProps, 'title' | 'entries'> & { readonly entry: Listed };

function TopEntry({ entry, filter, nameOf, total, now, view }: TopEntryProps) {
  const { value, firstSeen, lastSeen, mainReason } = entry;
  const isChosen = view.filter[filter] === value;
  const why = mainReason !== null && filter !== 'reason' ? `${reasonTitle(mainReason)}, ` : '';
  return (
    <li>
      <a
        href={addressWith(view, { filter: { [filter]: isChosen ? null : value } })}
        aria-current={isChosen ? 'true' : undefined}
        title={`${nameOf(value)}: ${isChosen ? 'show all again' : 'show only these'}`}
        class={filter === 'reason' ? undefined : 'mono'}
      >
        {nameOf(value)}
      </a>
      <span class="number">{count(entry.count)}</span>
      <span class="top-share number">{share(entry.count, total)}</span>
      <span class="top-when">
        {why}
        {spanText(firstSeen, lastSeen, now)}
      </span>
    </li>
  );
}
