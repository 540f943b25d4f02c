/** What the page is filtered by, and how to change that. Everything stands in the address. */
import { useEffect, useState } from 'preact/hooks';
import type { Summary } from '../api/types.ts';
import { SelectField, TextField } from '../ui/field.tsx';
import { count, keyName, reasonTitle } from './names.ts';
import type { Shown } from './narrowed.ts';
import { addressWith, FILTERS, isFiltered, type FilterName, type OverviewView } from './view.ts';

const ANY = '*';

const go = (address: string): void => {
  location.hash = address;
};

export interface FilterBarProps {
  readonly view: OverviewView;
  /** Of everything: what can be chosen. */
  readonly summary: Summary;
}

export function FilterBar({ view, summary }: FilterBarProps) {
  const top = summary.top[view.mode];
  const choose = (name: FilterName) => (value: string) =>
    go(addressWith(view, { filter: { [name]: value === ANY ? null : value } }));
  return (
    <div class="filters">
      <SelectField
        label="Reason"
        value={view.filter.reason ?? ANY}
        onChange={choose('reason')}
        options={optionsOf(top.reasons, reasonTitle, view.filter.reason)}
      />
      <SelectField
        label="Key"
        value={view.filter.key ?? ANY}
        onChange={choose('key')}
        options={optionsOf(top.keys, keyName, view.filter.key)}
      />
      <FindRequest view={view} />
    </div>
  );
}

/** Those that are there, and the one that is chosen, even if it is there no longer. */
function optionsOf(
  listed: readonly { readonly value: string }[],
  nameOf: (value: string) => string,
  chosen: string | undefined,
): [string, string][] {
  const values = new Set(listed.map(({ value }) => value));
  if (chosen !== undefined) values.add(chosen);
  return [[ANY, 'Any'], ...[...values].sort().map((value): [string, string] => [value, nameOf(value)])];
}

function FindRequest({ view }: { readonly view: OverviewView }) {
  const { requestId = '' } = view.filter;
  const [typed, setTyped] = useState(requestId);
  useEffect(() => setTyped(requestId), [requestId]);
  return (
    <form
      role="search"
      class="find"
      onSubmit={(event) => {
        event.preventDefault();
        go(addressWith({ ...view, filter: {} }, { filter: { requestId: typed.trim() || null } }));
      }}
    >
      <TextField label="Request id" type="search" mono value={typed} onChange={setTyped} />
      <button type="submit" class="button">
        Find
      </button>
    </form>
  );
}

const WORDS: Readonly<Record<FilterName, readonly [string, (value: string) => string]>> = {
  reason: ['Reason', reasonTitle],
  key: ['Key', keyName],
  address: ['Address', String],
  path: ['Path', String],
  event: ['Event', String],
  requestId: ['Request id', String],
};

/** What is not shown, in view and easy to take back. */
export function ActiveFilters({
  view,
  shown: { partial, listed },
}: {
  readonly view: OverviewView;
  readonly shown: Shown;
}) {
  if (!isFiltered(view)) return null;
  return (
    <div class="active-filters" role="group" aria-label="Only these are shown">
      <span>Only</span>
      {FILTERS.flatMap((name) => {
        const value = view.filter[name];
        if (value === undefined) return [];
        const [word, nameOf] = WORDS[name];
        return [
          <a key={name} class="chip chip-link" href={addressWith(view, { filter: { [name]: null } })}>
            {word}: <strong>{nameOf(value)}</strong>
            <span aria-hidden="true"> ×</span>
            <span class="visually-hidden">, show all again</span>
          </a>,
        ];
      })}
      <a href={addressWith({ ...view, filter: {} }, {})}>Show everything</a>
      {partial && <span class="muted">Counted from the list below, which keeps the latest of each kind.</span>}
      {listed !== null && (
        <span class="muted">
          What is refused most is counted from {count(listed)} of them: the list below keeps the latest of each kind.
        </span>
      )}
    </div>
  );
}
