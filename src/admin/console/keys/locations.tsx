/** Rows of addresses, each with its description, that can be added and removed. A row may stand for an address list. */
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { Errors } from '../ui/field.tsx';
import { Notice } from '../ui/notice.tsx';
import { ListAdder } from './list-adder.tsx';
import { listLocation, type Location } from './fields.ts';
import { pastedRows, repeats, withPasted } from './pasted.ts';

export interface LocationsProps {
  readonly locations: readonly Location[];
  readonly errorsAt: (index: number, part: 'address' | 'description') => readonly string[];
  /** What it means when there are none; null: nothing special. */
  readonly empty: string | null;
  /** Names of address lists that can stand in a row; left out: none. */
  readonly lists?: readonly string[];
  readonly readOnly: boolean;
  readonly onChange: (locations: readonly Location[]) => void;
}

export function Locations({ locations, errorsAt, empty, lists = [], readOnly, onChange }: LocationsProps) {
  const list = useRef<HTMLUListElement>(null);
  const add = useRef<HTMLButtonElement>(null);
  const focus = useRef<number | 'add' | null>(null);
  // Before the next key press arrives, which is meant for the field that has just appeared.
  useLayoutEffect(() => {
    if (typeof focus.current === 'number')
      list.current?.querySelector<HTMLInputElement>(`li:nth-child(${focus.current}) input`)?.focus();
    if (focus.current === 'add') add.current?.focus();
    focus.current = null;
  }, [locations.length]);

  const earlier = repeats(locations);
  const replace = (index: number, part: Partial<Location>): void =>
    onChange(locations.map((location, at) => (at === index ? { ...location, ...part } : location)));
  const paste = (index: number, pasted: readonly Location[]): void => {
    const next = withPasted(locations, index, pasted);
    focus.current = Math.min(next.length, index + pasted.length);
    onChange(next);
  };
  return (
    <div class="rows">
      {locations.length === 0 && empty !== null && <Notice kind="warning">{empty}</Notice>}
      <ul ref={list} class="row-list">
        {locations.map((location, index) => (
          <LocationRow
            key={index}
            number={index + 1}
            location={location}
            readOnly={readOnly}
            addressErrors={[
              ...errorsAt(index, 'address'),
              ...(earlier[index] ? [`The same address stands in row ${earlier[index]}: remove one of them.`] : []),
            ]}
            descriptionErrors={errorsAt(index, 'description')}
            onChange={(part) => replace(index, part)}
            onPaste={(pasted) => paste(index, pasted)}
            onRemove={() => {
              focus.current = 'add';
              onChange(locations.filter((_, at) => at !== index));
            }}
          />
        ))}
      </ul>
      {!readOnly && (
        <div class="actions">
          <button
            ref={add}
            type="button"
            class="button"
            onClick={() => {
              focus.current = locations.length + 1;
              onChange([...locations, { address: '', description: '' }]);
            }}
          >
            Add IP address
          </button>
          {lists.length > 0 && (
            <ListAdder lists={lists} onAdd={(name) => onChange([...locations, listLocation(name)])} />
          )}
        </div>
      )}
      <p class="hint">
        IPv4 or IPv6, one address or a subnet such as 203.0.113.0/24 or 2001:db8:1::/48.
        {!readOnly && ' Paste as many as you like at once: one in a line, each with its description behind it.'}
      </p>
    </div>
  );
}

interface LocationRowProps {
  readonly number: number;
  readonly location: Location;
  readonly readOnly: boolean;
  readonly addressErrors: readonly string[];
  readonly descriptionErrors: readonly string[];
  readonly onChange: (part: Partial<Location>) => void;
  readonly onPaste: (pasted: readonly Location[]) => void;
  readonly onRemove: () => void;
}

function LocationRow({
  number,
  location,
  readOnly,
  addressErrors,
  descriptionErrors,
  onChange,
  onPaste,
  onRemove,
}: LocationRowProps) {
  const id = useId();
  const errors = [...addressErrors, ...descriptionErrors];
  return (
    <li class="row">
      <div class="field">
        <label for={`${id}-address`}>
          IP address<span class="visually-hidden"> {number}</span>
        </label>
        <input
          id={`${id}-address`}
          class="mono"
          type="text"
          value={location.address}
          readOnly={readOnly || location.list !== undefined}
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          placeholder="203.0.113.7"
          aria-invalid={addressErrors.length > 0 ? 'true' : undefined}
          aria-describedby={addressErrors.length > 0 ? `${id}-errors` : undefined}
          onInput={(event) => onChange({ address: event.currentTarget.value })}
          onPaste={(event) => {
            const rows = pastedRows(event.clipboardData?.getData('text/plain') ?? '');
            if (rows === null || readOnly || location.list !== undefined) return;
            event.preventDefault();
            onPaste(rows);
          }}
        />
      </div>
      <div class="field">
        <label for={`${id}-description`}>
          Description<span class="visually-hidden"> {number}</span>
        </label>
        <input
          id={`${id}-description`}
          type="text"
          value={location.description}
          readOnly={readOnly || location.list !== undefined}
          placeholder={location.list === undefined ? 'Optional' : ''}
          aria-invalid={descriptionErrors.length > 0 ? 'true' : undefined}
          onInput={(event) => onChange({ description: event.currentTarget.value })}
        />
      </div>
      {!readOnly && (
        <button
          type="button"
          class="remove"
          aria-label={`Remove ${location.address || 'the blank row'}`}
          onClick={onRemove}
        >
          Remove
        </button>
      )}
      <Errors id={`${id}-errors`} messages={errors} />
    </li>
  );
}
