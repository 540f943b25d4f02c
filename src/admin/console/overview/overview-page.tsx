/** What is refused now and why: over the last hour, live, and what report mode would refuse; and how the process stands. */
import { useCallback, useMemo, useRef, useState } from 'preact/hooks';
import { readSummary } from '../api/requests.ts';
import type { Mode, Summary } from '../api/types.ts';
import type { View } from '../route.ts';
import { useLiveRejections } from '../state/live-rejections.ts';
import { useResource } from '../state/resource.ts';
import { useStatus } from '../state/status.ts';
import { Choice } from '../ui/field.tsx';
import { Await } from '../ui/notice.tsx';
import { LatestRefusals } from './latest-refusals.tsx';
import { RefusalChart } from './refusal-chart.tsx';
import { stackOf, type GroupBy } from './stack.ts';
import { StateCards } from './state-cards.tsx';

const REFRESH_MS = 10_000;
/** Under a flood of refusals the counts are read once in this time. */
const SETTLE_MS = 1000;

export function OverviewPage(_: { readonly view: View }) {
  const status = useStatus();
  const summary = useResource('summary', readSummary, REFRESH_MS);
  const [mode, setMode] = useState<Mode>('enforce');
  const onRejection = useSettled(summary.reload);
  const live = useLiveRejections(onRejection);
  return (
    <>
      <h1>Overview</h1>
      <Await resource={status} what="the state">
        {(read) => <StateCards status={read} onPurged={() => void status.reload()} />}
      </Await>
      <Await resource={summary} what="the last hour">
        {(read) => <Refusals summary={read} mode={mode} onMode={setMode} />}
      </Await>
      <LatestRefusals live={live} mode={mode} />
    </>
  );
}

interface RefusalsProps {
  readonly summary: Summary;
  readonly mode: Mode;
  readonly onMode: (mode: Mode) => void;
}

function Refusals({ summary: { minutes }, mode, onMode }: RefusalsProps) {
  const [by, setBy] = useState<GroupBy>('reason');
  const stack = useMemo(() => stackOf(minutes, mode, by), [minutes, mode, by]);
  const totalOf = (which: Mode): number => minutes.reduce((sum, minute) => sum + minute[which].total, 0);
  return (
    <section class="card" aria-labelledby="refusals">
      <div class="card-head">
        <h2 id="refusals">
          {mode === 'enforce' ? 'Refused in the last hour' : 'Report mode would have refused in the last hour'}
        </h2>
        <div class="switches">
          <Choice
            label="Which"
            inline
            hideLabel
            value={mode}
            onChange={onMode}
            options={[
              ['enforce', `Refused: ${totalOf('enforce')}`],
              ['report', `Report mode: ${totalOf('report')}`],
            ]}
          />
          <Choice
            label="Grouped"
            inline
            hideLabel
            value={by}
            onChange={setBy}
            options={[
              ['reason', 'By reason'],
              ['key', 'By key'],
            ]}
          />
        </div>
      </div>
      {stack.total === 0 ? (
        <p class="empty">
          {mode === 'enforce'
            ? 'Nothing was refused in the last hour.'
            : 'Report mode found nothing to refuse in the last hour.'}
        </p>
      ) : (
        <RefusalChart stack={stack} by={by} />
      )}
    </section>
  );
}

/** Calls at most once in a while, and at the end of it. */
function useSettled(call: () => Promise<void>): () => void {
  const waiting = useRef(false);
  return useCallback(() => {
    if (waiting.current) return;
    waiting.current = true;
    setTimeout(() => {
      waiting.current = false;
      void call();
    }, SETTLE_MS);
  }, [call]);
}
