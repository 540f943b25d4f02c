/** All keys in one table: filtered, sorted, with what is wrong with them. */
import { useLayoutEffect, useMemo, useState } from 'preact/hooks';
import { listKeysShown, readSummary } from '../api/requests.ts';
import type { Summary } from '../api/types.ts';
import { count } from '../overview/names.ts';
import { isYoung } from '../overview/times.ts';
import { keepAddress, keyAddress, keysAddress, type View } from '../route.ts';
import { useReadOnly } from '../state/editing.ts';
import { useResource } from '../state/resource.ts';
import { useStatesOfKeys } from '../state/status.ts';
import { Badge, StateBadge } from '../ui/badge.tsx';
import { SelectField, TextField } from '../ui/field.tsx';
import { Await, Notice } from '../ui/notice.tsx';
import { ShowMore } from '../ui/show-more.tsx';
import { Ago } from '../ui/time.tsx';
import { eventsOf, usableFrom } from './describe.ts';
import { inForceOnly } from './in-force.ts';
import { keyRows, select, sort, type KeyFilter, type KeyRow, type SortColumn, type Sorting } from './key-rows.ts';
import { filterOf, NO_FILTER, sortingOf, viewOf } from './keys-view.ts';
import { TYPE_NAMES } from '../ui/type-names.ts';

const REFRESH_MS = 10_000;
/** As many rows as are drawn at once; a browser is slow with thousands. */
const PAGE = 100;

export function KeysPage({ view }: { readonly view: View }) {
  const status = useStatesOfKeys();
  const keys = useResource('keys', listKeysShown, REFRESH_MS);
  const summary = useResource('summary', () => readSummary(), REFRESH_MS);
  const why = keys.value?.why ?? null;
  const notHere = useReadOnly();
  const readOnly = why === null ? notHere : inForceOnly(why);
  const list = keys.value?.value ?? null;
  const rows = useMemo(
    () => (list === null ? [] : keyRows(list, status.value, summary.value)),
    [list, status.value, summary.value],
  );
  return (
    <>
      <div class="title-row">
        <h1>Keys</h1>
        {status.value !== null && readOnly === null && (
          <a class="button button-primary" href="#/new-key">
            New key
          </a>
        )}
      </div>
      {readOnly !== null && <Notice kind={why === null ? 'info' : 'warning'}>{readOnly}</Notice>}
      <Await resource={keys} what="keys">
        {() => <KeyTable rows={rows} view={view} refusedLabel={refusedLabelOf(summary.value)} />}
      </Await>
    </>
  );
}

/** Of a young process not an hour, but what has passed. */
const refusedLabelOf = (summary: Summary | null): string =>
  summary !== null && isYoung(summary) ? 'Refused since the start' : 'Refused, last hour';

interface KeyTableProps {
  readonly rows: readonly KeyRow[];
  readonly view: View;
  readonly refusedLabel: string;
}

function KeyTable({ rows, view, refusedLabel }: KeyTableProps) {
  const [filter, setFilter] = useState(() => filterOf(view));
  const [sorting, setSorting] = useState(() => sortingOf(view));
  const [limit, setLimit] = useState(PAGE);
  // At once, not after the next paint: a reload or a link may come before that.
  useLayoutEffect(() => {
    setFilter(filterOf(view));
    setSorting(sortingOf(view));
  }, [view]);
  useLayoutEffect(() => keepAddress(keysAddress(viewOf(filter, sorting))), [filter, sorting]);
  const shown = useMemo(() => sort(select(rows, filter), sorting), [rows, filter, sorting]);
  if (rows.length === 0) return <Notice kind="info">There are no keys yet.</Notice>;
  return (
    <section class="card card-flush" aria-label="Keys">
      <Filters filter={filter} onChange={setFilter} />
      <p class="visually-hidden" role="status">
        {shown.length} of {rows.length} keys
      </p>
      {shown.length === 0 ? (
        <p class="empty">
          No key matches.{' '}
          <button type="button" class="button" onClick={() => setFilter(NO_FILTER)}>
            Show all
          </button>
        </p>
      ) : (
        <table class="table table-cards">
          <thead>
            <tr>
              <SortHeader column="id" sorting={sorting} onSort={setSorting} label="Key" />
              <SortHeader column="type" sorting={sorting} onSort={setSorting} label="Type" />
              <SortHeader column="state" sorting={sorting} onSort={setSorting} label="State" />
              <th scope="col">Usable from</th>
              <th scope="col">Events</th>
              <SortHeader column="lastUsedAt" sorting={sorting} onSort={setSorting} label="Last used" />
              <SortHeader column="refused" sorting={sorting} onSort={setSorting} label={refusedLabel} />
            </tr>
          </thead>
          <tbody>
            {shown.slice(0, limit).map((row) => (
              <Row key={row.id} row={row} refusedLabel={refusedLabel} />
            ))}
          </tbody>
        </table>
      )}
      <ShowMore left={shown.length - limit} step={PAGE} onMore={() => setLimit(limit + PAGE)} />
    </section>
  );
}

function Filters({ filter, onChange }: { readonly filter: KeyFilter; readonly onChange: (filter: KeyFilter) => void }) {
  return (
    <div class="filters" role="search">
      <TextField
        label="Filter"
        type="search"
        placeholder="Id, description, address, event, secret"
        value={filter.text}
        onChange={(text) => onChange({ ...filter, text })}
      />
      <SelectField
        label="Type"
        value={filter.type}
        onChange={(type) => onChange({ ...filter, type })}
        options={[
          ['any', 'Any'],
          ['write-only', TYPE_NAMES['write-only']],
          ['read-only', TYPE_NAMES['read-only']],
          ['read-write', TYPE_NAMES['read-write']],
          ['metrics', TYPE_NAMES.metrics],
        ]}
      />
      <SelectField
        label="State"
        value={filter.state}
        onChange={(state) => onChange({ ...filter, state })}
        options={[
          ['any', 'Any'],
          ['active', 'Active'],
          ['disabled', 'Disabled'],
          ['expired', 'Expired'],
          ['invalid', 'Invalid'],
        ]}
      />
    </div>
  );
}

interface SortHeaderProps {
  readonly column: SortColumn;
  readonly label: string;
  readonly sorting: Sorting;
  readonly onSort: (sorting: Sorting) => void;
}

function SortHeader({ column, label, sorting, onSort }: SortHeaderProps) {
  const active = sorting.column === column;
  return (
    <th scope="col" aria-sort={active ? (sorting.descending ? 'descending' : 'ascending') : undefined}>
      <button
        type="button"
        class="sort"
        onClick={() =>
          onSort({ column, descending: active ? !sorting.descending : column === 'lastUsedAt' || column === 'refused' })
        }
      >
        {label}
        <span class="sort-mark" aria-hidden="true">
          {active ? (sorting.descending ? '↓' : '↑') : ''}
        </span>
      </button>
    </th>
  );
}

function UsableFrom({ definition }: Pick<KeyRow, 'definition'>) {
  const place = definition === null ? '–' : usableFrom(definition);
  return (
    <td data-label="Usable from" class={place.includes(':') ? undefined : 'whole'}>
      {place}
    </td>
  );
}

function Row({
  refusedLabel,
  row: { id, definition, state, why, lastUsedAt, refused, wouldRefuse, warnings },
}: {
  readonly row: KeyRow;
  readonly refusedLabel: string;
}) {
  return (
    <tr>
      <th scope="row">
        <a class="mono" href={keyAddress(id)}>
          {id}
        </a>
        <span class="muted row-note">{definition === null ? why : definition.description}</span>
      </th>
      <td data-label="Type" class="short">
        {definition === null ? '–' : TYPE_NAMES[definition.type]}
      </td>
      <td data-label="State">
        <span class="badges">
          <StateBadge state={state} />
          {definition?.mode === 'report' && <Badge tone="warning">Report only</Badge>}
          {warnings > 0 && <Badge tone="warning">{warnings === 1 ? '1 warning' : `${warnings} warnings`}</Badge>}
        </span>
      </td>
      <UsableFrom definition={definition} />
      <td data-label="Events" class="short">
        {definition === null ? '–' : eventsOf(definition)}
      </td>
      <td data-label="Last used" class="short">
        {lastUsedAt === null ? <span class="muted">–</span> : <Ago at={lastUsedAt} />}
      </td>
      <td data-label={refusedLabel} class="number">
        {count(refused)}
        {wouldRefuse > 0 && <span class="muted"> + {count(wouldRefuse)} in report mode</span>}
      </td>
    </tr>
  );
}
