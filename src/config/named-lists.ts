/**
 * Which address lists a configuration names, and where. What they hold, and whether there are any, is known where keys are.
 */
import type { AddressEntry } from './address-entries.ts';
import type { Config } from './schema.ts';

export interface NamedPlace {
  readonly name: string;
  readonly path: readonly PropertyKey[];
}

/** Every mention of an address list. */
export function listsNamedIn({ listen, apis }: Config): NamedPlace[] {
  const inEntries = (entries: 'anywhere' | readonly AddressEntry[], path: readonly PropertyKey[]): NamedPlace[] =>
    entries === 'anywhere'
      ? []
      : entries.flatMap((entry, index) =>
          typeof entry === 'object' && 'list' in entry ? [{ name: entry.list, path: [...path, index, 'list'] }] : [],
        );
  return [
    ...inEntries(listen.denyFrom, ['listen', 'denyFrom']),
    ...Object.entries(apis).flatMap(([name, { allowFrom, denyFrom }]) => [
      ...inEntries(allowFrom, ['apis', name, 'allowFrom']),
      ...inEntries(denyFrom, ['apis', name, 'denyFrom']),
    ]),
  ];
}
