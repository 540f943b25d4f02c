/** The latest changes of keys, policies and lists: who made each, what was changed, and a way to make another one that undoes it. */
import { useLayoutEffect, useState } from 'preact/hooks';
import { readHistory } from '../api/requests.ts';
import type { HistoryChange } from '../api/types.ts';
import { historyAddress, keepAddress, keyAddress, listAddress, policyAddress, type View } from '../route.ts';
import { useReadOnly } from '../state/editing.ts';
import { useResource } from '../state/resource.ts';
import { offerUndo, undoOf } from '../state/undo.ts';
import { SelectField } from '../ui/field.tsx';
import { Await, Notice } from '../ui/notice.tsx';
import { ShowMore } from '../ui/show-more.tsx';
import { Moment } from '../ui/time.tsx';
import { actionInWords, fieldInWords, KINDS, titleOf, whoInWords, type ChangedField } from './words.ts';

const REFRESH_MS = 10_000;
const PAGE = 50;
/** Of all; no name of anything is empty. */
const ANY = '';

export function HistoryPage({ view }: { readonly view: View }) {
  const history = useResource('history', readHistory, REFRESH_MS);
  return (
    <>
      <div class="title-row">
        <h1>History</h1>
      </div>
      <Await resource={history} what="the history">
        {({ changes, why }) => (
          <>
            {why !== null && <Notice kind="warning">{why} Changes made elsewhere, or earlier, may be missing.</Notice>}
            {changes.length === 0 ? (
              <Notice kind="info">Nothing was changed yet, as far as is known here.</Notice>
            ) : (
              <Changes changes={changes} view={view} />
            )}
          </>
        )}
      </Await>
    </>
  );
}

const thingOf = ({ kind, target }: HistoryChange): string => `${KINDS[kind]} ${target}`;

function Changes({ changes, view }: { readonly changes: readonly HistoryChange[]; readonly view: View }) {
  const [{ by: who = ANY, of: thing = ANY }, setNarrowed] = useState(view);
  const [limit, setLimit] = useState(PAGE);
  // At once, not after the next paint: a reload or a link may come before that.
  useLayoutEffect(() => setNarrowed(view), [view]);
  useLayoutEffect(() => keepAddress(historyAddress({ by: who, of: thing })), [who, thing]);
  const shown = changes.filter(
    (change) => (who === ANY || change.who === who) && (thing === ANY || thingOf(change) === thing),
  );
  const options = (names: readonly string[], words = (name: string) => name): [string, string][] => [
    [ANY, 'All'],
    ...[...new Set(names)].sort().map((name): [string, string] => [name, words(name)]),
  ];
  return (
    <section class="card card-flush" aria-label="Changes">
      <div class="filters">
        <SelectField
          label="By"
          value={who}
          onChange={(by) => setNarrowed({ by, of: thing })}
          options={options(
            changes.map((change) => change.who),
            (name) => whoInWords({ who: name }),
          )}
        />
        <SelectField
          label="Of"
          value={thing}
          onChange={(of) => setNarrowed({ by: who, of })}
          options={options(changes.map(thingOf))}
        />
      </div>
      {shown.length === 0 ? (
        <p class="empty">
          No change matches.{' '}
          <button type="button" class="button" onClick={() => setNarrowed({})}>
            Show all
          </button>
        </p>
      ) : (
        <Table changes={shown.slice(0, limit)} first={changes.length} />
      )}
      <ShowMore left={shown.length - limit} step={PAGE} onMore={() => setLimit(limit + PAGE)} />
    </section>
  );
}

interface TableProps {
  readonly changes: readonly HistoryChange[];
  /** The number of the first, counted from the oldest of all: it stays the same when newer ones come. */
  readonly first: number;
}

function Table({ changes, first }: TableProps) {
  return (
    <table class="table table-cards">
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">What</th>
          <th scope="col">Fields</th>
          <th scope="col">By</th>
          <th scope="col">
            <span class="visually-hidden">Undo</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {changes.map((change, index) => (
          <Row key={`${change.time} ${change.target} ${first - index}`} change={change} />
        ))}
      </tbody>
    </table>
  );
}

const ADDRESSES = { key: keyAddress, policy: policyAddress, list: listAddress } as const;
const NEW = { key: '#/new-key', policy: '#/new-policy', list: '#/new-list' } as const;

function Row({ change }: { readonly change: HistoryChange }) {
  const readOnly = useReadOnly();
  const { time, kind, target, address, fields, action } = change;
  const undo = readOnly === null ? undoOf(change) : null;
  const isGone = action === `delete_${kind}`;
  return (
    <tr>
      <td data-label="When">
        <Moment at={time} />
      </td>
      <th scope="row" data-label="What" class="whole">
        {actionInWords(change)}: {KINDS[kind].toLowerCase()}{' '}
        <a class="mono" href={ADDRESSES[kind](target)}>
          {target}
        </a>
      </th>
      <td data-label="Fields">
        <ul class="plain-list">
          {Object.entries(fields).map(([name, field]) => (
            <Field key={name} name={name} field={field} />
          ))}
        </ul>
      </td>
      <td data-label="By" class="whole">
        {whoInWords(change)}
        {address !== null && <span class="muted row-note">{address}</span>}
      </td>
      <td>
        {undo !== null && (
          <a
            class="button button-small"
            href={isGone ? NEW[kind] : ADDRESSES[kind](target)}
            aria-label={`Undo this change of the ${KINDS[kind].toLowerCase()} ${target}`}
            onClick={() => offerUndo(undo)}
          >
            Undo
          </a>
        )}
      </td>
    </tr>
  );
}

/** So much of a text is worth a line of a table. */
const MOST_CHARACTERS = 200;
const MOST_ITEMS = 10;

const cut = (text: string): string =>
  text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}… (${text.length} characters)` : text;

function listed(items: readonly string[]): string {
  const more = items.length - MOST_ITEMS;
  return items.slice(0, MOST_ITEMS).map(cut).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function Field({ name, field }: { readonly name: string; readonly field: ChangedField }) {
  const told = fieldInWords(name, field);
  return (
    <li>
      {titleOf(name)}: {told.how === 'too long' && <span class="muted">changed, too long to be kept</span>}
      {told.how === 'list' &&
        [
          told.added.length > 0 ? `added ${listed(told.added)}` : '',
          told.removed.length > 0 ? `removed ${listed(told.removed)}` : '',
          listed(told.changed ?? []),
        ]
          .filter(Boolean)
          .join('; ')}
      {told.how === 'set' && (
        <>
          <span class="muted">{cut(told.before)}</span> → {cut(told.after)}
        </>
      )}
    </li>
  );
}
