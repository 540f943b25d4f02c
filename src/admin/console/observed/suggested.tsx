/** Suggested from traffic: what a key was seen to do, how often and when last, each with a box; taking it over fills in the form. */
import { useEffect, useState } from 'preact/hooks';
import { readSuggestion } from '../api/requests.ts';
import type { KeyDefinition, KeyType, Suggestion } from '../api/types.ts';
import { FIELDS } from '../keys/fields.ts';
import type { KeyDraft } from '../keys/key-subject.ts';
import { count } from '../overview/names.ts';
import { useResource } from '../state/resource.ts';
import { TYPE_NAMES } from '../ui/type-names.ts';
import { Await, LiveRegion, Notice } from '../ui/notice.tsx';
import { inLocalTime } from '../ui/clock.ts';
import { Moment } from '../ui/time.tsx';
import { allLines, linesOf, SUGGESTED, takenOver, type Line, type SuggestedName } from './take-over.ts';
import { whyNot } from './words.ts';

export interface SuggestedProps {
  readonly definition: KeyDefinition;
  /** As the form has it. */
  readonly type: KeyType;
  readonly readOnly: boolean;
  readonly change: (part: Partial<KeyDraft>) => void;
}

export function Suggested(props: SuggestedProps) {
  const { definition } = props;
  const suggestion = useResource(`suggestion ${definition.id}`, () => readSuggestion(definition.id));
  return (
    <section class="card wide suggested" aria-labelledby="suggested">
      <h2 id="suggested">Suggested from traffic</h2>
      {suggestion.failure?.code === 'source_unavailable' ? (
        <p class="hint">Nothing is suggested while the source of the keys cannot be read.</p>
      ) : suggestion.failure?.code === 'not_observing' ? (
        <p class="hint">{suggestion.failure.detail}</p>
      ) : (
        <Await resource={suggestion} what="what was observed">
          {(read) => <Choose {...props} suggestion={read} />}
        </Await>
      )}
    </section>
  );
}

/** Of the box for the type. */
const TYPE = 'type';

function Choose({
  suggestion,
  definition,
  type,
  readOnly,
  change,
}: SuggestedProps & { readonly suggestion: Suggestion }) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [said, setSaid] = useState('');
  const narrower = suggestion.fields.type === type ? null : (suggestion.fields.type ?? null);
  useEffect(() => setChosen(new Set([TYPE, ...allLines(suggestion, type)])), [suggestion]);
  const isAny = narrower !== null || allLines(suggestion, type).length > 0;
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  if (!isAny && Object.values(suggestion.notSuggested).every((why) => why === 'nothing_seen'))
    return <p class="hint">Nothing good was observed of this key yet, so nothing is suggested.</p>;
  return (
    <>
      <p class="hint">
        The narrowest settings that refuse nothing good that this key was seen to do. Nothing changes before you save.
      </p>
      {suggestion.tooLittle !== null && (
        <Notice kind="warning">{inLocalTime(suggestion.tooLittle)} Do not rely on it yet.</Notice>
      )}
      {narrower !== null && (
        <NarrowerType type={narrower} checked={chosen.has(TYPE)} readOnly={readOnly} toggle={() => toggle(TYPE)} />
      )}
      {SUGGESTED.map((name) => (
        <Field
          key={name}
          name={name}
          lines={linesOf(name, suggestion, type)}
          why={suggestion.notSuggested[name]}
          chosen={chosen}
          disabled={readOnly}
          toggle={toggle}
        />
      ))}
      {!readOnly && isAny && (
        <p class="actions">
          <button
            type="button"
            class="button"
            disabled={chosen.size === 0}
            onClick={() => {
              const narrowed = narrower !== null && chosen.has(TYPE) ? { type: narrower } : {};
              change({ ...takenOver(suggestion, definition, chosen), ...narrowed });
              setSaid('The form is filled in. Look through it, then save.');
            }}
          >
            Take over
          </button>
        </p>
      )}
      <LiveRegion>{said}</LiveRegion>
    </>
  );
}

interface NarrowerTypeProps {
  readonly type: KeyType;
  readonly checked: boolean;
  readonly readOnly: boolean;
  readonly toggle: () => void;
}

function NarrowerType({ type, checked, readOnly, toggle }: NarrowerTypeProps) {
  return (
    <p>
      <label class="take-over">
        <input type="checkbox" checked={checked} disabled={readOnly} onChange={toggle} />
        <span>
          What it did needs no more than the type <strong>{TYPE_NAMES[type]}</strong>.
        </span>
      </label>
    </p>
  );
}

interface FieldProps {
  readonly name: SuggestedName;
  readonly lines: readonly Line[] | null;
  readonly why: string | undefined;
  readonly chosen: ReadonlySet<string>;
  readonly disabled: boolean;
  readonly toggle: (id: string) => void;
}

function Field({ name, lines, why, chosen, disabled, toggle }: FieldProps) {
  const { title } = FIELDS[name];
  if (lines === null)
    return why === undefined ? null : (
      <p>
        <strong>{title}</strong> <span class="muted">Nothing is suggested: {whyNot(why)}.</span>
      </p>
    );
  return (
    <table class="table table-cards">
      <caption>{title}</caption>
      <thead>
        <tr>
          <th scope="col">Take over</th>
          <th scope="col">Good requests</th>
          <th scope="col">Last</th>
        </tr>
      </thead>
      <tbody>
        {lines.map(({ id, value, requests, lastSeen }) => (
          <tr key={id}>
            <th scope="row">
              <label class="take-over">
                <input type="checkbox" checked={chosen.has(id)} disabled={disabled} onChange={() => toggle(id)} />
                <span class="mono">{value}</span>
              </label>
            </th>
            <td data-label="Good requests" class="number">
              {count(requests)}
            </td>
            <td data-label="Last">{lastSeen !== '' && <Moment at={lastSeen} />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
