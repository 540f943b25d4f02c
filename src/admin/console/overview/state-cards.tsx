/** How the process stands: its key source, its configuration, its cache and its keys. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { purgeCache } from '../api/requests.ts';
import type { Status } from '../api/types.ts';
import { useCanEdit } from '../state/editing.ts';
import { Badge, type Tone } from '../ui/badge.tsx';
import { Ago, Moment } from '../ui/time.tsx';

export interface StateCardsProps {
  readonly status: Status;
  readonly onPurged: () => void;
}

export function StateCards({ status, onPurged }: StateCardsProps) {
  return (
    <div class="cards">
      <KeySource status={status} />
      <Configuration status={status} />
      <Cache status={status} onPurged={onPurged} />
      <Keys status={status} />
    </div>
  );
}

interface FactProps {
  readonly title: string;
  readonly tone?: Tone;
  readonly value: string;
  readonly children?: ComponentChildren;
}

function Fact({ title, tone, value, children }: FactProps) {
  return (
    <section class="fact" aria-label={title}>
      <h2>{title}</h2>
      <p class="fact-value">{tone === undefined ? value : <Badge tone={tone}>{value}</Badge>}</p>
      <div class="fact-note">{children}</div>
    </section>
  );
}

function KeySource({ status: { keySource } }: { readonly status: Status }) {
  const { kind, up, why, lastSyncAt, readOnly } = keySource;
  return (
    <Fact
      title="Key source"
      tone={up ? 'good' : 'bad'}
      value={`${kind === 'file' ? 'File' : 'Redis'}: ${up ? 'up' : 'not up'}`}
    >
      {why !== null && <p class="bad">{why}</p>}
      <p>
        {lastSyncAt === null ? (
          'Never read.'
        ) : (
          <>
            {kind === 'file' ? 'Read' : 'In step'} <Ago at={lastSyncAt} />.
          </>
        )}
      </p>
      {readOnly !== null && <p>Read-only.</p>}
    </Fact>
  );
}

function Configuration({ status: { config, version } }: { readonly status: Status }) {
  return (
    <Fact
      title="Configuration"
      tone={config.lastReloadSuccessful ? 'good' : 'bad'}
      value={config.lastReloadSuccessful ? 'Loaded' : 'Last reload failed'}
    >
      {!config.lastReloadSuccessful && <p class="bad">The configuration before it is still running. See the log.</p>}
      <p>
        In use since <Moment at={config.lastLoadedAt} />. Postern {version}.
      </p>
    </Fact>
  );
}

const SERVED = ['hit', 'stale', 'coalesced'];

function Cache({ status: { cache }, onPurged }: StateCardsProps) {
  const [said, setSaid] = useState('');
  const canEdit = useCanEdit();
  if (cache === null) return <Fact title="Query cache" value="None" children={<p>No API keeps its answers.</p>} />;
  const counts = Object.entries(cache.results);
  const asked = counts.reduce((sum, [, count]) => sum + count, 0);
  const served = counts.reduce((sum, [result, count]) => sum + (SERVED.includes(result) ? count : 0), 0);
  const purge = async (): Promise<void> => {
    const answer = await purgeCache();
    setSaid(answer.ok ? 'Emptied.' : answer.failure.detail);
    if (answer.ok) onPurged();
  };
  return (
    <Fact title="Query cache" value={asked === 0 ? 'No queries' : `${Math.round((100 * served) / asked)} % hits`}>
      <p>
        {asked > 0 && `${served} of ${asked} queries. `}
        {cache.entries} {cache.entries === 1 ? 'entry' : 'entries'}, {size(cache.bytes)}.
      </p>
      {canEdit && (
        <button type="button" class="button button-small" onClick={() => void purge()}>
          Empty the cache
        </button>
      )}{' '}
      <span role="status">{said}</span>
    </Fact>
  );
}

function Keys({ status: { keyCounts } }: { readonly status: Status }) {
  const { active, disabled, expired, invalid, warned } = keyCounts;
  const idle = disabled + expired + invalid;
  return (
    <Fact title="Keys" value={`${active} active`}>
      <p>
        {idle === 0 ? 'All of them.' : `${idle} not in use.`}{' '}
        {invalid > 0 && <span class="bad">{invalid} invalid. </span>}
        {warned > 0 && `${warned} with warnings. `}
        <a href="#/keys">Keys</a>
      </p>
    </Fact>
  );
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const kib = bytes / 1024;
  return kib < 1024 ? `${kib.toFixed(1)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
}
