/** Form controls with their label, their hint and what the server found wrong with them, tied together for screen readers. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import type { Finding } from '../api/types.ts';
import { atItsField } from './wording.ts';

/** What was found wrong with one field. */
export const messagesFor = (findings: readonly Finding[], field: string): string[] =>
  findings.filter((finding) => finding.field === field).map(atItsField);

/** And with anything inside it. */
export const messagesWithin = (findings: readonly Finding[], field: string): string[] =>
  findings.filter((finding) => isWithin(finding.field, field)).map(atItsField);

export const isWithin = (inner: string, field: string): boolean =>
  inner === field || inner.startsWith(`${field}.`) || inner.startsWith(`${field}[`);

export interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: ComponentChildren;
  readonly errors?: readonly string[];
  readonly type?: 'text' | 'number' | 'password' | 'datetime-local' | 'search';
  readonly min?: number;
  readonly step?: number;
  readonly required?: boolean;
  readonly disabled?: boolean;
  readonly mono?: boolean;
  readonly width?: 'narrow' | 'normal' | 'wide';
  readonly autocomplete?: string;
  readonly placeholder?: string;
  /** What can be taken over instead of typing it. */
  readonly suggestions?: readonly string[];
}

export function TextField({
  label,
  value,
  onChange,
  hint,
  errors = [],
  mono,
  width = 'normal',
  suggestions,
  ...input
}: TextFieldProps) {
  const id = useId();
  // To the types of JSX each kind of input is another one; the attributes used here go with all of them.
  const type = (input.type ?? 'text') as 'text';
  const described = [hint !== undefined && `${id}-hint`, errors.length > 0 && `${id}-errors`].filter(Boolean).join(' ');
  return (
    <div class={`field field-${width}`}>
      <label for={id}>{label}</label>
      <input
        {...input}
        id={id}
        class={mono ? 'mono' : undefined}
        type={type}
        value={value}
        spellcheck={false}
        list={suggestions === undefined ? undefined : `${id}-list`}
        aria-invalid={errors.length > 0 ? 'true' : undefined}
        aria-describedby={described || undefined}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      {suggestions !== undefined && (
        <datalist id={`${id}-list`}>
          {suggestions.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <Errors id={`${id}-errors`} messages={errors} />
    </div>
  );
}

export function Errors({ id, messages }: { readonly id?: string; readonly messages: readonly string[] }) {
  if (messages.length === 0) return null;
  return (
    <ul class="errors" id={id} tabIndex={-1}>
      {messages.map((message) => (
        <li key={message}>{message}</li>
      ))}
    </ul>
  );
}

export interface SelectFieldProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly onChange: (value: T) => void;
  readonly options: readonly (readonly [value: T, label: string])[];
  readonly disabled?: boolean;
  readonly errors?: readonly string[];
}

export function SelectField<T extends string>({
  label,
  value,
  onChange,
  options,
  disabled,
  errors = [],
}: SelectFieldProps<T>) {
  const id = useId();
  return (
    <div class="field field-narrow">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={value}
        disabled={disabled}
        aria-invalid={errors.length > 0 ? 'true' : undefined}
        aria-describedby={errors.length > 0 ? `${id}-errors` : undefined}
        onChange={(event) => onChange(event.currentTarget.value as T)}
      >
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
      <Errors id={`${id}-errors`} messages={errors} />
    </div>
  );
}

export interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly onChange: (value: T) => void;
  readonly options: readonly (readonly [value: T, label: string, hint?: string | undefined])[];
  readonly disabled?: boolean;
  /** One beside the other, as a switch of a view. */
  readonly inline?: boolean;
  readonly hideLabel?: boolean;
  readonly errors?: readonly string[];
}

/** One of a few, all of them in view. */
export function Choice<T extends string>({
  label,
  value,
  onChange,
  options,
  disabled,
  inline,
  hideLabel,
  errors = [],
}: ChoiceProps<T>) {
  const name = useId();
  const invalid = errors.length > 0;
  return (
    <fieldset
      class={inline ? 'choice choice-inline' : 'choice'}
      disabled={disabled}
      role="radiogroup"
      aria-invalid={invalid ? 'true' : undefined}
      aria-describedby={invalid ? `${name}-errors` : undefined}
    >
      <legend class={hideLabel ? 'visually-hidden' : undefined}>{label}</legend>
      {options.map(([option, text, hint], index) => (
        <div key={option} class="option">
          <label>
            <input
              type="radio"
              name={name}
              checked={option === value}
              aria-describedby={hint === undefined ? undefined : `${name}-${index}`}
              onChange={() => onChange(option)}
            />
            <span>{text}</span>
          </label>
          {hint !== undefined && (
            <p class="hint" id={`${name}-${index}`}>
              {hint}
            </p>
          )}
        </div>
      ))}
      <Errors id={`${name}-errors`} messages={errors} />
    </fieldset>
  );
}

export interface CheckProps {
  readonly label: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly hint?: string;
  readonly disabled?: boolean;
}

export function Check({ label, checked, onChange, hint, disabled }: CheckProps) {
  const id = useId();
  return (
    <div class="option">
      <label>
        <input
          type="checkbox"
          checked={checked}
          disabled={disabled}
          aria-describedby={hint === undefined ? undefined : id}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
        <span>{label}</span>
      </label>
      {hint !== undefined && (
        <p class="hint" id={id}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** The first field that has to be put right; null: none shows that. */
export const firstMistake = (): HTMLElement | null =>
  document.querySelector<HTMLElement>('main form [aria-invalid="true"]:not(fieldset)') ??
  document.querySelector<HTMLElement>('main form fieldset[aria-invalid="true"] input, main form .errors');

/** Takes whoever sent a form to the first field that has to be put right. */
export function useFocusOnMistake(findings: readonly Finding[]): void {
  const before = useRef(0);
  useEffect(() => {
    // Fewer of them: one was just put right, in a field that must keep the focus.
    if (findings.length > before.current) firstMistake()?.focus();
    before.current = findings.length;
  }, [findings]);
}
