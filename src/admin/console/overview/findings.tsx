/** What the page takes the refusals for, and why. */
import type { Status, Summary } from '../api/types.ts';
import { Badge } from '../ui/badge.tsx';
import { reasonTitle } from './names.ts';
import { momentText } from './times.ts';
import { findingsIn, type Finding } from './verdict.ts';
import { addressWith, type OverviewView } from './view.ts';

export interface FindingsProps {
  readonly summary: Summary;
  readonly status: Status | null;
  readonly view: OverviewView;
}

export function Findings({ summary, status, view }: FindingsProps) {
  const findings = findingsIn(summary, reasonTitle);
  const source = status !== null && !status.keySource.up ? status.keySource : null;
  return (
    <section class="findings" aria-labelledby="findings">
      <h2 id="findings" class="visually-hidden">
        What this looks like
      </h2>
      <ul>
        {source !== null && (
          <li class="finding finding-attack">
            <Badge tone="bad">Key source</Badge>
            <div>
              <p class="finding-title">The key source is not up. The last keys go on serving.</p>
              {source.why !== null && <p class="muted">{source.why}</p>}
            </div>
          </li>
        )}
        {findings.map((finding) => (
          <FindingRow key={finding.title} finding={finding} now={summary.now} view={view} />
        ))}
        {findings.length === 0 && source === null && (
          <li class="finding">
            <Badge tone="good">Quiet</Badge>
            <div>
              <p class="finding-title">Nothing looks like an attack or like a client that is set up wrongly.</p>
            </div>
          </li>
        )}
      </ul>
    </section>
  );
}

interface FindingRowProps {
  readonly finding: Finding;
  readonly now: string;
  readonly view: OverviewView;
}

function FindingRow({ finding: { kind, title, why, filter, since }, now, view }: FindingRowProps) {
  return (
    <li class={`finding finding-${kind}`}>
      <Badge tone={kind === 'attack' ? 'bad' : 'warning'}>
        {kind === 'attack' ? 'Looks like an attack' : 'Looks like a wrong configuration'}
      </Badge>
      <div>
        <p class="finding-title">
          {title}, since {momentText(since, now)}
        </p>
        <p class="muted">
          {why} <a href={addressWith({ ...view, filter: {} }, { mode: 'enforce', filter })}>Show only these</a>
        </p>
      </div>
    </li>
  );
}
