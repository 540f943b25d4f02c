/** The page that is kept open: what is refused, how much of all that is, since when, from where, for whom, and whether it grows. */
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { readSummary } from '../api/requests.ts';
import type { Mode, Rejection, Summary } from '../api/types.ts';
import type { View } from '../route.ts';
import { useLiveRejections, type LiveRejections } from '../state/live-rejections.ts';
import { useResource } from '../state/resource.ts';
import { useStatus } from '../state/status.ts';
import { Choice } from '../ui/field.tsx';
import { Await } from '../ui/notice.tsx';
import { Figures } from './figures.tsx';
import { ActiveFilters } from './filters.tsx';
import { Findings } from './findings.tsx';
import { LatestRefusals } from './latest-refusals.tsx';
import { count } from './names.ts';
import { shownOf } from './narrowed.ts';
import { RefusalChart } from './refusal-chart.tsx';
import { stackOf } from './stack.ts';
import { StateCards } from './state-cards.tsx';
import { lengthText, momentText, stepsSinceStart, stretchText, zoneName } from './times.ts';
import { TopLists } from './top-lists.tsx';
import { addressWith, readView, type OverviewView, type Range } from './view.ts';

const REFRESH_MS = 10_000;
/** Under a flood of refusals the counts are read once in this time. */
const SETTLE_MS = 2000;

export function OverviewPage({ view: given }: { readonly view: View }) {
  const view = useMemo(() => readView(given), [given]);
  const status = useStatus();
  const summary = useResource('summary', () => readSummary(Number(view.range)), REFRESH_MS);
  const live = useLiveRejections();
  useReadAgain(summary.reload, live.drawn);
  useChanged(view.range, summary.reload);
  return (
    <>
      <Await resource={summary} what="what was refused">
        {(read) => (
          <>
            <Title summary={read} view={view} />
            <Findings summary={read} status={status.value} view={view} />
            <Figures summary={read} />
            <Refusals summary={read} view={view} live={live}>
              <Await resource={status} what="the state">
                {(state) => <StateCards status={state} onPurged={() => void status.reload()} />}
              </Await>
            </Refusals>
          </>
        )}
      </Await>
    </>
  );
}

interface PartProps {
  readonly summary: Summary;
  readonly view: OverviewView;
}

const RANGE_NAMES = [
  ['60', '1 hour'],
  ['360', '6 hours'],
  ['1440', '24 hours'],
] as const satisfies readonly (readonly [Range, string])[];

const go = (address: string): void => {
  location.hash = address;
};

function Title({ summary: { since, now }, view }: PartProps) {
  const zone = zoneName(new Date(now).getTimezoneOffset());
  return (
    <div class="title-row">
      <div class="title">
        <h1>Overview</h1>
        <p class="muted">
          This process since {momentText(since, now)} ({lengthText(Date.parse(now) - Date.parse(since))}), times in{' '}
          {zone}
        </p>
      </div>
      <Choice
        label="How far back"
        inline
        hideLabel
        value={view.range}
        onChange={(range) => go(addressWith(view, { range }))}
        options={RANGE_NAMES}
      />
    </div>
  );
}

interface RefusalsProps extends PartProps {
  readonly live: LiveRejections;
  /** Stands before the list, which is long. */
  readonly children: ComponentChildren;
}

function Refusals({ summary, view, live, children }: RefusalsProps) {
  const matching = useMemo(
    () => (live.kept?.list({ ...view.filter, mode: view.mode }) as readonly Rejection[] | undefined) ?? null,
    [live.kept, live.drawn, view],
  );
  const shown = useMemo(() => shownOf(summary, view, matching ?? []), [summary, view, matching]);
  const totalOf = (mode: Mode): number => summary.minutes.reduce((sum, step) => sum + step[mode].total, 0);
  return (
    <>
      <section class="card" aria-labelledby="refusals">
        <div class="card-head">
          <h2 id="refusals">
            {view.mode === 'enforce' ? 'Refused' : 'Report mode would have refused'} {stretchText(summary)}
          </h2>
          <div class="switches">
            <Choice
              label="Which"
              inline
              hideLabel
              value={view.mode}
              onChange={(mode) => go(addressWith(view, { mode }))}
              options={[
                ['enforce', `Refused: ${count(totalOf('enforce'))}`],
                ['report', `Report mode: ${count(totalOf('report'))}`],
              ]}
            />
            <Choice
              label="Grouped"
              inline
              hideLabel
              value={view.by}
              onChange={(by) => go(addressWith(view, { by }))}
              options={[
                ['reason', 'By reason'],
                ['key', 'By key'],
              ]}
            />
          </div>
        </div>
        <ActiveFilters view={view} shown={shown} />
        <Chart summary={shown.summary} view={view} />
      </section>
      <TopLists summary={shown.summary} listed={shown.listed} view={view} />
      {children}
      <LatestRefusals live={live} matching={matching} summary={summary} view={view} />
    </>
  );
}

function Chart({ summary, view: { mode, by, filter } }: PartProps) {
  // Of a reason alone the counts by key are not known, and the other way round.
  const names = Object.keys(filter);
  const grouped = names.length === 1 && (names[0] === 'reason' || names[0] === 'key') ? names[0] : by;
  const stack = useMemo(() => stackOf(stepsSinceStart(summary), mode, grouped), [summary, mode, grouped]);
  if (stack.total === 0)
    return (
      <p class="empty">
        {mode === 'enforce' ? 'Nothing was refused' : 'Report mode found nothing to refuse'} {stretchText(summary)}.
      </p>
    );
  return <RefusalChart stack={stack} by={grouped} summary={summary} />;
}

/** Reads again when something came, at most once in a while. */
function useReadAgain(read: () => Promise<void>, drawn: number): void {
  const waiting = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    if (drawn === 0 || waiting.current !== undefined) return;
    waiting.current = setTimeout(() => {
      waiting.current = undefined;
      if (!document.hidden) void read();
    }, SETTLE_MS);
  }, [drawn, read]);
  useEffect(() => () => clearTimeout(waiting.current), []);
}

/** Reads again at once when something else is asked for. */
function useChanged(asked: string, read: () => Promise<void>): void {
  const before = useRef(asked);
  useEffect(() => {
    if (before.current === asked) return;
    before.current = asked;
    void read();
  }, [asked, read]);
}
