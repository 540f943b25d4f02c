/** Which key asks: chosen from all of them or, where there are very many, typed with some that match below it. */
import { SelectField, TextField } from '../ui/field.tsx';
import { isTyped, matching } from './many-keys.ts';

export interface KeyChoiceProps {
  readonly ids: readonly string[];
  readonly value: string;
  readonly errors: readonly string[];
  readonly onChange: (id: string) => void;
}

export function KeyChoice({ ids, value, errors, onChange }: KeyChoiceProps) {
  if (isTyped(ids))
    return (
      <TextField
        label="Key"
        mono
        autocomplete="off"
        placeholder="Its id"
        value={value}
        suggestions={matching(ids, value)}
        errors={errors}
        onChange={onChange}
      />
    );
  return (
    <SelectField
      label="Key"
      value={value}
      errors={errors}
      onChange={onChange}
      options={[['', 'Choose a key'], ...ids.map((id): [string, string] => [id, id])]}
    />
  );
}
