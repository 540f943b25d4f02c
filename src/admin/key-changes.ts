/**
 * The one way in which the admin API reaches the stored keys, policies and address lists: failures of the store become problems, and a change that was
 * made is live and in the log before anybody is told of it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { KeyDefinition, LoadedDefinition } from '../keys/definition.ts';
import type {
  Decide,
  DecideRecord,
  KeyStore,
  Stored,
  StoreFailure,
  Updated as StoreUpdated,
} from '../keys/key-store.ts';
import type { KeySet, RecordKind } from '../keys/record-kind.ts';
import type { KeySource } from '../keys/source.ts';
import { shareReadings } from '../lib/shared-reading.ts';
import type { Audit } from './audit.ts';
import { stateOfKey, stateOfRecord } from './history/change.ts';
import type { History } from './history/history.ts';
import type { Call } from './operation.ts';
import { fieldFindings, invalid, problem, type AdminProblem } from './problem.ts';

export interface KeyChanges {
  readonly list: () => Promise<readonly LoadedDefinition[] | AdminProblem>;
  readonly get: (id: string) => Promise<LoadedDefinition | null | AdminProblem>;
  /** Every key, policy and address list. */
  readonly everything: () => Promise<KeySet | AdminProblem>;
  /** Why what is stored cannot be known now, or null. */
  readonly readable: () => string | null;
  /** Why nothing can be changed here, or null. */
  readonly writable: () => AdminProblem | null;
  readonly update: (call: Call, what: Attempt, decide: Decide<AdminProblem>) => Promise<Updated | AdminProblem>;
  readonly updateRecord: <T extends object>(
    call: Call,
    what: RecordAttempt<T>,
    decide: DecideRecord<AdminProblem, T>,
  ) => Promise<Updated<T> | AdminProblem>;
}

export interface Attempt {
  readonly id: string;
  readonly action: 'create_key' | 'replace_key' | 'delete_key' | 'rotate_secret' | 'delete_secret';
  /** The secret that it is about. */
  readonly secretId?: string;
}

export interface RecordAttempt<T> {
  readonly kind: RecordKind<T>;
  readonly name: string;
  readonly action: 'put' | 'delete';
}

export interface Updated<T = KeyDefinition> {
  readonly before: T | null;
  readonly after: T | null;
}

export interface KeyChangePorts {
  /** Asked for when it is used: it may connect. */
  readonly store: () => KeyStore;
  readonly source: Pick<KeySource, 'kind' | 'status'>;
  /** Makes the stored keys those that requests are judged by. */
  readonly reload: () => Promise<void>;
  readonly audit: Audit;
  readonly history: Pick<History, 'begin' | 'changed'>;
}

export function createKeyChanges({ store, source, reload, audit, history }: KeyChangePorts): KeyChanges {
  const writable = (): AdminProblem | null => {
    const why = store().readOnly();
    return why === null ? null : failed({ kind: 'read_only', why });
  };
  const valueOf = <T>(stored: Stored<T>): T | AdminProblem => (stored.ok ? stored.value : failed(stored.failure));

  /** `tell` is what the log and the history say of it. Nothing is told of a change that changes nothing. */
  const change = async <T extends object>(
    attempt: () => Promise<StoreUpdated<AdminProblem, T>>,
    tell: (made: Updated<T>, fields: readonly string[]) => Promise<void>,
  ): Promise<Updated<T> | AdminProblem> => {
    // Checked first: where nothing can be written, nothing else about the write matters.
    const readOnly = writable();
    if (readOnly !== null) return readOnly;
    const { up, why } = source.status();
    // Writing one key into a Redis that has lost the others would make the loss final.
    if (source.kind === 'redis' && !up) return failed({ kind: 'unavailable', why: `${why ?? 'Redis is away'}.` });
    const end = history.begin();
    let updated: StoreUpdated<AdminProblem, T>;
    let fields: string[];
    try {
      updated = await attempt();
      if (!updated.ok) return 'refused' in updated ? updated.refused : failed(updated.failure);
      fields = changedFields(updated.before, updated.after);
      if (fields.length === 0 && updated.before !== null && updated.after !== null) return updated;
      await Promise.all([tell(updated, fields), reload()]);
    } finally {
      end();
    }
    return updated;
  };

  // Each holds every key: who asks for them a thousand times at once must not have them a thousand times.
  const list = shareReadings(async () => valueOf(await store().list()));
  const everything = shareReadings(async () => valueOf(await store().everything()));

  return {
    readable: () => (source.status().up ? null : (source.status().why ?? 'the source cannot be read')),
    writable,
    list,
    get: async (id) => valueOf(await store().get(id)),
    everything,
    update: (call, { id, action, secretId }, decide) =>
      change(
        () => store().update(id, decide),
        async ({ before, after }, fields) => {
          audit(call, action, { keyId: id, fields, secretId });
          await history.changed(call, {
            action,
            target: { kind: 'key', name: id },
            before: before && stateOfKey(before),
            after: after && stateOfKey(after),
          });
        },
      ),
    updateRecord: (call, { kind, name, action }, decide) =>
      change(
        () => store().updateRecord(kind, name, decide),
        async ({ before, after }, fields) => {
          const done = action === 'delete' ? 'delete' : before === null ? 'create' : 'replace';
          audit(call, `${done}_${kind.mark}`, { [kind.mark]: name, fields });
          await history.changed(call, {
            action: `${done}_${kind.mark}`,
            target: { kind: kind.mark, name },
            before: before && stateOfRecord(before),
            after: after && stateOfRecord(after),
          });
        },
      ),
  };
}

/** Names alone: values may be secrets, or as long as a list of addresses. */
function changedFields<T extends object>(before: T | null, after: T | null): string[] {
  if (after === null) return [];
  if (before === null) return Object.keys(after);
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])] as (keyof T & string)[];
  return names.filter((name) => !isDeepStrictEqual(before[name], after[name]));
}

function failed(failure: StoreFailure): AdminProblem {
  switch (failure.kind) {
    case 'read_only':
      return problem('read_only', `The keys cannot be changed here: ${failure.why}.`);
    case 'unavailable':
      return problem('source_unavailable', failure.why);
    case 'not_editable':
      return problem('not_editable', failure.why);
    case 'contradiction':
      return invalid('invalid_definition', fieldFindings(failure.findings));
  }
}
