/**
 * The latest refusals as they come, a page at a time. While somebody reads further down, or has opened one, the list stands still and
 * says how many came.
 */
import { useMemo, useState } from 'preact/hooks';
import type { Mode, Rejection, Summary } from '../api/types.ts';
import type { LiveRejections } from '../state/live-rejections.ts';
import { Badge, type Tone } from '../ui/badge.tsx';
import { FailureNotice } from '../ui/notice.tsx';
import { FilterBar } from './filters.tsx';
import { count } from './names.ts';
import { RefusalRow } from './refusal-row.tsx';
import { isFiltered, type OverviewView } from './view.ts';

export interface LatestRefusalsProps {
  readonly live: LiveRejections;
  /** Those that match, newest first; null until they are read. */
  readonly matching: readonly Rejection[] | null;
  readonly summary: Summary;
  readonly view: OverviewView;
}

const PAGE = 25;

export function LatestRefusals({ live: { failure, live }, matching, summary, view }: LatestRefusalsProps) {
  const [held, setHeld] = useState<readonly Rejection[] | null>(null);
  const [page, setPage] = useState(0);
  const [opened, setOpened] = useState<Rejection | null>(null);
  const place = JSON.stringify([view.mode, view.filter]);
  const [shownFor, setShownFor] = useState(place);
  if (shownFor !== place) {
    setShownFor(place);
    setHeld(null);
    setPage(0);
    setOpened(null);
  }
  const rejections = held ?? matching;
  const newer = held === null || matching === null ? 0 : newerThan(held[0], matching);
  const goOn = (): void => {
    setHeld(null);
    setPage(0);
    setOpened(null);
  };
  const toggle = (rejection: Rejection): void => {
    if (opened !== rejection) setHeld(rejections);
    setOpened(opened === rejection ? null : rejection);
  };
  const turn = (to: number): void => {
    setHeld(rejections);
    setOpened(null);
    setPage(to);
  };
  const [tone, word] = stateOf(held !== null, live);
  return (
    <section class="card card-flush" aria-labelledby="latest">
      <div class="card-head">
        <h2 id="latest">{TITLES[view.mode]}</h2>
        <p class="badges">
          {newer > 0 && <span class="muted">{count(newer)} newer</span>}
          <Badge tone={tone}>{word}</Badge>
          <button
            type="button"
            class="button button-small"
            disabled={matching === null}
            onClick={() => (held === null ? setHeld(matching) : goOn())}
          >
            {held === null ? 'Pause' : 'Go on'}
          </button>
        </p>
      </div>
      <FilterBar view={view} summary={summary} />
      {rejections === null ? (
        <Waiting failure={failure} />
      ) : (
        <RefusalTable
          rejections={rejections.slice(page * PAGE, (page + 1) * PAGE)}
          none={isFiltered(view) ? 'None that is kept matches.' : 'None since Postern started.'}
          {...{ view, opened, toggle }}
        />
      )}
      {rejections !== null && rejections.length > PAGE && (
        <Pages page={page} of={Math.ceil(rejections.length / PAGE)} total={rejections.length} onTurn={turn} />
      )}
    </section>
  );
}

const TITLES: Readonly<Record<Mode, string>> = {
  enforce: 'Latest refusals',
  report: 'Latest that would be refused',
};

function stateOf(isHeld: boolean, live: boolean): readonly [Tone, string] {
  if (isHeld) return ['warning', 'Paused'];
  return live ? ['good', 'Live'] : ['neutral', 'Not live'];
}

/** By what they say: after a lost connection the list was read anew. */
function newerThan(first: Rejection | undefined, matching: readonly Rejection[]): number {
  if (first === undefined) return matching.length;
  const at = matching.findIndex(({ requestId, time }) => requestId === first.requestId && time === first.time);
  return at === -1 ? matching.length : at;
}

function Waiting({ failure }: Pick<LiveRejections, 'failure'>) {
  if (failure !== null) return <FailureNotice failure={failure} />;
  return (
    <p class="loading" role="status">
      Loading refusals…
    </p>
  );
}

interface RefusalTableProps {
  readonly rejections: readonly Rejection[];
  readonly none: string;
  readonly view: OverviewView;
  readonly opened: Rejection | null;
  readonly toggle: (rejection: Rejection) => void;
}

const HEADS = ['Time', 'Key', 'Reason', 'Address', 'Request', 'Status'] as const;

function RefusalTable({ rejections, none, view, opened, toggle }: RefusalTableProps) {
  const names = useMemo(() => namesOf(rejections), [rejections]);
  if (rejections.length === 0) return <p class="empty">{none}</p>;
  return (
    <table class="table table-cards refusals">
      <thead>
        <tr>
          {HEADS.map((head) => (
            <th key={head} scope="col">
              {head}
            </th>
          ))}
          <th scope="col">
            <span class="visually-hidden">Why</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rejections.map((rejection, at) => (
          <RefusalRow
            key={names[at]}
            rejection={rejection}
            view={view}
            isOpen={opened === rejection}
            onToggle={() => toggle(rejection)}
          />
        ))}
      </tbody>
    </table>
  );
}

/** Rows keep their element while others come before them; two requests may have one id, if clients choose it. */
function namesOf(rejections: readonly Rejection[]): string[] {
  const seen = new Map<string, number>();
  return rejections
    .toReversed()
    .map(({ requestId, time }) => {
      const name = `${requestId} ${time}`;
      const times = seen.get(name) ?? 0;
      seen.set(name, times + 1);
      return `${name} ${times}`;
    })
    .toReversed();
}

interface PagesProps {
  readonly page: number;
  readonly of: number;
  readonly total: number;
  readonly onTurn: (page: number) => void;
}

function Pages({ page, of, total, onTurn }: PagesProps) {
  const [first, last] = [page * PAGE + 1, Math.min(total, (page + 1) * PAGE)];
  return (
    <div class="pages" role="group" aria-label="Parts of the list">
      <button type="button" class="button button-small" disabled={page === 0} onClick={() => onTurn(page - 1)}>
        Newer
      </button>
      <span class="muted number">
        {count(first)} to {count(last)} of {count(total)}
      </span>
      <button type="button" class="button button-small" disabled={page + 1 >= of} onClick={() => onTurn(page + 1)}>
        Older
      </button>
    </div>
  );
}
