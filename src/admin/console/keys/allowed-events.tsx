/** Which events a key may send: All, or Specific ones, each a chip that is on or off. */
import { useState } from 'preact/hooks';
import { AddText } from '../ui/add-text.tsx';
import { Choice, Errors, messagesWithin } from '../ui/field.tsx';
import { Notice } from '../ui/notice.tsx';
import type { FormPartProps } from './draft.ts';
import { FromPolicy } from './from-policy.tsx';

export interface AllowedEventsProps extends FormPartProps {
  /** Names that other keys are limited to. */
  readonly knownEvents: readonly string[];
}

export function AllowedEvents({ knownEvents, ...part }: AllowedEventsProps) {
  const { draft, change, findings, readOnly } = part;
  return (
    <section class="card" aria-labelledby="allowed-events">
      <h2 id="allowed-events">Allowed profile events</h2>
      <FromPolicy part={part} names={['allowedEvents', 'disallowedEvents']} />
      <Choice
        label="Which events this key may send"
        value={draft.allEvents ? 'all' : 'specific'}
        disabled={readOnly}
        onChange={(choice) => change({ allEvents: choice === 'all' })}
        options={[
          ['all', 'All Profile Events'],
          ['specific', 'Specific Profile Events'],
        ]}
      />
      {!draft.allEvents && (
        <>
          <EventChips
            events={draft.events}
            knownEvents={knownEvents}
            readOnly={readOnly}
            onChange={(events) => change({ events })}
          />
          <Errors messages={messagesWithin(findings, 'allowedEvents')} />
          <Choice
            label="A batch that also holds other events"
            value={draft.disallowedEvents}
            disabled={readOnly}
            onChange={(disallowedEvents) => change({ disallowedEvents })}
            options={[
              ['remove', 'Remove them', 'The allowed ones are passed on.'],
              ['reject', 'Reject the whole request'],
            ]}
          />
        </>
      )}
    </section>
  );
}

interface EventChipsProps {
  readonly events: readonly string[];
  readonly knownEvents: readonly string[];
  readonly readOnly: boolean;
  readonly onChange: (events: readonly string[]) => void;
}

function EventChips({ events, knownEvents, readOnly, onChange }: EventChipsProps) {
  const [seen, setSeen] = useState<readonly string[]>(events);
  const [said, setSaid] = useState('');
  // What was on once stays in view when it is turned off, so that a slip is turned back with one press.
  const chips = [...new Set([...seen, ...events, ...(readOnly ? [] : knownEvents)])];
  const toggle = (event: string): void =>
    onChange(events.includes(event) ? events.filter((other) => other !== event) : [...events, event]);
  const add = (name: string): string | null => {
    const why = nameProblem(name);
    if (why !== null) return why;
    if (!events.includes(name)) onChange([...events, name]);
    setSeen([...seen, name]);
    setSaid(`${name} is allowed.`);
    return null;
  };
  return (
    <div class="rows">
      {events.length === 0 && <Notice kind="warning">No event is turned on: this key may send none.</Notice>}
      <div class="chips" role="group" aria-label="Events">
        {chips.map((event) => (
          <button
            key={event}
            type="button"
            class="chip"
            aria-pressed={events.includes(event)}
            disabled={readOnly}
            onClick={() => toggle(event)}
          >
            {event}
          </button>
        ))}
      </div>
      {!readOnly && (
        <AddText
          label="Event name"
          button="Add event"
          hint="Names are exact: letter case and spaces count. Chips that are off come from other keys."
          onAdd={add}
        />
      )}
      <p class="visually-hidden" role="status">
        {said}
      </p>
    </div>
  );
}

/** Names are exact, so a space that nobody sees would keep the event out. */
function nameProblem(name: string): string | null {
  if (name.trim() === '') return 'Type the name of an event first.';
  return name === name.trim() ? null : 'The name begins or ends with a space: no event is sent with such a name.';
}
