/** Puts an address list among the addresses: a list is chosen by its name, then added. */
import { useState } from 'preact/hooks';
import { SelectField } from '../ui/field.tsx';

export interface ListAdderProps {
  readonly lists: readonly string[];
  readonly onAdd: (list: string) => void;
}

export function ListAdder({ lists, onAdd }: ListAdderProps) {
  const [chosen, setChosen] = useState(lists[0] ?? '');
  return (
    <div class="add-row">
      <SelectField
        label="Address list"
        value={chosen}
        options={lists.map((name) => [name, name] as const)}
        onChange={setChosen}
      />
      <button type="button" class="button" onClick={() => onAdd(chosen)}>
        Add list
      </button>
    </div>
  );
}
