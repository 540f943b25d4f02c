/**
 * The one way in which the admin API reaches the stored keys: failures of the store become problems, and a change that was
 * made is live and in the log before anybody is told of it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { KeyDefinition, LoadedDefinition } from '../keys/definition.ts';
import type { Decide, KeyStore, StoreFailure } from '../keys/key-store.ts';
import type { KeySource } from '../keys/source.ts';
import type { Audit } from './audit.ts';
import type { Call } from './operation.ts';
import { fieldFindings, invalid, problem, type AdminProblem } from './problem.ts';

export interface KeyChanges {
  readonly list: () => Promise<readonly LoadedDefinition[] | AdminProblem>;
  readonly get: (id: string) => Promise<LoadedDefinition | null | AdminProblem>;
  /** Why nothing can be changed here, or null. */
  readonly writable: () => AdminProblem | null;
  readonly update: (call: Call, what: Attempt, decide: Decide<AdminProblem>) => Promise<Updated | AdminProblem>;
}

export interface Attempt {
  readonly id: string;
  readonly action: 'create_key' | 'replace_key' | 'delete_key' | 'rotate_secret' | 'delete_secret';
  /** The secret that it is about. */
  readonly secretId?: string;
}

export interface Updated {
  readonly before: KeyDefinition | null;
  readonly after: KeyDefinition | null;
}

export interface KeyChangePorts {
  readonly store: KeyStore;
  readonly source: Pick<KeySource, 'kind' | 'status'>;
  /** Makes the stored keys those that requests are judged by. */
  readonly reload: () => Promise<void>;
  readonly audit: Audit;
}

export function createKeyChanges({ store, source, reload, audit }: KeyChangePorts): KeyChanges {
  const writable = (): AdminProblem | null => {
    const why = store.readOnly();
    return why === null ? null : failed({ kind: 'read_only', why });
  };
  return {
    writable,
    async list() {
      const stored = await store.list();
      return stored.ok ? stored.value : failed(stored.failure);
    },
    async get(id) {
      const stored = await store.get(id);
      return stored.ok ? stored.value : failed(stored.failure);
    },
    async update(call, { id, action, secretId }, decide) {
      // Checked first: where nothing can be written, nothing else about the write matters.
      const readOnly = writable();
      if (readOnly !== null) return readOnly;
      const { up, why } = source.status();
      // Writing one key into a Redis that has lost the others would make the loss final.
      if (source.kind === 'redis' && !up) return failed({ kind: 'unavailable', why: `${why ?? 'Redis is away'}.` });
      const updated = await store.update(id, decide);
      if (!updated.ok) return 'refused' in updated ? updated.refused : failed(updated.failure);
      const fields = changedFields(updated.before, updated.after);
      if (fields.length > 0 || updated.after === null) {
        audit(call, action, { keyId: id, fields, secretId });
        await reload();
      }
      return updated;
    },
  };
}

/** Names alone: values may be secrets, or as long as a list of addresses. */
function changedFields(before: KeyDefinition | null, after: KeyDefinition | null): string[] {
  if (after === null) return [];
  const names = Object.keys(after) as (keyof KeyDefinition)[];
  return before === null ? names : names.filter((name) => !isDeepStrictEqual(before[name], after[name]));
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
