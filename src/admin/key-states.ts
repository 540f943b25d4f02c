/**
 * How each key in use stands: whether it can be used, when its secrets were last used, which best practices it does not follow; and
 * how many there are of each. There may be ten thousand, so what holds until the next change is worked out once.
 */
import { completed } from '../keys/compile.ts';
import { NO_RECORDS, type KeyDefinition } from '../keys/definition.ts';
import type { Key, KeySnapshot } from '../keys/key.ts';
import { keyState } from '../keys/snapshot.ts';
import { definitionWarnings } from '../keys/warnings.ts';
import { isoTime } from '../observability/iso-time.ts';
import type { Metrics } from '../observability/prometheus.ts';
import type { KeyChanges } from './key-changes.ts';
import { inParts } from './long-list.ts';
import { fieldFindings } from './problem.ts';

export interface KeyStatePorts {
  readonly keys: () => KeySnapshot | null;
  readonly changes: Pick<KeyChanges, 'list'>;
  readonly samples: Metrics['samples'];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

interface StateOfKey {
  readonly id: string;
  readonly state: ReturnType<typeof keyState> | 'invalid';
  readonly why: string | null;
  readonly secrets: readonly { readonly id: string; readonly lastUsedAt: string | null }[];
  readonly warnings: ReturnType<typeof fieldFindings>;
}

export interface StatesOfKeys {
  /** Of all keys. */
  readonly counts: Readonly<Record<StateOfKey['state'] | 'warned', number>>;
  readonly keys: readonly StateOfKey[];
}

export interface KeyStates {
  /** `only`: the key whose state is asked for; left out: all of them. */
  readonly read: (only?: string) => Promise<StatesOfKeys>;
}

export function createKeyStates({ keys, changes, samples, now }: KeyStatePorts): KeyStates {
  const warningsOf = createWarnings({ keys, changes, now });
  return {
    async read(only) {
      const snapshot = keys();
      const warnings = await warningsOf();
      const counts = { active: 0, disabled: 0, expired: 0, invalid: snapshot?.invalid.length ?? 0, warned: 0 };
      const isAsked = ({ id }: { readonly id: string }): boolean => only === undefined || id === only;
      const lastUse = only === '' ? new Map<string, number>() : lastUseOf(samples);
      const states: StateOfKey[] = [];
      for await (const part of inParts(snapshot?.byId.values() ?? []))
        for (const key of part) {
          const state = keyState(key, now());
          const warned = warnings.get(key.id) ?? [];
          counts[state]++;
          if (warned.length > 0) counts.warned++;
          if (isAsked(key)) states.push(stateOf(key, state, lastUse, warned));
        }
      for (const one of snapshot?.invalid ?? []) if (isAsked(one)) states.push(stateOfInvalid(one));
      return { counts, keys: states };
    },
  };
}

const stateOf = (
  { id, secrets }: Key,
  state: StateOfKey['state'],
  lastUse: ReadonlyMap<string, number>,
  warnings: StateOfKey['warnings'],
): StateOfKey => ({
  id,
  state,
  why: null,
  secrets: secrets.map((secret) => {
    const at = lastUse.get(`${id} ${secret.id}`);
    return { id: secret.id, lastUsedAt: at === undefined ? null : isoTime(at) };
  }),
  warnings,
});

const stateOfInvalid = ({ id, why }: { readonly id: string; readonly why: string }): StateOfKey => ({
  id,
  state: 'invalid',
  why,
  secrets: [],
  warnings: [],
});

function lastUseOf(samples: Metrics['samples']): Map<string, number> {
  const lastUse = new Map<string, number>();
  for (const { labels, value } of samples('postern_secret_last_used_timestamp_seconds'))
    lastUse.set(`${labels['key']} ${labels['secret']}`, value * 1000);
  return lastUse;
}

/** A key that is about to expire gets its warning this late at most. */
const WARNINGS_HOLD_MS = 3_600_000;

type Warnings = ReadonlyMap<string, StateOfKey['warnings']>;

/** Reading every definition anew is only worth it after a change: a console asks for the state again and again. */
function createWarnings({ keys, changes, now }: Pick<KeyStatePorts, 'keys' | 'changes' | 'now'>) {
  let known: { readonly version: number; readonly until: number; readonly warnings: Warnings } | null = null;
  return async (): Promise<Warnings> => {
    const snapshot = keys();
    const version = snapshot?.version ?? 0;
    if (known?.version === version && now() < known.until) return known.warnings;
    const stored = await changes.list();
    if ('code' in stored) return new Map();
    const records = snapshot?.records ?? NO_RECORDS;
    const warnings = new Map<string, StateOfKey['warnings']>();
    for await (const part of inParts(stored))
      for (const entry of part)
        if ('definition' in entry) warnings.set(entry.id, warningsOfKey(entry.id, entry.definition, records, now()));
    known = { version, until: now() + WARNINGS_HOLD_MS, warnings };
    return warnings;
  };
}

function warningsOfKey(
  id: string,
  definition: KeyDefinition,
  records: KeySnapshot['records'],
  now: number,
): StateOfKey['warnings'] {
  const whole = completed({ id, definition }, records);
  return 'definition' in whole ? fieldFindings(definitionWarnings(whole.definition, now, records)) : [];
}
