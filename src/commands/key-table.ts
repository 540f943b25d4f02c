/**
 * Keys as a table for the terminal: what each may do, from where, and whether it can be used. Secrets show as their ids.
 */
import { completed } from '../keys/compile.ts';
import type { LoadedDefinition, SharedRecords, WholeDefinition } from '../keys/definition.ts';
import type { AddressListDefinition } from '../keys/list-definition.ts';
import type { KeySnapshot } from '../keys/key.ts';
import { keyState } from '../keys/snapshot.ts';
import { printable } from './printable.ts';

const HEADINGS = ['ID', 'TYPE', 'STATE', 'MODE', 'FROM', 'EVENTS', 'RATE', 'SECRETS', 'DESCRIPTION'];

/** One line for the headings and one for each key; keys that cannot be used show why. */
export function keyTable(loaded: readonly LoadedDefinition[], keys: KeySnapshot, now: number): string[] {
  const invalid = new Map(keys.invalid.map(({ id, why }) => [id, why]));
  const rows = loaded.map((entry) => {
    const key = keys.byId.get(entry.id);
    const whole = completed(entry, keys.records);
    if ('invalid' in whole || key === undefined)
      return [printable(entry.id), '-', 'invalid', '-', '-', '-', '-', '-', printable(invalid.get(entry.id) ?? '')];
    return [entry.id, key.type, keyState(key, now), key.mode, ...limitsOf(whole.definition)];
  });
  return aligned([HEADINGS, ...rows]);
}

/** A line for each policy and list: what it is, and why it cannot be used. No line where there are none. */
export function recordTable({ policies, lists }: SharedRecords): string[] {
  const shown = policiesIn(policies);
  for (const list of lists.values())
    shown.push(['list', list.id, 'definition' in list ? describeList(list.definition) : `invalid: ${list.invalid}`]);
  return shown.length === 0 ? [] : ['', ...shown.map((cells) => printable(cells.join('  ')))];
}

const policiesIn = (policies: SharedRecords['policies']): string[][] =>
  [...policies.values()].map((policy) => [
    'policy',
    policy.id,
    'definition' in policy ? Object.keys(policy.definition).join(', ') : `invalid: ${policy.invalid}`,
  ]);

function describeList(list: AddressListDefinition): string {
  if (list.kind === 'literal') return counted(list.entries.length, 'entry', 'entries');
  return list.kind === 'file' ? `file ${list.file}` : `every ${list.refreshMinutes} minutes from a URL`;
}

function limitsOf({ allowFrom, allowedEvents, rateLimit, secrets, description }: WholeDefinition): string[] {
  return [
    allowFrom === 'anywhere' ? 'anywhere' : counted(allowFrom.length, 'location'),
    allowedEvents === null ? '-' : allowedEvents === 'all' ? 'all' : counted(allowedEvents.length, 'event'),
    rateLimit === null ? '-' : `${rateLimit.requests}/${rateLimit.windowSeconds}s`,
    secrets.map(({ hash }) => hash.slice('sha256:'.length, 'sha256:'.length + 12)).join(','),
    printable(description),
  ];
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = HEADINGS.map((_, column) =>
    rows.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), 0),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

const counted = (count: number, noun: string, nouns = `${noun}s`): string => `${count} ${count === 1 ? noun : nouns}`;
